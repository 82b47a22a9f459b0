"""Rows that are there twice: one delivery again, another story under the same key, one story under another id.

Two copies of most files hold few repeats, so they are looked for in two steps: a count of 64-bit hashes over all rows,
which is cheap, and an exact look at the few rows whose hash stands more than once.
"""

from __future__ import annotations

from touchline.features.sources.sql import ROW, column
from touchline.features.tables.workspace import Workspace
from touchline.playbook.contracts import INPUTS, Contract

_MAPPED = (column("stage"), column("kind"))
"""Columns that the playbook translates: they differ between the rows as read and as checked."""


def mark_repeats(w: Workspace, table: str) -> None:
    """Create `marks_<table>` (row, _flaw, machine, row_key) with every repeated row but one.

    The copy that was known first stays; where that does not decide, the one that comes first by its content, so that
    the order of the input never matters. Rows already set aside take no part.
    """
    contract = INPUTS[table]
    w.con.execute(
        f"CREATE TEMP TABLE marks_{table} (_source INTEGER, _file INTEGER, _row BIGINT, "
        "_flaw VARCHAR, machine BOOLEAN, row_key VARCHAR)"
    )
    if not contract.key:
        return
    content = _content(w, contract)
    same = f"({', '.join(content)}) IS NOT DISTINCT FROM first_value(({', '.join(content)})) OVER keys"
    verdict = f"CASE WHEN {same} THEN 'duplicate_delivery' ELSE 'conflicting_duplicate' END"
    key = [column(name) for name in contract.key]
    as_read = [k for k in key if k not in _MAPPED]
    _mark(w, table, as_read, key, content, verdict)
    if table == "touches":
        story = [c for c in content if c != column("touch_id")]
        _mark(w, table, ["lead_id", "occurred_at"], story, content, "'duplicate_content'")


def row_key(table: str) -> str:
    """SQL for what people find a row by: its key, or all columns of it."""
    keys = [f"{column(name)}::VARCHAR" for name in INPUTS[table].key or ("deal_id",)]
    return keys[0] if len(keys) == 1 else f"concat_ws(' | ', {', '.join(keys)})"


def _content(w: Workspace, contract: Contract) -> list[str]:
    """All columns but `known_at`, which may differ between two deliveries of one fact."""
    names = [*contract.column_names, *(c.name for c in w.attributes(contract))]
    return [column(name) for name in names if name != "known_at"]


def _mark(w: Workspace, table: str, rough_key: list[str], key: list[str], content: list[str], verdict: str) -> None:
    """Mark all but one of the rows that agree in `key`; those that agree in `rough_key` are looked at closely."""
    con, rough, keys = w.con, ", ".join(rough_key), ", ".join(key)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE repeated AS SELECT h FROM (SELECT hash({rough}) AS h FROM typed_{table}) "
        "GROUP BY h HAVING count(*) > 1"
    )
    if w.count("SELECT count(*) FROM repeated") == 0:
        return
    known = ["known_at"] if "known_at" in INPUTS[table].column_names else []
    order = ", ".join([*known, *content, ROW])
    con.execute(
        f"INSERT INTO marks_{table} SELECT {ROW}, verdict, false, row_key FROM ("
        f"SELECT {ROW}, {row_key(table)} AS row_key, {verdict} AS verdict, row_number() OVER keys AS place FROM ("
        f"SELECT * FROM checked_{table} WHERE _flaw IS NULL AND hash({rough}) IN (FROM repeated)) "
        f"ANTI JOIN marks_{table} USING ({ROW}) "
        f"WINDOW keys AS (PARTITION BY {keys} ORDER BY {order})) WHERE place > 1"
    )
