"""A sample of whole accounts: a copy of their canonical tables that may be changed at will and written as tables."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from touchline.features.sources.sql import text
from touchline.features.tables import Tables
from touchline.playbook.contracts import TABLES

if TYPE_CHECKING:
    import duckdb

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FAR = datetime(2200, 1, 1, tzinfo=UTC)
"""Where the data of a copy is said to end, so that no row of it is immature."""


def instant(us: int) -> str:
    """SQL for an instant, given in microseconds."""
    return f"make_timestamptz({us}::BIGINT)"


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970, UTC, without a detour over floats."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


class Copy:
    """Tables `s_…` of a sample of whole accounts in a connection, with `sampled` numbering the leads.

    `sampled` has lead_id, i (from 0, in order of account and lead), account_id, account_no, created_at, known_at.

    Parameters
    ----------
    leads
        About how many; accounts stay whole, and so do leads that were merged.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, tables: Tables, folder: Path, *, leads: int, seed: int) -> None:
        self.con = con
        self.tables = tables
        self.folder = folder
        self._written = 0
        self._choose(leads, seed)
        for name in TABLES:
            con.execute(
                f"CREATE OR REPLACE TEMP TABLE s_{name} AS SELECT t.* FROM {self._file(name)} t{_BELONGS.get(name, '')}"
            )

    def _file(self, name: str) -> str:
        return f"read_parquet({text(self.tables.file(name))})"

    def _choose(self, leads: int, seed: int) -> None:
        """Accounts in a random order of their own until there are enough leads; then whoever was merged with them."""
        con = self.con
        con.execute(
            "CREATE OR REPLACE TEMP TABLE keyed AS SELECT lead_id, account_id, created_at, known_at, merged_into, "
            f"coalesce('a' || account_id, 'l' || lead_id) AS key FROM {self._file('leads')}"
        )
        con.execute(
            "CREATE OR REPLACE TEMP TABLE chosen AS SELECT key FROM (SELECT key, "
            f"sum(n) OVER (ORDER BY md5(key || '{int(seed)}'), key) - n AS before FROM "
            f"(SELECT key, count(*) AS n FROM keyed GROUP BY key)) WHERE before < {int(leads)}"
        )
        more = (
            "INSERT INTO chosen WITH pairs AS (SELECT a.key AS one, b.key AS other FROM keyed a "
            "JOIN keyed b ON a.merged_into = b.lead_id WHERE a.key <> b.key) "
            "SELECT DISTINCT key FROM (SELECT one AS here, other AS key FROM pairs UNION ALL "
            "SELECT other, one FROM pairs) SEMI JOIN chosen c ON c.key = here ANTI JOIN chosen USING (key)"
        )
        while con.execute(more).fetchall()[0][0]:
            pass
        con.execute(
            "CREATE OR REPLACE TEMP TABLE sampled AS SELECT lead_id, account_id, created_at, known_at, "
            "row_number() OVER (ORDER BY key, lead_id) - 1 AS i, dense_rank() OVER (ORDER BY key) - 1 AS account_no "
            "FROM keyed SEMI JOIN chosen USING (key)"
        )

    def count(self, query: str) -> int:
        """The single number a query gives."""
        return int(self.con.execute(query).fetchall()[0][0] or 0)

    def begin(self) -> None:
        """Set the tables `p_…`, which are there to be changed, back to the sample."""
        for name in TABLES:
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE p_{name} AS FROM s_{name}")

    def write(self, *, until: datetime | None = None) -> Tables:
        """Write the tables `p_…` in place of those written before; `until` says where the data ends, if elsewhere."""
        shutil.rmtree(self.folder / f"copy-{self._written}", ignore_errors=True)
        self._written += 1
        folder = self.folder / f"copy-{self._written}"
        folder.mkdir()
        entries: dict[str, dict[str, object]] = {}
        for name in TABLES:
            file = folder / f"{name}.parquet"
            self.con.execute(f"COPY p_{name} TO {text(file)} (FORMAT parquet, COMPRESSION snappy)")
            entries[name] = {"file": file.name, "rows": self.count(f"SELECT count(*) FROM p_{name}"), "sha256": ""}
        result = {**self.tables.manifest["result"], "data_digest": f"{self.tables.digest} {folder.name}"}
        if until is not None:
            result["last"] = until.isoformat()
        return Tables(folder, {**self.tables.manifest, "tables": entries, "result": result})

    def leads_before(self, us: int) -> list[str]:
        """The leads that were created and known before an instant, in order."""
        rows = self.con.execute(
            f"SELECT lead_id FROM sampled WHERE epoch_us(created_at) < {us} AND epoch_us(known_at) < {us} ORDER BY i"
        ).fetchall()
        return [str(lead) for (lead,) in rows]


_OF_LEAD = " SEMI JOIN sampled USING (lead_id)"
_OF_EITHER = (
    " WHERE t.lead_id IN (SELECT lead_id FROM sampled) OR t.account_id IN "
    "(SELECT account_id FROM sampled WHERE account_id IS NOT NULL)"
)
_BELONGS = {
    "leads": _OF_LEAD,
    "touches": _OF_LEAD,
    "stages": _OF_LEAD,
    "deals": _OF_EITHER,
    "changes": _OF_EITHER,
    "accounts": " SEMI JOIN sampled USING (account_id)",
}


def columns_of(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """Column -> type of a table of the connection."""
    return {str(row[0]): str(row[1]) for row in con.execute(f"DESCRIBE {table}").fetchall()}


def values(rows: Iterable[Iterable[object]]) -> str:
    """Rows of numbers and texts as SQL `VALUES`."""
    return "VALUES " + ", ".join(f"({', '.join(_literal(v) for v in row)})" for row in rows)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return text(value) if isinstance(value, str) else str(value)
