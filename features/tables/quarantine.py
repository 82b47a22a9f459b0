"""Quarantine: bad rows are set aside with their key and a reason, and never lost."""

from __future__ import annotations

from pathlib import Path

from touchline.features.sources import Scan
from touchline.features.sources.sql import FILE, ROW, text, texts
from touchline.features.tables.machines import of_mail
from touchline.features.tables.reasons import REASONS
from touchline.features.tables.repeats import row_key
from touchline.features.tables.typed import claim
from touchline.features.tables.workspace import Workspace
from touchline.playbook.data import Source


def create_quarantine(w: Workspace, routes: list[tuple[Source, Scan]]) -> None:
    """Create the tables `quarantine` and `paths`, which says what people call each file of each source."""
    w.con.execute(
        'CREATE TEMP TABLE quarantine ("table" VARCHAR, _source INTEGER, _file INTEGER, "row" BIGINT, line BIGINT, '
        'row_key VARCHAR, code VARCHAR, "column" VARCHAR)'
    )
    w.con.execute("CREATE TEMP TABLE paths (_source INTEGER, _file INTEGER, path VARCHAR)")
    w.con.executemany(
        "INSERT INTO paths VALUES (?, ?, ?)",
        [(p, n, name) for p, (_, scan) in enumerate(routes) for n, name in enumerate(scan.names, start=1)],
    )


def set_aside_lines(w: Workspace, routes: list[tuple[Source, Scan]]) -> None:
    """Set aside lines that are no rows, and rows that no source wants."""
    for scan, positions in sources_of_scans(routes):
        wanted = [routes[p][0] for p in positions]
        home = next((p for p in positions if routes[p][0].table != "ignored"), positions[0])
        table = text(routes[home][0].table)
        for item in scan.unreadable:
            w.con.execute(
                f"INSERT INTO quarantine SELECT {table}, {home}, ?, NULL, ?, NULL, ?, NULL FROM range(?)",
                [item.file, item.line, item.problem, item.lines],
            )
        if all(source.only for source in wanted):
            claims = " OR ".join(claim(source, scan) for source in wanted)
            w.con.execute(
                f"INSERT INTO quarantine SELECT {table}, {home}, "
                f"list_position([{texts(map(str, scan.files))}], {FILE}), file_row_number + 1, NULL, NULL, 'unrouted', "
                f"NULL FROM {scan.relation} WHERE NOT ({claims})"
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
        f"CREATE OR REPLACE TEMP TABLE noted AS SELECT {ROW}, "
        f"CASE WHEN _flaw IS NOT NULL THEN {row_key(table)} END AS row_key, _flaw{columns} "
        f"FROM checked_{table} WHERE _flaw IS NOT NULL{also}"
    )
    _insert(w, table, "noted")


def set_aside_repeats(w: Workspace, table: str) -> None:
    """Set aside the rows that repeat another, or that contradict their own kind."""
    _insert(w, table, f"marks_{table}")


def _insert(w: Workspace, table: str, rows: str) -> None:
    w.con.execute(
        f"INSERT INTO quarantine SELECT {text(table)}, _source, _file, _row + 1, NULL, row_key, "
        f"split_part(_flaw, ':', 1), nullif(split_part(_flaw, ':', 2), '') FROM {rows} WHERE _flaw IS NOT NULL"
    )


def write_quarantine(w: Workspace, target: Path) -> None:
    """Write what was set aside: table, path, row, line, row_key, code, column, message.

    `row` counts the rows of the path from 1, in the order in which they were read; `line` stands in its place where a
    line of a CSV file is no row at all.
    """
    messages = ", ".join(f"({text(code)}, {text(message)})" for code, message in REASONS.items())
    w.con.execute(
        'COPY (SELECT q."table", p.path, q."row", q.line, q.row_key, q.code, q."column", '
        "coalesce(q.\"column\" || ': ', '') || m.message AS message "
        "FROM quarantine q JOIN paths p USING (_source, _file) "
        f"LEFT JOIN (VALUES {messages}) m(code, message) USING (code) ORDER BY ALL) TO {text(target)} (FORMAT parquet)"
    )
