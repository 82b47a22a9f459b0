"""Adding up: what became of every row of every source, and whether it is too much."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from touchline.features.sources import Scan
from touchline.features.sources.sql import text
from touchline.features.tables.quarantine import sources_of_scans
from touchline.features.tables.reasons import REASONS
from touchline.features.tables.result import ReasonCount, SourceAccount, TableAccount
from touchline.features.tables.typed import claim, is_heading
from touchline.features.tables.workspace import Workspace
from touchline.playbook import Playbook
from touchline.playbook.contracts import INPUTS, TABLES
from touchline.playbook.data import Source

HARMLESS = ("duplicate_delivery", "unknown_field")
"""Reasons that do not count towards the limit: systems that deliver at least once deliver some rows twice, and keep the
history of many fields that nobody asked for."""


def count_tables(w: Workspace, folder: Path) -> tuple[TableAccount, ...]:
    """The account of each canonical table, from the files as written."""
    aside = dict(w.con.execute('SELECT "table", count(*) FROM quarantine GROUP BY 1').fetchall())
    accounts: list[TableAccount] = []
    for name in TABLES:
        extra = {"touches": "count(merged_from), count(*) FILTER (machine)", "stages": "count(merged_from), 0"}
        extra["changes"] = extra["stages"]
        (counted,) = w.con.execute(
            f"SELECT count(*), {extra.get(name, '0, 0')} FROM read_parquet({text(folder / f'{name}.parquet')})"
        ).fetchall()
        rows, merged, machine = map(int, counted)
        quarantined = int(aside.get(name, 0)) + (int(aside.get("outcomes", 0)) if name == "deals" else 0)
        accounts.append(TableAccount(name, rows, quarantined, merged, machine))
    return tuple(accounts)


def count_reasons(w: Workspace) -> tuple[ReasonCount, ...]:
    """Rows set aside, by table and reason, most frequent first."""
    rows = w.con.execute(
        'SELECT "table", code, "column", count(*) FROM quarantine GROUP BY ALL ORDER BY 4 DESC, 1, 2, 3'
    ).fetchall()
    return tuple(ReasonCount(table, code, name, int(n), REASONS[code]) for table, code, name, n in rows)


def over_limits(
    playbook: Playbook, sources: tuple[SourceAccount, ...], reasons: tuple[ReasonCount, ...]
) -> dict[str, float]:
    """Inputs with a larger share of bad rows than the playbook allows -> that share."""
    limits: dict[str, float] = {**playbook.quarantine.max_share_of}
    over: dict[str, float] = {}
    for name in INPUTS:
        bad = sum(r.rows for r in reasons if r.table == name and r.code not in HARMLESS)
        kept = sum(account.kept.get(name, 0) for account in sources)
        share = bad / (bad + kept) if bad else 0.0
        if share > limits.get(name, playbook.quarantine.max_share):
            over[name] = share
    return over


def period(w: Workspace, folder: Path) -> tuple[datetime | None, datetime | None]:
    """First and last fact of the canonical tables."""
    times = {"leads": "created_at", "touches": "occurred_at", "deals": "closed_at", "stages": "entered_at"}
    union = " UNION ALL ".join(
        f"SELECT min({time}) AS a, max({time}) AS z FROM read_parquet({text(folder / f'{name}.parquet')})"
        for name, time in times.items()
    )
    (found,) = w.con.execute(f"SELECT epoch_us(min(a)), epoch_us(max(z)) FROM ({union})").fetchall()
    first, last = (None if us is None else datetime.fromtimestamp(us / 1e6, UTC) for us in found)
    return first, last


def source_accounts(
    w: Workspace, routes: list[tuple[Source, Scan]], tables: tuple[TableAccount, ...]
) -> tuple[SourceAccount, ...]:
    """What became of the rows of each path.

    Raises
    ------
    RuntimeError
        If what the sources gave is not what stands in the tables: a row would have been lost or invented.
    """
    aside = dict(
        w.con.execute(
            "SELECT _source, count(*) FROM quarantine WHERE line IS NULL "
            "AND code NOT IN ('unrouted', 'swallowed_by_quotes') GROUP BY 1"
        ).fetchall()
    )
    accounts = tuple(_account(w, scan, positions, routes, aside) for scan, positions in sources_of_scans(routes))
    for table in tables:
        given = sum(account.kept.get(table.name, 0) for account in accounts)
        if table.name == "deals":
            given += w.count(
                "SELECT count(*) FROM folded ANTI JOIN (FROM checked_deals WHERE _flaw IS NULL) USING (deal_id)"
            )
        if given != table.rows - table.from_merges:
            raise RuntimeError(f"{table.name}: {given} rows kept, but {table.rows - table.from_merges} written")
    return accounts


def _account(
    w: Workspace,
    scan: Scan,
    positions: list[int],
    routes: list[tuple[Source, Scan]],
    aside: dict[int, int],
) -> SourceAccount:
    sources = [routes[p][0] for p in positions]
    claims = [f"{claim(s, scan)}::INTEGER" for s in sources]
    (counted,) = w.con.execute(
        f"SELECT {', '.join(f'sum({c})' for c in claims)}, sum(greatest({' + '.join(claims)} - 1, 0)), "
        f"count_if({' + '.join(claims)} = 0) FROM {scan.relation}"
    ).fetchall()
    *claimed, used_twice, unrouted = (int(n or 0) for n in counted)
    kept: dict[str, int] = {}
    for p, s, n in zip(positions, sources, claimed, strict=True):
        if s.table != "ignored":
            kept[s.table] = kept.get(s.table, 0) + n - int(aside.get(p, 0))
    return SourceAccount(
        path=scan.label,
        read=scan.rows + scan.lines_unreadable,
        kept=kept,
        ignored=sum(n for s, n in zip(sources, claimed, strict=True) if s.table == "ignored"),
        quarantined=sum(int(aside.get(p, 0)) for p in positions) + unrouted + scan.lines_unreadable,
        used_twice=used_twice,
        columns_not_used=_unused_columns(w, scan, sources),
    )


def _unused_columns(w: Workspace, scan: Scan, sources: list[Source]) -> tuple[str, ...]:
    used: set[str] = set()
    for s in sources:
        used |= {name.lower() for name in s.only}
        used |= {origin.lower() for rule in s.columns.values() for origin in rule.origins}
        if s.table in INPUTS:
            contract = INPUTS[s.table]
            own = [*contract.column_names, *(c.name for c in w.attributes(contract))]
            used |= {name.lower() for name in own if name not in s.columns}
    return tuple(name if is_heading(name) else "(not a heading)" for name in scan.columns if name.lower() not in used)
