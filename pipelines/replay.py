"""Replaying a day: what sales would have seen, from what was known then, by the model that scored then.

The model is that of the batch published as of that instant, or else the champion of that time. Before there was one, a
model is trained as it could have been trained that day: on rows whose windows were over, and known, by then.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from touchline.features import Catalog, DataError, build_training_set
from touchline.features.catalog import Age
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Progress
from touchline.models.errors import ModelError
from touchline.models.judging import capacity_per_date
from touchline.models.registry import LoadedModel
from touchline.models.scale import Scale
from touchline.models.scorer import LeadScorer
from touchline.pipelines.score import lineage_of, parts_of, scores_before, scratch_beside
from touchline.playbook import Playbook
from touchline.serve.batch.output import Output
from touchline.serve.batch.scoring import Earlier, Scoring
from touchline.serve.store import Store

if TYPE_CHECKING:
    from touchline.models.registry import Registry
    from touchline.serve.store import Batch

How = Literal["published", "champion", "back-test"]


@dataclass(frozen=True)
class Parity:
    """How a replay compares with what was published.

    Attributes
    ----------
    leads, missing, further
        In both; published only; replayed only.
    differences
        Leads whose score differs by more than 1e-9.
    largest
        The largest difference of scores.
    """

    leads: int
    missing: int
    further: int
    differences: int
    largest: float

    @property
    def same(self) -> bool:
        """Whether sales saw what the replay gives."""
        return not (self.missing or self.further or self.differences)


@dataclass(frozen=True)
class Outcome:
    """What came of the leads since: wins expected and won, and how many of them among the leads that sales can call."""

    leads: int
    expected: float
    won: int
    called: int
    called_won: int


@dataclass(frozen=True)
class Replayed:
    """A day as it was.

    Attributes
    ----------
    as_of, how, version
        When, by what model: of the published batch, the champion of that time, or one trained as if on that day.
    leads
        How many were scored.
    parity
        Beside the published batch; None if there is none.
    outcome
        None while windows are not over, or nothing was learned that may be called a chance.
    out
        The folder of files, if one was asked for.
    """

    as_of: datetime
    how: How
    version: int
    leads: int
    parity: Parity | None
    outcome: Outcome | None
    out: Path | None

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        parity = {**asdict(self.parity), "same": self.parity.same} if self.parity else None
        return {
            "ok": self.parity is None or self.parity.same,
            "as_of": self.as_of.isoformat(),
            "how": self.how,
            "version": self.version,
            "leads": self.leads,
            "parity": parity,
            "outcome": asdict(self.outcome) if self.outcome else None,
            "out": str(self.out) if self.out else None,
        }


def replay(
    tables: Tables,
    playbook: Playbook,
    registry: Registry,
    store: Store,
    as_of: datetime,
    *,
    playbook_text: str,
    catalog: Catalog | None = None,
    out: Path | None = None,
    language: str | None = None,
    memory: str = "2GB",
    progress: Progress = lambda step: None,
) -> Replayed:
    """Score a day again; nothing is published. Parameters are those of `score`.

    Raises
    ------
    DataError
        If nothing was known then to score or to learn from.
    ModelError
        If the model of that day is gone or damaged.
    """
    catalog = catalog or Catalog.default(playbook)
    batch = store.published(as_of)
    how, model = _model_then(tables, playbook, catalog, registry, batch, as_of, memory, progress)
    earlier = None if batch is None else _earlier_of(batch, registry, model)
    scoring = Scoring(tables, playbook, catalog, model, as_of, earlier, memory)
    found: list[pa.Table] = []
    with scratch_beside(out) as scratch:
        files = None
        if out is not None:
            lineage = lineage_of(scoring, playbook_text)
            spoken = language or playbook.languages[0]
            files = Output(out, scratch / "files", lineage, scoring.explaining.grouping, catalog, spoken)
        for part in parts_of(scoring, scratch, scores_before(store), progress):
            found.append(part.scores.select(["lead_id", "score", "probability"]))
            if files is not None:
                files.add(part)
        if files is not None:
            files.finish()
    scores = pa.concat_tables(found)
    parity = None if batch is None else _compare(scores, store, batch)
    progress("looking what came of it")
    return Replayed(as_of, how, model.version, len(scores), parity, _outcome(scores, tables, playbook, as_of), out)


def _model_then(
    tables: Tables,
    playbook: Playbook,
    catalog: Catalog,
    registry: Registry,
    batch: Batch | None,
    as_of: datetime,
    memory: str,
    progress: Progress,
) -> tuple[How, LoadedModel]:
    if batch is not None:
        return "published", registry.load(int(batch.lineage.version))
    history = registry.history() if registry.aliases() else []
    then = [entry.version for entry in history if entry.when is not None and entry.when <= as_of]
    if then:
        return "champion", registry.load(then[-1])
    progress("training as if on that day")
    return "back-test", trained_as_of(tables, playbook, catalog, as_of, memory=memory)


def trained_as_of(
    tables: Tables, playbook: Playbook, catalog: Catalog, as_of: datetime, *, memory: str = "2GB"
) -> LoadedModel:
    """A model as it could have been trained on a day: on rows whose windows were over, and known, by then.

    Raises
    ------
    DataError
        If there were none.
    """
    outcome = playbook.outcome
    training = build_training_set(
        tables, playbook, catalog=catalog, last=as_of - outcome.gap - outcome.horizon, memory=memory
    )
    over = as_of - outcome.gap - outcome.horizon - timedelta(days=training.manifest["windows"]["label_lag_days"])
    training = training.take((training.as_of <= over).to_numpy())
    if not len(training):
        raise DataError("the data", f"had nothing to learn from by {as_of:%Y-%m-%d}", "replay a later day")
    scorer = LeadScorer(small_data=playbook.small_data)
    scorer.fit(training.X[catalog.names], training.y, **training.fit_parameters)
    return LoadedModel(
        scorer.model_, Scale(), "back-test", 0, f"trained as of {as_of.isoformat()}", "", playbook.digest,
        training.digest, "",
    )  # fmt: skip


def _earlier_of(batch: Batch, registry: Registry, model: LoadedModel) -> Earlier | None:
    """What the published batch told its changes against."""
    told = batch.lineage.meta.get("earlier")
    if told is None:
        return None
    try:
        before = model if told["version"] == model.version else registry.load(int(told["version"]))
    except ModelError:
        return None
    return Earlier(datetime.fromisoformat(told["as_of"]), before)


def _compare(scores: pa.Table, store: Store, batch: Batch) -> Parity:
    published = store.numbers(batch.id)
    place = pc.index_in(published["lead_id"], scores["lead_id"].combine_chunks())
    both = place.is_valid()
    mine = scores["score"].take(place.drop_null()).to_numpy()
    other = published["score"].filter(both).to_numpy()
    apart = np.abs(mine - other)
    common = len(apart)
    return Parity(
        common, len(published) - common, len(scores) - common, int((apart > 1e-9).sum()), float(apart.max(initial=0.0))
    )


def _outcome(scores: pa.Table, tables: Tables, playbook: Playbook, as_of: datetime) -> Outcome | None:
    """What came of the leads, if their windows are over."""
    rows = pa.table({
        "lead_id": scores["lead_id"],
        "as_of": pa.array([as_of] * len(scores), pa.timestamp("us", "UTC")),
    })  # fmt: skip
    try:
        labels = build_training_set(tables, playbook, catalog=Catalog(playbook, [Age()]), rows=rows)
    except DataError:
        return None
    known = labels.arrow(["lead_id", "won"])
    of = scores.take(pc.index_in(known["lead_id"], scores["lead_id"].combine_chunks()))
    chance, won = of["probability"].to_numpy(), known["won"].to_numpy()
    most = capacity_per_date(playbook, pd.Series([as_of]))
    called = np.argsort(-chance, kind="stable")[: round(most if most >= 1 else most * len(won))]
    return Outcome(len(won), float(chance.sum()), int(won.sum()), len(called), int(won[called].sum()))
