"""What tests of the registry share: two small models, their records, and a store that each test gets a copy of."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from touchline.features.audit import Audit, Code, Finding
from touchline.models.evaluation import compare
from touchline.models.registry import Registry, TrainingRecord
from touchline.models.scorer import LeadScorer, ScoringModel
from touchline.playbook import starter_playbook, starter_text

ROWS = 900


@dataclass(frozen=True)
class Trained:
    """A frame, two models learned from it, and their records."""

    frame: pd.DataFrame
    model: ScoringModel
    record: TrainingRecord
    other: TrainingRecord


def make_frame(seed: int = 0, rows: int = ROWS) -> pd.DataFrame:
    """Features of every kind: numbers, small whole numbers, booleans and categories; some missing."""
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "touches 30d": draw.poisson(3, rows).astype(np.float64),
            "days since": draw.exponential(20, rows),
            "visits": draw.integers(0, 5, rows).astype(np.int64),
            "known": draw.random(rows) < 0.5,
            "industry": pd.Categorical(draw.choice(["food", "steel", "té"], rows)),
        }
    )
    frame.loc[draw.random(rows) < 0.1, "days since"] = np.nan
    frame.loc[draw.random(rows) < 0.1, "industry"] = None
    return frame


def make_outcomes(frame: pd.DataFrame, seed: int = 1) -> np.ndarray:
    """Wins that only trees can see: the sign of one feature's effect hangs on another."""
    draw = np.random.default_rng(seed)
    crossed = np.where(frame["known"], 1, -1) * np.where(frame["visits"] > 2, 1, -1)
    log_odds = -1.5 + 1.6 * crossed + 0.7 * (frame["industry"] == "steel") + 0.2 * (frame["touches 30d"] - 3)
    return draw.random(len(frame)) < 1 / (1 + np.exp(-log_odds))


@pytest.fixture(scope="session")
def trained() -> Trained:
    frame = make_frame()
    won = make_outcomes(frame)
    models = [LeadScorer(n_jobs=1, random_state=seed).fit(frame, won).model_ for seed in (0, 1)]
    assert all(model.trees for model in models)
    later = make_frame(seed=2, rows=400)
    chances = {f"seed {i}": m.probability(later) for i, m in enumerate(models)}
    months = np.array(["2025-01-06", "2025-02-03"], "datetime64[us]")
    comparison = compare(
        {**chances, "points | <b>": np.full(400, won.mean())},
        make_outcomes(later, seed=3),
        groups=np.arange(400) // 2,
        as_of=months[np.arange(400) % 2],
        capacity=0.1,
        reference="seed 0",
        segments={"industry": later["industry"].astype(object)},
        draws=200,
    )
    finding = Finding(next(iter(Code)), "ok", "touches", {}, "nothing found")
    record = TrainingRecord(
        model=models[0],
        twin=models[1],
        judged_from=datetime(2025, 1, 6, tzinfo=UTC),
        training=make_manifest(frame),
        playbook=starter_playbook(),
        playbook_text=starter_text(),
        comparison=comparison,
        scored_as="seed 0",
        audit=Audit((finding,)),
        seconds=1.5,
        parameters={"split": "as of 2025-01-06"},
    )
    return Trained(frame, models[0], record, replace(record, model=models[1], scored_as="seed 1"))


def make_manifest(frame: pd.DataFrame) -> dict[str, Any]:
    """As a training set's manifest is written."""
    counts = {"won": 200, "not_won": 700, "immature": 0}
    return {
        "touchline": "0.1.0.dev0",
        "kind": "training",
        "digest": "ab" * 32,
        "recipe": {"data": "cd" * 32, "playbook": "ef" * 32, "rows": "all"},
        "rows": len(frame),
        "leads": 450,
        "won_deals": 200,
        "windows": {"gap_days": 0.0, "horizon_days": 91.0, "data_end": "2025-01-01T00:00:00+00:00"},
        "counts": [{"as_of": "2024-06-03", **counts}],
        "features": [{"name": name} for name in frame],
    }


@pytest.fixture(autouse=True)
def _apart(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test in an empty folder: what leaks into the current folder can be seen."""
    monkeypatch.chdir(tmp_path_factory.mktemp("cwd"))


@pytest.fixture(scope="session")
def logged(tmp_path_factory: pytest.TempPathFactory, trained: Trained) -> Path:
    """A store with versions 1 and 2, and no champion. Tests get copies."""
    folder = tmp_path_factory.mktemp("made") / "models"
    registry = Registry.local(folder)
    registry.log(trained.record)
    registry.log(trained.other)
    return folder


@pytest.fixture
def registry(logged: Path, tmp_path: Path) -> Registry:
    """A copy of the store, in a folder whose name is hard to write in an address."""
    folder = tmp_path / "modèles a {b} 'c"
    shutil.copytree(logged, folder)
    return Registry.local(folder)


@pytest.fixture
def artefact(registry: Registry) -> Callable[[int], Path]:
    """Finds the folder of a version's artefact in the store."""

    def find(version: int) -> Path:
        run = registry.load(version).run_id
        found = [p for p in (registry.store.folder / "artifacts").rglob("MLmodel") if run in p.read_text()]
        (mlmodel,) = found
        return mlmodel.parent / "artifacts" / "scorer"

    return find


@pytest.fixture
def global_store(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """MLflow's own global settings point at the store, as a user would set them."""
    import mlflow

    monkeypatch.setenv("MLFLOW_TRACKING_URI", registry.store.uri)
    mlflow.set_tracking_uri(registry.store.uri)
    yield registry.store.uri
    mlflow.set_tracking_uri(None)
