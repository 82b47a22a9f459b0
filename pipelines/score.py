"""The nightly job: every open lead scored and explained, published once, as a whole."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

import touchline
from touchline.features import Catalog
from touchline.features.tables import Tables
from touchline.features.tables.publish import locked, recover
from touchline.features.tables.workspace import Progress
from touchline.models.errors import ModelError
from touchline.models.registry import CHAMPION
from touchline.playbook import Playbook
from touchline.serve.batch.insight import with_insight
from touchline.serve.batch.meta import meta_of
from touchline.serve.batch.output import Output, refuse_other
from touchline.serve.batch.parts import People, Standings, part_of, placed
from touchline.serve.batch.scoring import Earlier, Scoring
from touchline.serve.batch.spool import Spool
from touchline.serve.store import AlreadyPublished, Lineage, Store
from touchline.serve.store.shapes import Part

if TYPE_CHECKING:
    from touchline.models.registry import LoadedModel, Registry
    from touchline.serve.store import Batch

_TREND = timedelta(weeks=4)
_INSIGHT = 20_000
"""Leads, the likeliest first, for which moments and what to share are looked up: more than any team calls."""


@dataclass(frozen=True)
class Scored:
    """What a night came to.

    Attributes
    ----------
    batch
        The published batch.
    is_new
        False if the same batch was there already, so that nothing was done.
    handed_over
        Leads that went over to sales now.
    out
        The folder of files, if one was asked for.
    seconds
        How long it took.
    """

    batch: Batch
    is_new: bool
    handed_over: int
    out: Path | None
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        of = self.batch.lineage
        return {
            "ok": True,
            "batch": self.batch.id,
            "as_of": of.as_of.isoformat(),
            "leads": self.batch.rows,
            "model": of.model,
            "version": of.version,
            "model_digest": of.model_digest,
            "input_digest": of.input_digest,
            "is_new": self.is_new,
            "handed_over": self.handed_over,
            "out": str(self.out) if self.out else None,
            "seconds": round(self.seconds, 1),
        }


def score(
    tables: Tables,
    playbook: Playbook,
    registry: Registry,
    store: Store,
    *,
    playbook_text: str,
    as_of: datetime | None = None,
    which: str | int = CHAMPION,
    catalog: Catalog | None = None,
    out: Path | None = None,
    language: str | None = None,
    revise: bool = False,
    memory: str = "2GB",
    progress: Progress = lambda step: None,
) -> Scored:
    """Score and explain every open lead, publish the batch, and hand over as many as sales can take.

    Parameters
    ----------
    tables, playbook, playbook_text
        What is known, what was agreed on, and the agreement's file as it is.
    registry, which
        Where models are, and which scores; an alias is resolved once.
    store
        Where the batch goes; the one before it there is what changes are told against.
    as_of
        By default the end of the data.
    catalog
        The features that the model was trained with, if not the playbook's default ones.
    out
        Folder for the batch as files, Parquet and CSV; none by default.
    language
        Of the reasons in the CSV; the playbook's first by default.
    revise
        Whether it may take the place of a batch of the same instant and model that was made from other data.
    memory
        What building features may use.

    Raises
    ------
    DataError
        If there is no lead to score.
    ModelError
        If there is no such model, or it is damaged.
    StoreError
        If a batch of the same instant and model was made from other data, without `revise`.
    BusyError
        If another job writes a batch.
    """
    began = time.monotonic()
    as_of = as_of or datetime.fromisoformat(tables.manifest["result"]["last"])
    catalog = catalog or Catalog.default(playbook)
    model = registry.load(which)
    scoring = Scoring(tables, playbook, catalog, model, as_of, _earlier(store, registry, model, as_of), memory)
    progress("making the model ready")
    lineage = lineage_of(scoring, playbook_text)
    try:
        with store.new_batch(lineage, revise=revise) as staged, scratch_beside(out) as scratch:
            files = None
            if out is not None:
                spoken = language or playbook.languages[0]
                files = Output(out, scratch / "files", lineage, scoring.explaining.grouping, catalog, spoken)
            best = _Best(playbook, scoring)
            for part in parts_of(scoring, scratch, scores_before(store), progress):
                staged.add(part)
                best.look_at(part)
                if files is not None:
                    files.add(part)
            progress("publishing")
            if files is not None:
                files.finish()
            batch = staged.publish()
    except AlreadyPublished as same:
        return Scored(same.batch, False, 0, None, time.monotonic() - began)
    handed = store.hand_over(best.chosen(store), batch.id, playbook, by="job")
    store.expire(datetime.now(UTC), playbook)
    return Scored(batch, True, handed, out, time.monotonic() - began)


def _earlier(store: Store, registry: Registry, model: LoadedModel, as_of: datetime) -> Earlier | None:
    """The newest batch of this model's name before `as_of`, and the model that scored it; None if either is gone."""
    batch = store.latest(model.name, before=as_of)
    if batch is None:
        return None
    same = batch.lineage.version == str(model.version)
    try:
        return Earlier(batch.lineage.as_of, model if same else registry.load(int(batch.lineage.version)))
    except ModelError:
        return None  # it was deleted: what changed can no longer be told


