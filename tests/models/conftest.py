"""A small company, built once: its training set, and what the model of it is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from touchline.features import TrainingSet, build_training_set, check_tables
from touchline.features.sources.simulated import simulate
from touchline.playbook import Playbook, parse_playbook, starter_text


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    return parse_playbook(starter_text())


@pytest.fixture(scope="session")
def simulated_company(tmp_path_factory: pytest.TempPathFactory, playbook: Playbook) -> Path:
    """A folder with `data` (and its truth) and canonical `tables`."""
    folder = tmp_path_factory.mktemp("company")
    simulate(folder / "data", leads=1_200, seed=11)
    assert check_tables(playbook, folder / "data", out=folder / "tables").ok
    return folder


@pytest.fixture(scope="session")
def truth(simulated_company: Path) -> pd.DataFrame:
    return pd.read_parquet(simulated_company / "data" / "truth.parquet")


@pytest.fixture(scope="session")
def training(simulated_company: Path, playbook: Playbook, truth: pd.DataFrame) -> TrainingSet:
    """Rows on the dates of which the truth is known: every fourth week."""
    return build_training_set(simulated_company / "tables", playbook, rows=truth[["lead_id", "as_of"]])
