"""The bench a check works on: one DuckDB connection with bounded memory, its scratch folder, and what is agreed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from touchline.features.sources.sql import text
from touchline.playbook import Playbook
from touchline.playbook.contracts import Column, Contract

Progress = Callable[[str], None]
"""Called with the name of each step as it begins."""


@dataclass(frozen=True)
class Workspace:
    """Everything the steps of a check share.

    Per table `t` the steps leave these views and tables in the connection, each built on the one before:

    - `typed_t`: every source row in the contract's types, with its first `_problem`;
    - `checked_t`: the same held against the playbook and the other tables, with its first `_flaw`;
    - `marks_t`: the few rows that stand twice or were made by machines;
    - `quarantine`: all rows set aside so far.
    """

    con: duckdb.DuckDBPyConnection
    playbook: Playbook
    scratch: Path
    now: datetime
    """Facts after this instant lie in the future."""
    progress: Progress

    def attributes(self, contract: Contract) -> list[Column]:
        """Attribute columns that the playbook adds to a contract."""
        if not contract.takes_attributes:
            return []
        usable = self.playbook.usable_attributes(contract.name)
        return [Column(name, a.type, a.words[self.playbook.languages[0]], required=False) for name, a in usable.items()]

    def count(self, query: str) -> int:
        """The single number a query gives."""
        (row,) = self.con.execute(query).fetchall()
        return int(row[0] or 0)


def connect(scratch: Path, memory: str) -> duckdb.DuckDBPyConnection:
    """A DuckDB connection that spills to `scratch` instead of growing beyond `memory` (such as "1GB")."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute(f"SET memory_limit = {text(memory)}")
    con.execute(f"SET temp_directory = {text(scratch / 'spill')}")
    con.execute("SET preserve_insertion_order = false")  # order is asked for where it matters
    con.execute("SET enable_progress_bar = false")
    return con
