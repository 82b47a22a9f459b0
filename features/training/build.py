"""Building training and scoring sets: one path from canonical tables to features, whatever the rows and the engine."""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touchline.features.catalog import Catalog
from touchline.features.engines.local import LocalEngine
from touchline.features.engines.prepare import prepare
from touchline.features.snapshots.draw import (
    Windows,
    count_statuses,
    create_snapshots,
    draw_grid,
    open_leads,
    windows,
)
from touchline.features.snapshots.given import digest_of, draw_given, given_rows
from touchline.features.snapshots.grid import Every, as_of_dates
from touchline.features.sources import DataError
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Progress, Workspace, connect
from touchline.features.training.manifest import Missing, make_manifest
from touchline.features.training.order import Engine, Order
from touchline.features.training.sets import ScoringSet, TrainingSet
from touchline.features.training.store import Store, place_for
from touchline.playbook import Playbook

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    GivenRows = pd.DataFrame | pa.Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def build_training_set(
    tables: Tables | str | Path,
    playbook: Playbook,
    *,
    catalog: Catalog | None = None,
    rows: GivenRows | None = None,
    every: Every | None = None,
    first: datetime | None = None,
    last: datetime | None = None,
    out: str | Path | None = None,
    engine: Engine | None = None,
    memory: str = "2GB",
    progress: Progress = lambda step: None,
) -> TrainingSet:
    """Build a training set: every eligible lead on every as-of date whose window is over, with features and labels.

    Parameters
    ----------
    tables
        Canonical tables, or the folder they are in.
    playbook
        Says what a win is, who is eligible, and how far as-of dates are apart.
    catalog
        The features; by default `Catalog.default(playbook)`.
    rows
        Rows of one's own instead of the playbook's grid: a frame of `lead_id` and `as_of`. Whom to look at is then up
        to you; rows that are immature or already closed are still left out, and counted.
    every, first, last
        Another grid than the playbook's, or only a part of it.
    out
        Folder for the set, as Parquet; what is in memory otherwise. A job that was killed goes on where it stopped.
    engine
        By default a `LocalEngine` within `memory`.
    memory
        What the job may use; beyond it data goes to disk.

    Returns
    -------
    TrainingSet
        Look at `.X`, `.y`, `.weights`, `.groups`, `.as_of`; it shows itself in a notebook.

    Raises
    ------
    DataError
        If there is nothing to learn from: no row is mature, or rows cannot be used.
    CatalogError
        If a feature does not fit the playbook.
    BusyError
        If another job writes to `out`.
    """
    tables = tables if isinstance(tables, Tables) else Tables.open(tables)
    catalog = catalog or Catalog.default(playbook)
    asked: dict[str, Any] = {"every": every or playbook.snapshots.every}
    asked |= {name: _instant(t).isoformat() for name, t in (("first", first), ("last", last)) if t is not None}
    given = given_rows(rows) if rows is not None else None
    if given is not None:
        asked = {"given": digest_of(given)}

    def draw(w: Workspace, spans: Windows) -> None:
        if given is not None:
            draw_given(w, given)
        else:
            begin = _instant(first) if first else _first_fact(tables)
            end = _instant(last) if last else spans.data_end
            draw_grid(w, tables, as_of_dates(begin, end, every or playbook.snapshots.every))

    order = Order("training", catalog, asked, draw, *_means(engine, memory))
    manifest, folder, held = _build(tables, playbook, order, out, progress)
    return TrainingSet(manifest, folder, held)


def build_scoring_set(
    tables: Tables | str | Path,
    playbook: Playbook,
    as_of: datetime | date,
    *,
    catalog: Catalog | None = None,
    leads: Sequence[str] | None = None,
    known_before: datetime | None = None,
    out: str | Path | None = None,
    engine: Engine | None = None,
    memory: str = "2GB",
    progress: Progress = lambda step: None,
) -> ScoringSet:
    """Build the set of leads to score as of an instant, by the same code that builds training sets.

    Rows are those a training set would have on that date, had it been known only what was known then; `leads` asks for
    these alone, eligible or not. A row here and the row of a training set as of the same instant are the same bits.

    With `known_before`, an earlier instant, touches, stages and changes that became known then or later are left out:
    the difference to the rows as of `known_before` is what the passing of time alone did.

    Raises
    ------
    DataError
        If a lead does not exist, or `as_of` has no zone.
    """
    tables = tables if isinstance(tables, Tables) else Tables.open(tables)
    catalog = catalog or Catalog.default(playbook)
    moment = _instant(as_of)
    asked: dict[str, Any] = {"as_of": moment.isoformat()}
    if leads is not None:
        asked["leads"] = hashlib.sha256("\n".join(sorted(leads)).encode()).hexdigest()
    cut = None
    if known_before is not None:
        asked["known_before"] = _instant(known_before).isoformat()
        cut = (_instant(known_before) - _EPOCH) // timedelta(microseconds=1)

    def draw(w: Workspace, spans: Windows) -> None:
        del spans
        if leads is None:
            draw_grid(w, tables, [moment])
        else:
            import pyarrow as pa

            times = pa.array([moment] * len(leads), pa.timestamp("us", "UTC"))
            draw_given(w, given_rows(pa.table({"lead_id": pa.array(list(leads), pa.string()), "as_of": times})))

    order = Order("scoring", catalog, asked, draw, *_means(engine, memory), known_before=cut)
    manifest, folder, held = _build(tables, playbook, order, out, progress)
    return ScoringSet(manifest, folder, held)


