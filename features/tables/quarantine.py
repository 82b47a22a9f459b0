"""Quarantine: bad rows are set aside with their key and a reason, and never lost."""

from __future__ import annotations

from pathlib import Path

from touchline.features.sources import Scan
from touchline.features.sources.sql import column, text
from touchline.features.tables.reasons import REASONS
from touchline.features.tables.typed import claim
from touchline.features.tables.workspace import Workspace
from touchline.playbook.contracts import INPUTS
from touchline.playbook.data import Source

_ROW = 'source, file, "row"'


def set_aside_lines(w: Workspace, routes: list[tuple[Source, Scan]]) -> None:
    """Set aside lines that are no rows, and rows that no source wants."""
    w.con.execute("CREATE TEMP TABLE source_paths (source INTEGER, path VARCHAR)")
    w.con.executemany("INSERT INTO source_paths VALUES (?, ?)", [(p, scan.label) for p, (_, scan) in enumerate(routes)])
    for scan, positions in sources_of_scans(routes):
        wanted = [routes[p][0] for p in positions]
        home = next((p for p in positions if routes[p][0].table != "ignored"), positions[0])
        table = text(routes[home][0].table)
        for item in scan.unreadable:
            w.con.execute(
                f"INSERT INTO quarantine SELECT {table}, {home}, NULL, ?, NULL, ?, NULL FROM range(?)",
                [item.line, item.problem, item.lines],
            )
        if all(source.only for source in wanted):
            claims = " OR ".join(claim(source) for source in wanted)
            w.con.execute(
                f"INSERT INTO quarantine SELECT {table}, {home}, NULL, file_row_number + 1, NULL, 'unrouted', NULL "
                f"FROM {scan.relation} WHERE NOT ({claims})"
            )


def sources_of_scans(routes: list[tuple[Source, Scan]]) -> list[tuple[Scan, list[int]]]:
    """Each scan with the positions of the sources that read it."""
    scans: dict[int, tuple[Scan, list[int]]] = {}
    for position, (_, scan) in enumerate(routes):
        scans.setdefault(id(scan), (scan, []))[1].append(position)
    return list(scans.values())


def set_aside_rows(w: Workspace, table: str) -> None:
    """Set aside the rows of an input that have a reason, or that repeat another."""
    keys = [f"{column(name)}::VARCHAR" for name in INPUTS[table].key or ("deal_id",)]
    key = keys[0] if len(keys) == 1 else f"concat_ws(' | ', {', '.join(keys)})"
    flaw = "coalesce(c.flaw, m.flaw)"
    w.con.execute(
        f'INSERT INTO quarantine SELECT {text(table)}, source, file, "row" + 1, {key}, '
        f"split_part({flaw}, ':', 1), nullif(split_part({flaw}, ':', 2), '') "
        f"FROM checked_{table} c LEFT JOIN (FROM marks_{table} WHERE flaw IS NOT NULL) m USING ({_ROW}) "
        f"WHERE {flaw} IS NOT NULL"
    )


def write_quarantine(w: Workspace, target: Path) -> None:
    """Write the rows set aside: table, path, row (counted from 1 as read), row_key, code, column, message."""
    messages = ", ".join(f"({text(code)}, {text(message)})" for code, message in REASONS.items())
    w.con.execute(
        'COPY (SELECT q."table", p.path, q."row", q.row_key, q.code, q."column", '
        "coalesce(q.\"column\" || ': ', '') || m.message AS message "
        "FROM quarantine q JOIN source_paths p USING (source) "
        f"LEFT JOIN (VALUES {messages}) m(code, message) USING (code) ORDER BY ALL) TO {text(target)} (FORMAT parquet)"
    )
