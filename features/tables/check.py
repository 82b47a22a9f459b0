"""The check: from a user's sources to canonical tables, with an account of every row."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

import touchline
from touchline.features.sources import DataError, Scan, Stager, resolve_sources
from touchline.features.sources.sql import text
from touchline.features.tables.accounts import (
    count_reasons,
    count_tables,
    over_limits,
    period,
    source_accounts,
)
from touchline.features.tables.damage import explained
from touchline.features.tables.machines import mark_machines
from touchline.features.tables.merges import create_absorbed
from touchline.features.tables.notes import find_notes
from touchline.features.tables.outcomes import create_folded
from touchline.features.tables.publish import FORMAT, publish, refused, scratch_for, sha256_of, write_json
from touchline.features.tables.quarantine import (
    create_quarantine,
    set_aside_flawed,
    set_aside_lines,
    set_aside_repeats,
    write_quarantine,
)
from touchline.features.tables.repeats import mark_repeats
from touchline.features.tables.result import CheckResult
from touchline.features.tables.rules import create_checked, create_vocabulary
from touchline.features.tables.typed import select_nothing, select_typed
from touchline.features.tables.workspace import Progress, Workspace, connect
from touchline.features.tables.write import live, write_table
from touchline.playbook import Playbook
from touchline.playbook.contracts import INPUTS, TABLES
from touchline.playbook.data import Source

Routes = list[tuple[Source, Scan]]


def check_tables(
    playbook: Playbook,
    data: str | Path,
    *,
    out: str | Path | None = None,
    memory: str = "1GB",
    now: datetime | None = None,
    progress: Progress = lambda step: None,
) -> CheckResult:
    """Check a user's data against the playbook and write the canonical tables.

    Parameters
    ----------
    playbook
        What was agreed; its `sources` say where each table comes from.
    data
        The folder that the sources' paths start from, or a DuckDB or SQLite file.
    out
        Folder for the seven tables (Parquet, sorted), the quarantine and `manifest.json`. It is replaced as a whole
        once all is well. If too many rows are bad it stays as it was, and the quarantine goes to `<out>.refused`.
    memory
        DuckDB's memory limit. Beyond it data spills to disk beside `out`.
    now
        Facts after this instant lie in the future and are set aside; by default the present.
    progress
        Called with the name of each step.

    Returns
    -------
    CheckResult
        The account of every row. Look at `ok`: it is false if a table exceeds the playbook's limit of bad rows.

    Raises
    ------
    DataError
        If data cannot be read at all, or a required column is missing.
    BusyError
        If another job writes to `out`.
    """
    data, given, out = Path(data), out, Path(out).resolve() if out is not None else None
    if not data.exists():
        raise DataError(str(data), "there is no such folder", "name the folder that holds your data")
    if out is not None and (out == data.resolve() or data.resolve() in out.parents or out in data.resolve().parents):
        raise DataError(str(out), "lies inside the data, or around it", "name a folder beside the data")
    with scratch_for(out) as scratch:
        con = connect(scratch, memory)
        w = Workspace(con, playbook, scratch, now or datetime.now(UTC), progress)
        stager = Stager(con, data, scratch)
        try:
            result = _check(w, stager, data, out)
        except duckdb.Error as error:
            raise explained(error, con, stager, memory) from None
        finally:
            con.close()
    if given is None:
        return result
    place = Path(given) if result.ok else refused(Path(given))
    return replace(result, out=str(given) if result.ok else None, quarantine=str(place / "quarantine.parquet"))


def _check(w: Workspace, stager: Stager, data: Path, out: Path | None) -> CheckResult:
    w.progress("reading the sources")
    routes = [(source, stager.scan(source)) for source in resolve_sources(w.playbook, data)]
    _require_leads(routes, data)
    _create_typed(w, routes)
    create_vocabulary(w)
    create_quarantine(w, routes)
    set_aside_lines(w, routes)
    _hold_against_each_other(w)
    folder = w.scratch / "tables"
    folder.mkdir()
    digests: dict[str, str] = {}
    for table in TABLES:
        w.progress(f"writing {table}")
        digests[table] = sha256_of(write_table(w, table, folder))
    return _conclude(w, routes, folder, digests, out)


def _require_leads(routes: Routes, data: Path) -> None:
    tables = {source.table for source, _ in routes}
    for table in ("leads", "touches"):
        if table not in tables:
            raise DataError(str(data), f"there is no table {table}", f'add `[[sources]]` with `table = "{table}"`')
    leads = [scan for source, scan in routes if source.table == "leads"]
    if not any(scan.rows for scan in leads):
        raise DataError(leads[0].label, "holds no row, so there is nobody to score", "export it again, with its rows")


def _create_typed(w: Workspace, routes: Routes) -> None:
    """One view per input, over all sources that feed it."""
    for name, contract in INPUTS.items():
        attributes = w.attributes(contract)
        selects = [
            select_typed(contract, attributes, source, position, scan, time_zone=w.playbook.time_zone, now=w.now)
            for position, (source, scan) in enumerate(routes)
            if source.table == name
        ]
        rows = " UNION ALL BY NAME ".join(selects) or select_nothing(contract, attributes)
        if any(source.table == name and scan.is_text for source, scan in routes):
            w.progress(f"reading {name}")
            rows = _settled(w, name, rows)
        w.con.execute(f"CREATE VIEW typed_{name} AS {rows}")


def _settled(w: Workspace, name: str, rows: str) -> str:
    """The typed rows, written down once: reading times and numbers from text is dear, and rows are scanned often."""
    target = text(w.scratch / f"typed-{name}.parquet")
    w.con.execute(f"COPY ({rows}) TO {target} (FORMAT parquet, COMPRESSION lz4)")
    return f"FROM read_parquet({target})"


def _hold_against_each_other(w: Workspace) -> None:
    """Checks, repeats, machines and merges, in the order in which they need each other."""
    for table in ("leads", "accounts", "assets", "merges", "touches", "deals", "stages", "changes", "outcomes"):
        w.progress(f"checking {table}")
        create_checked(w, table)
        set_aside_flawed(w, table)
        mark_repeats(w, table)
        if table == "leads":
            w.con.execute(f"CREATE TEMP TABLE lead_times AS SELECT lead_id, created_at FROM {live(w, 'leads')}")
        elif table == "accounts":
            w.con.execute(f"CREATE TEMP TABLE account_ids AS SELECT account_id FROM {live(w, 'accounts')}")
        elif table == "assets":
            w.con.execute(
                "CREATE TEMP TABLE asset_topics AS SELECT asset, coalesce(t.name, topic) AS topic "
                f"FROM {live(w, 'assets')} LEFT JOIN topic_words t ON topic = t.raw"
            )
        elif table == "merges":
            create_absorbed(w)
        elif table == "touches":
            w.progress("finding link scanners")
            mark_machines(w)
        elif table == "outcomes":
            create_folded(w)
        set_aside_repeats(w, table)


def _conclude(w: Workspace, routes: Routes, folder: Path, digests: dict[str, str], out: Path | None) -> CheckResult:
    tables = count_tables(w, folder)
    reasons = count_reasons(w)
    first, last = period(w, folder)
    sources = source_accounts(w, routes, tables)
    over = over_limits(w.playbook, sources, reasons)
    content = "\n".join(f"{name} {digest}" for name, digest in sorted(digests.items()))
    result = CheckResult(
        playbook=w.playbook.name,
        playbook_digest=w.playbook.digest,
        data_digest=hashlib.sha256(content.encode()).hexdigest(),
        sources=sources,
        tables=tables,
        reasons=reasons,
        notes=find_notes(w, routes, folder),
        deals=_deals_by_outcome(w, folder),
        first=first,
        last=last,
        over_limit=over,
    )
    if out is not None:
        _put_in_place(w, result, folder, digests, out if result.ok else refused(out))
    return result


def _deals_by_outcome(w: Workspace, folder: Path) -> dict[str, int]:
    counted = w.con.execute(
        f"SELECT coalesce(outcome, 'open'), count(*) FROM read_parquet({text(folder / 'deals.parquet')}) GROUP BY 1"
    ).fetchall()
    return {"won": 0, "lost": 0, "open": 0, **{str(outcome): int(n) for outcome, n in counted}}


def _put_in_place(w: Workspace, result: CheckResult, folder: Path, digests: dict[str, str], place: Path) -> None:
    w.progress("putting the tables in place")
    if not result.ok:
        for file in folder.iterdir():
            file.unlink()
    write_quarantine(w, folder / "quarantine.parquet")
    write_json(folder / "playbook.json", w.playbook.model_dump(mode="json"))
    manifest = {
        "format": FORMAT,
        "touchline": touchline.__version__,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "tables": {
            t.name: {"file": f"{t.name}.parquet", "rows": t.rows, "sha256": digests[t.name]}
            for t in (result.tables if result.ok else ())
        },
        "result": result.to_dict(),
    }
    publish(folder, place, manifest)
    if result.ok:
        shutil.rmtree(refused(place), ignore_errors=True)  # what was refused before is of no use any more
