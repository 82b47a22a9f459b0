"""The training job: from checked tables to a model in the registry, judged beside what people use today."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touchline.features import Catalog, TrainingSet, build_training_set
from touchline.features.audit import Audit, audit
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Progress
from touchline.models.baselines import Baseline, BaseRate, FitEngagement, OdooPLS, Points
from touchline.models.judging import OURS, Judged, bound, judge, split_by_time
from touchline.models.scorer import LeadScorer, ScoringModel
from touchline.playbook import Playbook, load_playbook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from touchline.models.registry import Registry, TrainingRecord, Version
    from touchline.models.tuning import Tuned


@dataclass(frozen=True)
class Trained:
    """What a training came to.

    Attributes
    ----------
    audit
        What the leakage audit found; if it blocks, nothing was trained.
    training
        Manifest of the training set.
    judged
        The model and how good it is; None if the audit blocked.
    version
        Where the model is registered; None if it was not.
    seconds
        How long all of it took.
    tuned
        What the search for settings came to; None if none was asked for.
    """

    audit: Audit
    training: dict[str, Any]
    judged: Judged | None
    version: Version | None
    seconds: float
    tuned: Tuned | None = None

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        found: dict[str, Any] = {
            "ok": self.judged is not None,
            "audit": self.audit.to_dict(),
            "training": {k: v for k, v in self.training.items() if k not in ("features", "counts")},
            "seconds": round(self.seconds, 1),
        }
        if self.judged is not None:
            found["choice"] = self.judged.choice.to_dict()
            found["rung"] = self.judged.model.rung.value
            found["comparison"] = self.judged.comparison.to_dict()
        if self.tuned is not None:
            found["tuning"] = self.tuned.to_dict()
        if self.version is not None:
            found["model"] = asdict(self.version)
        return found


def train(
    tables: Tables,
    playbook_file: Path,
    registry: Registry,
    *,
    catalog: Catalog | None = None,
    memory: str = "2GB",
    seed: int = 0,
    tune: timedelta | None = None,
    study: Path | None = None,
    progress: Progress = lambda step: None,
) -> Trained:
    """Build, audit, split, tune if asked to, fit, calibrate, compare, log, and register as challenger.

    Parameters
    ----------
    tables, playbook_file, registry
        What to learn from, what was agreed on, and where the model goes.
    catalog
        The model's features; by default those that follow from the playbook.
    memory
        What building may use.
    seed
        The same data and seed give the same model, unless it is tuned.
    tune, study
        Time to search settings of the trees in, and the file that keeps the search (see `touchline.models.tuning`).
    progress
        Told what is under way.

    Raises
    ------
    DataError
        If there is nothing to learn from, or nothing later to be judged by.
    ModelError
        If the champion, which is to steady the new model, is damaged.
    TuningError
        If Optuna is not installed, or `study` is another's.
    """
    started = time.monotonic()
    playbook = load_playbook(playbook_file)
    catalog = catalog or Catalog.default(playbook)
    baselines = all_baselines(playbook, tables)
    with tempfile.TemporaryDirectory(prefix="touchline-train-") as scratch:
        training = build_training_set(
            tables, playbook, catalog=with_baselines(catalog, baselines), out=Path(scratch) / "set", memory=memory,
            progress=progress,
        )  # fmt: skip
        own = training.select(catalog.names)
        progress("looking for leaks")
        found = audit(tables, playbook, catalog=catalog, training=own, seed=seed, progress=progress)
        if found.blocked:
            return Trained(found, own.manifest, None, None, time.monotonic() - started)
        before = champion_and_twin(registry)
        scorer, tuned = LeadScorer(small_data=playbook.small_data, random_state=seed), None
        if tune is not None:
            tuned = _tuned(scorer, training, catalog.names, tune, study, progress)
            scorer.set_params(settings=tuned.settings)
        judged = judge(
            training, playbook, features=list(catalog.names), baselines=baselines, before=before, scorer=scorer,
            progress=progress,
        )  # fmt: skip
        if tuned is not None:
            model, twin = (
                replace(m, facts={**m.facts, "tuning": tuned.to_dict()}) for m in (judged.model, judged.twin)
            )
            judged = replace(judged, model=model, twin=twin)
        progress("writing to the registry")
        seconds = time.monotonic() - started
        version = registry.log(_record(judged, own, playbook, playbook_file, found, seconds))
    return Trained(found, own.manifest, judged, version, time.monotonic() - started, tuned)


def _tuned(
    scorer: LeadScorer,
    training: TrainingSet,
    names: Sequence[str],
    budget: timedelta,
    study: Path | None,
    progress: Progress,
) -> Tuned:
    """Search on the earlier rows only: settings that had seen the later ones would flatter the model there."""
    from touchline.models.tuning import tune

    early, _ = split_by_time(training)
    scorer = bound(scorer, training, names)
    features = early.X[list(names)]
    return tune(
        features, early.y, **early.fit_parameters, scorer=scorer, budget=budget, study=study,
        seed=scorer.random_state, progress=progress,
    )  # fmt: skip


def all_baselines(playbook: Playbook, tables: Tables) -> list[Baseline]:
    """What people use today, in the order of tables."""
    return [
        BaseRate(),
        Points(playbook),
        FitEngagement(playbook),
        OdooPLS(playbook),
        OdooPLS(playbook, form="as_shipped", tables=tables),
    ]


def with_baselines(catalog: Catalog, baselines: list[Baseline]) -> Catalog:
    """The catalogue and what the baselines need besides."""
    wanted = {f.name: f for baseline in baselines for f in baseline.features if f.name not in catalog}
    return catalog.add(*wanted.values())


def champion_and_twin(registry: Registry) -> tuple[ScoringModel, ScoringModel] | None:
    """The models of the champion and of its twin; None if there is no champion."""
    version = registry.aliases().get("champion")
    if version is None:
        return None
    return registry.load(version).model, registry.load_twin(version).model


def _record(
    judged: Judged, training: TrainingSet, playbook: Playbook, playbook_file: Path, found: Audit, seconds: float
) -> TrainingRecord:
    from touchline.models.registry import TrainingRecord

    return TrainingRecord(
        model=judged.model,
        twin=judged.twin,
        judged_from=judged.test_from,
        training=training.manifest,
        playbook=playbook,
        playbook_text=playbook_file.read_text(encoding="utf-8"),
        comparison=judged.comparison,
        scored_as=OURS,
        audit=found,
        seconds=seconds,
        notes=judged.notes,
    )
