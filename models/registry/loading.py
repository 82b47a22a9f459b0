"""From a version in the store to a model that scores, with its digest checked on the way."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from touchline.models.artifact import load_model
from touchline.models.errors import ModelError
from touchline.models.scale import Scale
from touchline.models.scorer.model import ScoringModel

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

    from touchline.models.registry.store import Store

DIGEST = "touchline.digest"
PLAYBOOK = "touchline.playbook"
TRAINING = "touchline.training"
RELEASE = "touchline.version"
REFERENCE = "touchline.scale.reference"
DOUBLE = "touchline.scale.double"
TWIN_DIGEST = "touchline.twin.digest"
TWIN_FROM = "touchline.twin.judged_from"
SCORER = "scorer"
"""Folder of the artefact among the artefacts of the MLflow model."""
TWIN = "twin"
"""Folder of the twin among the artefacts of the run."""


@dataclass(frozen=True)
class LoadedModel:
    """A model, and which one it is: what a job writes beside each score.

    Attributes
    ----------
    model
        The model itself.
    scale
        The score's scale, frozen with the first version.
    name, version
        In the registry.
    digest
        SHA-256 of the artefact.
    run_id
        MLflow's run that trained it.
    playbook, training
        Digests of the playbook and of the training set.
    touchline
        Version of Touchline that trained it.
    """

    model: ScoringModel
    scale: Scale
    name: str
    version: int
    digest: str
    run_id: str
    playbook: str
    training: str
    touchline: str


def load_version(store: Store, found: ModelVersion) -> LoadedModel:
    """Fetch a version's artefact, check it, and read it.

    Raises
    ------
    ModelError
        If it was not registered by Touchline, its artefact is not there, or is not what was saved.
    """
    tags, called = found.tags, f"version {found.version} of {found.name}"
    if DIGEST not in tags:
        raise ModelError(f"{called} carries no digest: it was not registered by Touchline. Name another version")
    with tempfile.TemporaryDirectory(prefix="touchline-") as folder:
        _fetch(store, found, Path(folder), called)
        try:
            model = load_model(Path(folder) / SCORER, tags[DIGEST])
        except ModelError as error:
            told = str(error).replace(f" in {Path(folder) / SCORER}", "")  # our copy, gone when a person reads this
            raise ModelError(f"{called} is refused: {told}") from None
    return LoadedModel(
        model=model,
        scale=scale_of(tags),
        name=found.name,
        version=int(found.version),
        digest=tags[DIGEST],
        run_id=found.run_id or "",
        playbook=tags[PLAYBOOK],
        training=tags[TRAINING],
        touchline=tags[RELEASE],
    )


@dataclass(frozen=True)
class Twin:
    """A version's twin: the same training on rows whose windows were over at `judged_from`."""

    model: ScoringModel
    judged_from: datetime


def load_twin(store: Store, found: ModelVersion) -> Twin:
    """Fetch the twin of a version, check it, and read it.

    Raises
    ------
    ModelError
        If the version has none, or it is not what was saved.
    """
    tags, called = found.tags, f"the twin of version {found.version} of {found.name}"
    if TWIN_DIGEST not in tags or not found.run_id:
        raise ModelError(f"{called} is not there: it cannot be judged on later rows. Train it again")
    with tempfile.TemporaryDirectory(prefix="touchline-") as folder:
        try:
            store.client.download_artifacts(found.run_id, TWIN, folder)
            model = load_model(Path(folder) / TWIN, tags[TWIN_DIGEST])
        except ModelError as error:
            told = str(error).replace(f" in {Path(folder) / TWIN}", "")
            raise ModelError(f"{called} is refused: {told}") from None
        except OSError:
            raise ModelError(f"{called} is not among the artefacts of run {found.run_id}: restore it") from None
    return Twin(model, datetime.fromisoformat(tags[TWIN_FROM]))


def scale_of(tags: dict[str, str]) -> Scale:
    """The scale in a version's or a registered model's tags."""
    return Scale(float(tags[REFERENCE]), float(tags[DOUBLE]))


def _fetch(store: Store, found: ModelVersion, folder: Path, called: str) -> None:
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    # Not by a `models:/` address: MLflow would look that up in its global store.
    location = store.client.get_model_version_download_uri(found.name, found.version)
    try:
        download_artifacts(f"{location}/artifacts/{SCORER}", dst_path=str(folder), tracking_uri=store.uri)
    except (MlflowException, OSError):
        raise ModelError(
            f"the artefact of {called} is not at {location}: restore it, or, if the store's folder was moved, open it "
            "with Registry.local(folder)"
        ) from None