def lineage_of(scoring: Scoring, playbook_text: str) -> Lineage:
    """What the batch is made from."""
    model = scoring.model
    parts = (scoring.tables.digest, scoring.playbook.digest, scoring.catalog.digest)
    return Lineage(
        as_of=scoring.as_of,
        model=model.name,
        version=str(model.version),
        input_digest=hashlib.sha256(" ".join(parts).encode()).hexdigest(),
        model_digest=model.digest,
        playbook_digest=scoring.playbook.digest,
        catalog_digest=scoring.catalog.digest,
        run_id=model.run_id,
        code_version=touchline.__version__,
        scored_at=datetime.now(UTC),
        meta=meta_of(scoring, playbook_text, scoring.tables),
    )


Before = Callable[[pa.ChunkedArray, datetime], NDArray[np.float64]]
"""Gives leads' scores as of about an instant; NaN where there was none."""


def scores_before(store: Store) -> Before:
    """Earlier scores, as they were published."""
    return lambda leads, as_of: store.score_before(leads, as_of).score


def parts_of(scoring: Scoring, scratch: Path, before: Before, progress: Progress) -> Iterator[Part]:
    """All leads, part by part, once it is known where each stands among all."""
    spool, people = Spool(scratch / "spool"), People.of(scoring.tables)
    zone = ZoneInfo(scoring.playbook.time_zone) if scoring.playbook.time_zone else UTC
    since = scoring.earlier.as_of if scoring.earlier else None
    log_odds: list[NDArray[np.float64]] = []
    for explained, *touched in scoring.run(scratch, progress):
        spool.write(part_of(explained, *touched, people, earlier=since, zone=zone))
        log_odds.append(explained.log_odds)
    everybody = np.concatenate(log_odds)
    standings = Standings.among(everybody, scoring.model.model.facts.get("standing"))
    worth = float(np.sort(everybody)[-_INSIGHT:][0])
    for part in spool.read():
        progress("looking for moments, and what to share")
        known = before(part.scores["lead_id"], scoring.as_of - _TREND)
        whole = with_insight(placed(part, standings, known), scoring, worth)
        progress("writing")
        yield whole


class _Best:
    """Which leads go over to sales: the likeliest, as many as it can take until the next batch."""

    def __init__(self, playbook: Playbook, scoring: Scoring) -> None:
        self._playbook = playbook
        days = 7.0 if scoring.earlier is None else (scoring.as_of - scoring.earlier.as_of) / timedelta(days=1)
        capacity = playbook.handoff.capacity
        self._most = None
        if capacity is not None:
            self._most = round(capacity.people * capacity.per_person_per_week * min(days, 7) / 7)
        self._found: list[pa.Table] = []

    def look_at(self, part: Part) -> None:
        """Keep those of a part that may be among the best."""
        self._found.append(part.scores.select(["lead_id", "probability"]))

    def chosen(self, store: Store) -> list[str]:
        """The leads to hand over, the likeliest first; those that were handed over before are not again."""
        table = pa.concat_tables(self._found).sort_by([("probability", "descending"), ("lead_id", "ascending")])
        threshold = self._playbook.handoff.threshold
        if threshold is not None:
            table = table.filter(pc.greater_equal(table["probability"], threshold))
        known = pa.array([handoff.lead_id for handoff in store.handoffs()], pa.string())
        fresh = table.filter(pc.invert(pc.is_in(table["lead_id"], known)))["lead_id"]
        return fresh.slice(0, self._most).to_pylist()


@contextmanager
def scratch_beside(out: Path | None) -> Iterator[Path]:
    """A folder to work in; beside `out`, which is held meanwhile, if there is one."""
    if out is None:
        with tempfile.TemporaryDirectory(prefix="touchline-score-") as folder:
            yield Path(folder)
        return
    out = out.resolve()
    refuse_other(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with locked(out):
        recover(out)
        scratch = out.parent / f".{out.name}.scratch"
        scratch.mkdir()
        try:
            yield scratch
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
