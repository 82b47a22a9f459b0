"""train, compare, promote, rollback and models, as real processes on one small company."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from touchline.features import check_tables
from touchline.features.sources.simulated import simulate
from touchline.playbook import parse_playbook, starter_text


def run(*command: object, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if k != "TOUCHLINE_MODELS"}
    return subprocess.run(
        [Path(sys.executable).parent / "touchline", *map(str, command)],
        cwd=folder,
        env={**environment, "XDG_DATA_HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        check=False,
        timeout=500,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with playbook, tables, and a model that was trained and promoted."""
    folder = tmp_path_factory.mktemp("models")
    text = starter_text().replace('every = "week"', 'every = "month"')
    (folder / "playbook.toml").write_text(text, encoding="utf-8")
    simulate(folder / "data", leads=1_500, seed=2)
    assert check_tables(parse_playbook(text), folder / "data", out=folder / "tables").ok
    return folder


ON = ("--playbook", "playbook.toml", "--tables", "tables", "--models", "models")


def test_from_nothing_to_a_champion_and_back(place: Path) -> None:
    assert run("promote", *ON, folder=place).returncode == 5
    trained = run("train", *ON, "--json", folder=place)
    assert trained.returncode == 0, trained.stderr
    told = json.loads(trained.stdout)
    assert told["ok"]
    assert told["model"]["version"] == 1
    assert {"Touchline", "Logistic regression", "Base rate", "Odoo PLS, as shipped"} <= set(
        told["comparison"]["models"]
    )

    first = run("promote", *ON, folder=place)
    assert first.returncode == 0, first.stderr
    assert "Version 1 scores from now on" in first.stdout

    second = run("train", *ON, "--seed", 1, "--tune", "1s", "--study", "search.db", folder=place)
    assert second.returncode == 0, second.stderr
    assert "Version 2 is the challenger" in second.stdout
    assert "Tuned: 1 trials" in second.stdout  # the default settings, which always have their turn
    saved = [json.loads(file.read_text()) for file in place.glob("models/artifacts/**/model.json")]
    assert {model["facts"].get("tuning", {}).get("trials") for model in saved} == {None, 1}
    compared = run("compare", *ON, "--json", folder=place)
    assert compared.returncode == 0, compared.stderr
    verdict = json.loads(compared.stdout)
    assert (verdict["challenger"], verdict["champion"]) == (2, 1)
    assert {c["name"] for c in verdict["conditions"]} == {"log_loss", "capture", "observed_expected", "tier_churn"}
    churn = next(c["value"] for c in verdict["conditions"] if c["name"] == "tier_churn")
    assert churn <= 0.10

    promoted = run("promote", *ON, folder=place)
    assert promoted.returncode == (0 if verdict["allowed"] else 7)
    if verdict["allowed"]:
        back = run("rollback", "--models", "models", folder=place)
        assert back.returncode == 0, back.stderr
        assert "Version 1 scores again" in back.stderr
    shown = run("models", "--models", "models", folder=place)
    assert "champion: version 1" in shown.stdout

    _damage(place)
    refused = run("compare", *ON, folder=place)
    assert refused.returncode == 5
    assert "is refused" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--tune", "soon"), "'soon' is no length of time; write it as 20min"),
        (("--tune", "0min"), "'0min' is no length of time"),
        (("--study", "search.db"), "add --tune"),
        (("--tune", "20min", "--study", "nowhere/search.db"), "there is no folder 'nowhere'"),
    ],
)
def test_a_search_that_cannot_be_is_refused_before_anything_is_built(
    options: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    ended = run("train", *ON, *options, folder=tmp_path)
    assert ended.returncode == 2
    assert said in " ".join(re.sub("[│╭╮╰╯─]", " ", ended.stderr).split())


def test_without_optuna_the_extra_is_named(tmp_path: Path) -> None:
    program = "import sys; sys.modules['optuna'] = None; from touchline.pipelines.cli import main; main()"
    command = [sys.executable, "-c", program, "train", *ON, "--tune", "20min"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=100)
    assert ended.returncode == 2
    assert 'pip install "touchline[tune]"' in ended.stderr


def _damage(place: Path) -> None:
    """Cut off the trees of every model, or their numbers where there are none."""
    files = [*place.glob("models/artifacts/**/trees.txt"), *place.glob("models/artifacts/**/model.json")]
    assert files
    for file in files:
        file.write_bytes(file.read_bytes()[:-200])


def test_the_default_place_is_the_data_folder_wherever_the_job_runs(tmp_path: Path) -> None:
    ended = run("models", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "No model yet" in ended.stdout
    assert not (tmp_path / "mlruns").exists()
    assert not (tmp_path / "mlflow.db").exists()
    assert (tmp_path / "home" / "touchline" / "models").exists()
