"""Writing the canonical tables: typed, without repeats, sorted, so that whoever reads them never sorts again."""

from __future__ import annotations

from pathlib import Path

from touchline.features.sources.sql import ROW, column, text
from touchline.features.tables.outcomes import completed_deals
from touchline.features.tables.workspace import Workspace
from touchline.playbook.contracts import TABLES, Column, Contract

SORTED_BY: dict[str, tuple[str, ...]] = {
    "leads": ("lead_id",),
    "touches": ("lead_id", "occurred_at", "touch_id"),
    "deals": ("deal_id",),
    "stages": ("lead_id", "entered_at", "stage"),
    "changes": ("lead_id", "account_id", "field", "known_at", "value"),
    "accounts": ("account_id",),
    "assets": ("asset",),
}
"""Order of the rows in each table's file."""

FEW = 50_000
"""Up to so many distinct words a column is sorted as an enumerated type."""
_OF_LEADS = ("touches", "stages", "changes")


def write_table(w: Workspace, table: str, folder: Path) -> Path:
    """Write one canonical table as Parquet into `folder`; returns the file."""
    contract = TABLES[table]
    target = folder / f"{table}.parquet"
    order = ", ".join(SORTED_BY[table])
    few = _few_words(w) if table == "touches" else {}
    columns = ", ".join(_nullable(c, few.get(c.name)) for c in [*contract.columns, *w.attributes(contract)])
    rows = f"SELECT * REPLACE ({columns}) FROM ({_rows(w, contract)}) ORDER BY {order}"
    w.con.execute(f"COPY ({rows}) TO {text(target)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)")
    return target


def _few_words(w: Workspace) -> dict[str, str]:
    """Enumerated types for the touches' columns of few words: text is what makes the sort slow.

    Returns
    -------
    dict of str
        Column -> the type made for it.
    """
    names = ("channel", "campaign", "asset", "topic")
    counts = ", ".join(f"approx_count_distinct({name})" for name in names)
    (counted,) = w.con.execute(f"SELECT {counts} FROM typed_touches").fetchall()
    # Besides the touches themselves, the playbook and the assets can give a value.
    given = {"channel": "kind_words UNION SELECT name FROM channel_words"}
    given["topic"] = "asset_topics UNION SELECT name FROM topic_words"
    few: dict[str, str] = {}
    for name, count in zip(names, counted, strict=True):
        if count > FEW:
            continue
        others = f" UNION SELECT {name} FROM {given[name]}" if name in given else ""
        w.con.execute(
            f"CREATE TYPE few_{name} AS ENUM (SELECT word FROM (SELECT {name} AS word FROM typed_touches{others}) "
            "WHERE word IS NOT NULL GROUP BY word ORDER BY word)"
        )
        few[name] = f"few_{name}"
    return few


def _nullable(c: Column, few: str | None) -> str:
    """The column as it is, but such that DuckDB never declares it free of nulls.

    It would do so where statistics of the input prove it, and the same data from Parquet and from CSV would then give
    files of different schemas.
    """
    name = column(c.name)
    never = {"time": "TIMESTAMPTZ 'infinity'", "number": "'nan'::DOUBLE", "text": "''"}
    if c.type == "boolean":
        return f"CASE WHEN {name} THEN true WHEN NOT {name} THEN false END AS {name}"
    cast = f"::{few}" if few else ""
    return f"nullif({name}, {never[c.type]}){cast} AS {name}"


def live(w: Workspace, table: str) -> str:
    """SQL for the rows of a table that were not set aside, with `_by_machine`."""
    if w.count(f"SELECT count(*) FROM marks_{table}") == 0:
        return f"(SELECT *, false AS _by_machine FROM checked_{table} WHERE _flaw IS NULL)"
    return (
        f"(SELECT c.*, coalesce(m.machine, false) AS _by_machine FROM checked_{table} c "
        f"LEFT JOIN marks_{table} m USING ({ROW}) WHERE c._flaw IS NULL AND m._flaw IS NULL)"
    )


def _rows(w: Workspace, contract: Contract) -> str:
    names = [*contract.column_names, *(c.name for c in w.attributes(contract))]
    columns = [column(name) for name in names]
    if contract.name == "touches":
        columns[columns.index('"machine"')] = "(machine OR _by_machine) AS machine"
    rows = live(w, contract.name)
    if contract.name == "deals":
        return f"SELECT {', '.join(columns)} FROM ({completed_deals(rows)})"
    if contract.name == "leads":
        return (
            f"SELECT {', '.join(f'l.{c}' for c in columns)}, m.into_lead AS merged_into, m.merged_at FROM {rows} l "
            "LEFT JOIN (SELECT from_lead, into_lead, merged_at FROM merges_once "
            "SEMI JOIN absorbed USING (from_lead)) m ON l.lead_id = m.from_lead"
        )
    if contract.name not in _OF_LEADS:
        return f"SELECT {', '.join(columns)} FROM {rows}"
    originals = f"SELECT {', '.join(columns)}, NULL::VARCHAR AS merged_from FROM {rows}"
    if w.count("SELECT count(*) FROM absorbed") == 0:
        return originals
    moved = [{'"lead_id"': "a.into_lead", '"known_at"': "greatest(known_at, a.moment)"}.get(c, c) for c in columns]
    copies = f"SELECT {', '.join(moved)}, r.lead_id FROM {rows} r JOIN absorbed a ON r.lead_id = a.from_lead"
    return f"{originals} UNION ALL {copies}"
