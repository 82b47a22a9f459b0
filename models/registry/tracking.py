"""Writing a finished training into the store: a run with everything that led to the model, and the model itself."""

from __future__ import annotations

import json
import math
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import touchline
from touchline.features.audit import Audit
from touchline.models.artifact import save_model
from touchline.models.evaluation import METRICS, Comparison
from touchline.models.registry.card import ModelCard, model_card
from touchline.models.registry.loading import (
    DIGEST,
    DOUBLE,
    PLAYBOOK,
    REFERENCE,
    RELEASE,
    SCORER,
    TRAINING,
    TWIN,
    TWIN_DIGEST,
    TWIN_FROM,
)
from touchline.models.registry.store import Store
from touchline.models.scale import Scale
from touchline.models.scorer.model import ScoringModel
from touchline.playbook import Playbook

if TYPE_CHECKING:
    from mlflow.entities import DatasetInput, LoggedModel

PICTURES = ("reliability", "gain", "lift", "calibration_over_time", "scores")
_PACKAGES = ("duckdb", "lightgbm", "mlflow", "numba", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
_DIGEST_KEPT = 36
"""Characters that MLflow keeps of a dataset's digest; the whole one is a tag."""


@dataclass(frozen=True)
class TrainingRecord:
    """A training that is finished, as it goes into the registry.

    Attributes
    ----------
    model
        `LeadScorer.model_`.
    twin
        The same, fitted only on rows whose windows were over when the rows of the comparison begin.
    judged_from
        First as-of date of the comparison.
    training
        Manifest of the training set.
    playbook, playbook_text
        The agreement, and its file as it was.
    comparison
        The model beside baselines on later rows.
    scored_as
        The model's name in the comparison.
    audit
        What the leakage audit of the training set found.
    seconds
        How long training took.
    parameters
        More to keep with the run, such as how the set was split.
    scale
        The score's scale; by default that of the registry, which is frozen with the first version.
    notes
        Why a model's figures in the comparison must not be believed, by its name.
    """

    model: ScoringModel
    twin: ScoringModel
    judged_from: datetime
    training: Mapping[str, Any]
    playbook: Playbook
    playbook_text: str
    comparison: Comparison
    scored_as: str
    audit: Audit
    seconds: float
    parameters: Mapping[str, str | int | float | bool] = field(default_factory=dict[str, str | int | float | bool])
    scale: Scale | None = None
    notes: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def card(self) -> ModelCard:
        """The model card."""
        compared = self.comparison.to_dict()
        return model_card(
            self.model, self.training, compared, self.playbook, scored_as=self.scored_as, notes=self.notes
        )


@dataclass(frozen=True)
class Logged:
    """A run that is written: what a version is registered from."""

    run_id: str
    model_id: str
    location: str
    """Of the MLflow model."""
    tags: dict[str, str]
    summary: str


def log_training(store: Store, record: TrainingRecord, scale: Scale, name: str) -> Logged:
    """Write a run with parameters, metrics, pictures, reports, lineage and the model; nothing is registered yet.

    If something goes wrong the run is marked as failed.
    """
    client = store.client
    card = record.card
    run = client.create_run(store.experiment_id, run_name=f"{name} {record.training['digest'][:8]}")
    run_id = run.info.run_id
    try:
        with tempfile.TemporaryDirectory(prefix="touchline-") as scratch:
            folder = Path(scratch)
            digest = save_model(record.model, folder / SCORER)
            twin_digest = save_model(record.twin, folder / TWIN)
            client.log_artifacts(run_id, str(folder / TWIN), TWIN)
            tags = _tags(record, digest, twin_digest, scale)
            _log_origin(store, run_id, record, tags)
            _write_reports(folder / "reports", record, card)
            client.log_artifacts(run_id, str(folder / "reports"))
            made = _log_model(store, run_id, folder, record, scale, digest, name)
            _log_metrics(store, run_id, made.model_id, record)
    except BaseException:
        client.set_terminated(run_id, "FAILED")
        raise
    client.set_terminated(run_id, "FINISHED")
    return Logged(run_id, made.model_id, made.artifact_location, tags, card.summary)


def metrics_of(comparison: Comparison, scored_as: str) -> dict[str, float]:
    """A model's metrics by name, the ends of an interval as `<name>_low` and `<name>_high`; those that exist."""
    rate = comparison.base_rate
    found = {f"base_rate{end}": v for end, v in zip(("", "_low", "_high"), rate, strict=True)}
    for metric in METRICS:
        interval = comparison.interval(scored_as, metric)
        found |= {f"{metric}{end}": v for end, v in zip(("", "_low", "_high"), interval, strict=True)}
    return {name: float(value) for name, value in found.items() if math.isfinite(value)}


def _tags(record: TrainingRecord, digest: str, twin_digest: str, scale: Scale) -> dict[str, str]:
    """What a version must carry: the copies of the digests that are kept outside of the files."""
    return {
        DIGEST: digest,
        TWIN_DIGEST: twin_digest,
        TWIN_FROM: record.judged_from.isoformat(),
        PLAYBOOK: record.playbook.digest,
        TRAINING: str(record.training["digest"]),
        RELEASE: touchline.__version__,
        REFERENCE: repr(scale.reference),
        DOUBLE: repr(scale.double),
    }


def _parameters(record: TrainingRecord) -> dict[str, Any]:
    facts, windows, basis = record.model.facts, record.training["windows"], record.comparison.basis
    return {
        "chosen": facts["choice"]["chosen"],
        "reason": facts["choice"]["reason"],
        "rung": record.model.rung.value,
        "calibration": facts["calibration"],
        "seed": facts["seed"],
        **facts["evidence"],
        "features": len(record.model.encoder.names),
        "gap_days": windows["gap_days"],
        "horizon_days": windows["horizon_days"],
        "data_end": windows["data_end"],
        "judged_from": basis.first,
        "judged_to": basis.last,
        "capacity": basis.capacity,
        "playbook": record.playbook.name,
        **record.parameters,
    }


def _log_origin(store: Store, run_id: str, record: TrainingRecord, tags: dict[str, str]) -> None:
    """What the model was made from."""
    from mlflow.entities import Param, RunTag

    params = [Param(name, str(value)) for name, value in _parameters(record).items()]
    store.client.log_batch(run_id, params=params, tags=[RunTag(*tag) for tag in tags.items()])
    store.client.log_inputs(run_id, datasets=[_dataset(record.training)])


def _log_metrics(store: Store, run_id: str, model_id: str, record: TrainingRecord) -> None:
    import time

    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    found = {**metrics_of(record.comparison, record.scored_as), "seconds": record.seconds}
    store.client.log_batch(run_id, [Metric(name, value, now, 0, model_id=model_id) for name, value in found.items()])


def _dataset(training: Mapping[str, Any]) -> DatasetInput:
    """The training set as MLflow's lineage shows it."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    columns = [{"name": f["name"], "type": "any", "required": True} for f in training["features"]]
    profile = {key: training[key] for key in ("rows", "leads", "won_deals")}
    dataset = Dataset(
        name="training set",
        digest=str(training["digest"])[:_DIGEST_KEPT],
        source_type="touchline",
        source=json.dumps(training["recipe"], default=str),
        schema=json.dumps({"mlflow_colspec": columns}),
        profile=json.dumps(profile),
    )
    return DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])


def _write_reports(folder: Path, record: TrainingRecord, card: ModelCard) -> None:
    (folder / "figures").mkdir(parents=True)
    for picture in PICTURES:
        getattr(record.comparison.plot, picture)().savefig(folder / "figures" / f"{picture}.png", dpi=120)
    texts = {
        "playbook.toml": record.playbook_text,
        "training_set.json": _json(record.training),
        "comparison.json": _json(record.comparison.to_dict()),
        "comparison.csv": record.comparison.to_frame().to_csv(),
        "audit.json": _json(record.audit.to_dict()),
        "audit.html": record.audit.html(),
        "model_card.md": card.markdown(),
        "model_card.html": card.html(),
        "environment.json": _json({"python": platform.python_version(), "touchline": touchline.__version__}
                                  | {package: version(package) for package in _PACKAGES}),
    }  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def _log_model(
    store: Store, run_id: str, folder: Path, record: TrainingRecord, scale: Scale, digest: str, name: str
) -> LoggedModel:
    """Write the MLflow model around the artefact in `folder`.

    Step by step, because `mlflow.pyfunc.log_model` writes to whatever store is MLflow's global one.
    """
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    from touchline.models.registry.pyfunc import save_pyfunc

    client = store.client
    made = client.create_logged_model(store.experiment_id, name=name, source_run_id=run_id, model_type="scorer")
    client.log_outputs(run_id, models=[LoggedModelOutput(made.model_id, step=0)])
    around = Model(
        artifact_path=made.artifact_location, model_uuid=made.model_id, run_id=run_id, model_id=made.model_id
    )
    save_pyfunc(folder / "model", folder / SCORER, record.model, scale, digest, around)
    client.log_model_artifacts(made.model_id, str(folder / "model"))
    return client.finalize_logged_model(made.model_id, "READY")


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n"
