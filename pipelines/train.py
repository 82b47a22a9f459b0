"""The training job: from checked tables to a model in the registry, judged beside what people use today."""

from __future__ import annotations

import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touchline.features import Catalog, TrainingSet, build_training_set
from touchline.features.audit import Audit, audit
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Progress
from touchline.models.baselines import Baseline, BaseRate, FitEngagement, OdooPLS, Points
from touchline.models.judging import OURS, Judged, judge
from touchline.models.scorer import LeadScorer, ScoringModel
from touchline.playbook import Playbook, load_playbook

if TYPE_CHECKING:
    from touchline.models.registry import Registry, TrainingRecord, Version


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
    """

    audit: Audit
    training: dict[str, Any]
    judged: Judged | None
    version: Version | None
    seconds: float

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
    progress: Progress = lambda step: None,
) -> Trained:
    """Build, audit, split, fit, calibrate, compare, log, and register as challenger.

    Raises
    ------
    DataError
        If there is nothing to learn from, or nothing later to be judged by.
    ModelError
        If the champion, which is to steady the new model, is damaged.
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
        judged = judge(
            training, playbook, features=list(catalog.names), baselines=baselines, before=before,
            scorer=LeadScorer(small_data=playbook.small_data, random_state=seed), progress=progress,
        )  # fmt: skip
        progress("writing to the registry")
        seconds = time.monotonic() - started
        version = registry.log(_record(judged, own, playbook, playbook_file, found, seconds))
    return Trained(found, own.manifest, judged, version, time.monotonic() - started)


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
