"""Quarantine: bad rows are set aside with their key and a reason, and never lost."""

from __future__ import annotations

from pathlib import Path

from touchline.features.sources import Scan
from touchline.features.sources.sql import text
from touchline.features.tables.machines import of_mail
from touchline.features.tables.reasons import REASONS
from touchline.features.tables.repeats import row_key
from touchline.features.tables.typed import claim
from touchline.features.tables.workspace import Workspace
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


def set_aside_flawed(w: Workspace, table: str) -> None:
    """Set aside the rows of an input that have a flaw.

    Leaves the table `noted`: these rows and, of touches, those that say whether a machine was at work. Both come out of
    one pass, because a pass over all touches is what a check is made of.
    """
    mail = of_mail(w) if table == "touches" else None
    columns, also = (f", {mail.columns}", f" OR {mail.condition}") if mail else ("", "")
    w.con.execute(
        f"CREATE OR REPLACE TEMP TABLE noted AS SELECT {_ROW}, {row_key(table)} AS row_key, flaw{columns} "
        f"FROM checked_{table} WHERE flaw IS NOT NULL{also}"
    )
    _insert(w, table, "noted")


def set_aside_repeats(w: Workspace, table: str) -> None:
    """Set aside the rows that repeat another, or that contradict their own kind."""
    _insert(w, table, f"marks_{table}")


def _insert(w: Workspace, table: str, rows: str) -> None:
    w.con.execute(
        f'INSERT INTO quarantine SELECT {text(table)}, source, file, "row" + 1, row_key, '
        f"split_part(flaw, ':', 1), nullif(split_part(flaw, ':', 2), '') FROM {rows} WHERE flaw IS NOT NULL"
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
