"""What had happened and was known at an instant: the one place where insight reads the tables.

Every result starts from the same view of touches, so that none can see more than another.
"""

from __future__ import annotations

import tempfile
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from touchline.features import DataError, Tables
from touchline.features.sources.sql import text
from touchline.features.tables.workspace import connect
from touchline.playbook import Playbook

if TYPE_CHECKING:
    import pandas as pd

    Leads = pa.StringArray | pa.ChunkedArray[pa.StringScalar] | pd.Series[str] | Sequence[str]
    """A column of lead_ids; repeated ones count once."""

DAY = 86_400_000_000
"""Microseconds."""
SENT, OPENED, READ, ATTENDED = 1, 2, 3, 4
"""How strongly a touch answers what was told."""

_PEOPLE = """
    CREATE TEMP TABLE people AS
    WITH RECURSIVE merged AS (
        SELECT lead_id, merged_into FROM leads
        WHERE merged_into IS NOT NULL AND epoch_us(merged_at) < {as_of}
    ),
    up AS (
        SELECT lead_id, merged_into AS person FROM merged
        UNION
        SELECT u.lead_id, m.merged_into FROM up u JOIN merged m ON m.lead_id = u.person
    ),
    goes_on AS (SELECT u.* FROM up u ANTI JOIN merged m ON m.lead_id = u.person),
    keyed AS (
        SELECT lead_id, coalesce('a' || account_id, 'l' || lead_id) AS company, language, epoch_us(known_at) AS known
        FROM leads
    ),
    wanted AS (SELECT DISTINCT company FROM keyed SEMI JOIN asked USING (lead_id))
    SELECT k.lead_id, company, coalesce(g.person, k.lead_id) AS person, language, known
    FROM keyed k SEMI JOIN wanted USING (company) LEFT JOIN goes_on g ON g.lead_id = k.lead_id
"""
_FACTS = """
    CREATE TEMP VIEW facts AS
    SELECT t.touch_id, t.lead_id, p.company, p.person, t.occurred_at, epoch_us(t.occurred_at) AS occurred,
        (t.occurred_at AT TIME ZONE {zone})::DATE AS day, t.kind, t.campaign, t.asset,
        coalesce(t.topic, a.topic) AS topic, coalesce(t.direction, k.direction) AS direction, k.engagement,
        k.response, t.merged_from IS NOT NULL AS copied
    FROM touches t JOIN people p USING (lead_id) JOIN kinds k USING (kind) LEFT JOIN assets a USING (asset)
    WHERE NOT t.machine AND greatest(epoch_us(t.occurred_at), epoch_us(t.known_at), p.known) < {as_of}
"""


@dataclass(frozen=True)
class Known:
    """A DuckDB connection that knows no more than was known at an instant.

    In it stand `asked` (lead_id), those that were known; `people` (lead_id, company, person, language, known): the
    leads of all companies that are asked about, where `person` is the lead that goes on after the merges known by then;
    and the view `facts`: their touches, with `occurred` in microseconds, the `day` in the playbook's zone,
    `engagement`, `response` (how strongly it answers) and `copied` (brought by a merge: to be left out where a company
    is added up). A touch without a topic has its asset's.
    """

    con: duckdb.DuckDBPyConnection
    tables: Tables
    playbook: Playbook
    as_of: int
    """Microseconds UTC."""

    def arrow(self, query: str, schema: pa.Schema) -> pa.Table:
        """What a query gives, as a table of a schema."""
        return self.con.sql(query).to_arrow_table().select(schema.names).cast(schema)


@contextmanager
def known_at(
    tables: Tables, playbook: Playbook, as_of: datetime, leads: Leads, *, memory: str = "2GB"
) -> Generator[Known]:
    """Open what was known at an instant about some leads and their companies.

    Raises
    ------
    ValueError
        If `as_of` has no zone, or a lead is not in the tables.
    DataError
        If the tables hold kinds that the playbook does not know.
    """
    if as_of.tzinfo is None:
        raise ValueError("as_of has no time zone; give it one, such as datetime(2026, 3, 1, tzinfo=UTC)")
    instant = round(as_of.timestamp() * 1_000_000)
    with tempfile.TemporaryDirectory(prefix="touchline-") as scratch, connect(Path(scratch), memory) as con:
        for name in ("leads", "touches", "accounts", "assets"):
            con.execute(f"CREATE TEMP VIEW {name} AS FROM read_parquet({text(tables.file(name))})")
        _ask(con, leads, instant)
        _create_kinds(con, tables, playbook)
        con.execute(_PEOPLE.format(as_of=instant))
        con.execute(_FACTS.format(as_of=instant, zone=text(playbook.time_zone or "UTC")))
        yield Known(con, tables, playbook, instant)


def _ask(con: duckdb.DuckDBPyConnection, leads: Leads, as_of: int) -> None:
    """Create `asked` (lead_id): each lead once, without those that nobody knew yet."""
    column = leads if isinstance(leads, pa.ChunkedArray) else pa.chunked_array([pa.array(leads, pa.string())])
    con.register("asked_for", pa.Table.from_arrays([column.cast(pa.string())], names=["lead_id"]))
    (row,) = con.execute("SELECT count(*) FROM asked_for ANTI JOIN leads USING (lead_id)").fetchall()
    if row[0]:
        raise ValueError(f"{row[0]:,} of the leads asked for are not in the tables; ask for leads of the same tables")
    con.execute(
        "CREATE TEMP TABLE asked AS SELECT lead_id FROM leads SEMI JOIN asked_for USING (lead_id) "
        f"WHERE greatest(epoch_us(created_at), epoch_us(known_at)) < {as_of}"
    )
    con.unregister("asked_for")


def _create_kinds(con: duckdb.DuckDBPyConnection, tables: Tables, playbook: Playbook) -> None:
    """Create `kinds` (kind, direction, engagement, response) from the playbook."""
    opens = playbook.scanners.opens if playbook.scanners else []
    rows: list[tuple[str, str, bool, int]] = []
    for name, kind in playbook.kinds.items():
        if name in playbook.contact.attended:
            response = ATTENDED
        elif not kind.engagement:
            response = SENT
        else:
            response = OPENED if name in opens else READ
        rows.append((name, kind.direction, kind.engagement, response))
    con.execute("CREATE TEMP TABLE kinds (kind VARCHAR, direction VARCHAR, engagement BOOLEAN, response TINYINT)")
    con.executemany("INSERT INTO kinds VALUES (?, ?, ?, ?)", rows)
    strangers = con.execute("SELECT DISTINCT kind FROM touches ANTI JOIN kinds USING (kind) ORDER BY kind").fetchall()
    if strangers:
        names = ", ".join(str(kind) for (kind,) in strangers)
        raise DataError(
            str(tables.file("touches")),
            f"was checked with another playbook: this one does not know {names}",
            "run `touchline check` again with this playbook",
        )