def _build(
    tables: Tables, playbook: Playbook, order: Order, out: str | Path | None, progress: Progress
) -> tuple[dict[str, Any], Path | None, pa.Table | None]:
    place = Path(out).resolve() if out is not None else None
    with _scratch(place) as scratch:
        con = connect(scratch, f"{order.memory * 2 // 5 >> 20}MiB")
        w = Workspace(con, playbook, scratch, datetime.now(UTC), progress)
        try:
            return _build_in(w, tables, order, Path(out) if out is not None else None, place)
        finally:
            con.close()


def _build_in(
    w: Workspace, tables: Tables, order: Order, given: Path | None, place: Path | None
) -> tuple[dict[str, Any], Path | None, pa.Table | None]:
    w.progress("drawing snapshots")
    open_leads(w, tables)
    spans = windows(w, tables)
    order.draw(w, spans)
    create_snapshots(w, tables, spans, scoring=order.kind == "scoring")
    counts = count_statuses(w)
    _keep(w, order, spans)
    w.progress("making ready")
    prepared = prepare(w, tables, order.catalog, known_before=order.known_before)
    manifest = make_manifest(w, tables, order, spans, counts)
    missing = Missing(order.catalog.names)
    labels = order.kind == "training"
    if place is None:
        import pyarrow as pa

        parts: list[pa.Table] = []
        for _, rows in order.engine.run(w, tables, prepared, labels=labels):
            missing.add(rows)
            parts.append(rows)
        missing.into(manifest)
        return manifest, None, pa.concat_tables(parts).unify_dictionaries()
    edges = order.engine.edges(w, tables, prepared)
    store = Store(place, {"digest": manifest["digest"], "edges": [int(e) for e in edges], "engine": order.engine.name})
    for part, rows in order.engine.run(w, tables, prepared, labels=labels, done=store.done):
        store.write(part, rows)
    from pyarrow import parquet

    for file in store.parts():
        missing.add(parquet.read_table(file, columns=order.catalog.names))
    missing.into(manifest)
    manifest["parts"] = [file.name for file in store.parts()]
    w.progress("putting the set in place")
    store.finish(manifest)
    return manifest, given, None


def _keep(w: Workspace, order: Order, spans: Windows) -> None:
    """Leave in `snapshots` the rows that the set is to hold."""
    kept = "('won', 'not_won')" if order.kind == "training" else "('won', 'not_won', 'immature')"
    if "leads" not in order.rows:
        w.con.execute(f"DELETE FROM snapshots WHERE status NOT IN {kept}")
    if w.count("SELECT count(*) FROM snapshots"):
        return
    if order.kind == "scoring":
        raise DataError("the data", "has no lead to score as of then", "name an as_of at which leads are active")
    raise DataError(
        "the data",
        f"has no row to learn from: windows must be over by {spans.data_end:%Y-%m-%d}, so that the last as_of is "
        f"{spans.mature_until:%Y-%m-%d}",
        "bring more history, shorten `horizon`, or lengthen `active_within` in the playbook",
    )


@contextmanager
def _scratch(place: Path | None) -> Iterator[Path]:
    if place is not None:
        with place_for(place) as scratch:
            yield scratch
        return
    with tempfile.TemporaryDirectory(prefix="touchline-") as folder:
        yield Path(folder)


def _means(engine: Engine | None, memory: str) -> tuple[Engine, int]:
    """The engine, and the bytes that the job may use. DuckDB gets two fifths of it, a partition as much."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([MGT])(i?)B", memory)
    if match is None:
        raise ValueError(f"{memory!r} is no amount of memory; write it as 2GB")
    size = int(float(match[1]) * (1024 if match[3] else 1000) ** {"M": 2, "G": 3, "T": 4}[match[2]])
    return engine or LocalEngine(memory=size * 2 // 5), size


def _instant(moment: datetime | date) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), UTC)
    if moment.tzinfo is None:
        raise DataError("as_of", "has no time zone", "give one, such as datetime(2024, 1, 1, tzinfo=UTC)")
    return moment.astimezone(UTC)


def _first_fact(tables: Tables) -> datetime:
    return datetime.fromisoformat(tables.manifest["result"]["first"])
