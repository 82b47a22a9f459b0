"""Where models live: made once however many start at once, movable, and without a trace in MLflow's own settings."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from touchline.models.errors import ModelError
from touchline.models.registry import Registry, Store


def start(folder: Path, barrier: Any, results: Any) -> None:
    barrier.wait()
    try:
        results.put(Store.local(folder).experiment_id)
    except Exception as error:  # noqa: BLE001  # whatever MLflow makes of it is told to the test
        results.put(repr(error)[:300])


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
@pytest.mark.usefixtures("logged")  # so that MLflow is imported: nobody comes first by importing faster
def test_six_processes_that_start_together_share_one_store(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(6), context.Queue()
    processes = [context.Process(target=start, args=(tmp_path / "models", barrier, results)) for _ in range(6)]
    for process in processes:
        process.start()
    said = [results.get(timeout=150) for _ in processes]
    for process in processes:
        process.join(30)
    assert len(set(said)) == 1, said
    assert said[0].isdigit(), said
    assert Store.local(tmp_path / "models").experiment_id == said[0]


def test_a_store_that_was_moved_still_works(registry, tmp_path):
    before = registry.load(1)
    moved = tmp_path / "elsewhere"
    registry.store.folder.rename(moved)
    again = Registry.local(moved)
    assert again.load(1).digest == before.digest
    again.promote(1, {})
    location = again.store.client.get_model_version("lead-scorer", "1").source
    assert location.startswith(moved.as_uri())
    run = again.store.client.get_run(before.run_id)
    assert {f.path for f in again.store.client.list_artifacts(run.info.run_id)} >= {"playbook.toml", "model_card.md"}


def test_a_copy_reads_its_own_artefacts_and_leaves_the_original_alone(registry, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(registry.store.folder, copy)
    copied = Registry.local(copy)
    shutil.rmtree(copied.store.folder / "artifacts")
    with pytest.raises(ModelError, match=r"is not at .*copy"):
        copied.load(1)
    assert registry.load(1).version == 1


def test_a_store_moved_behind_another_client_says_so(registry, tmp_path):
    registry.load(1)
    moved = tmp_path / "elsewhere"
    registry.store.folder.rename(moved)
    by_address = Registry.at(f"sqlite:///{moved}/mlflow.db")
    with pytest.raises(ModelError, match=r"if the store's folder was moved, open it with Registry.local"):
        by_address.load(1)


@pytest.mark.parametrize("mark", "?#%")
def test_a_folder_that_no_address_can_name_is_refused(mark, tmp_path):
    with pytest.raises(ModelError, match="name another folder"):
        Registry.local(tmp_path / f"a{mark}20b")


def test_a_database_of_an_older_mlflow_is_not_touched(registry):
    path = registry.store.folder / "mlflow.db"
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '451aebb31d03'")
    with pytest.raises(ModelError, match=r"made by an older MLflow; keep a copy .* `mlflow db upgrade"):
        registry.load(1)


def test_mlflow_is_neither_imported_nor_changed_nor_heard(registry, tmp_path):
    """A user's own tracking address, log levels and settings are theirs; nothing appears in the current folder."""
    code = """
import json, logging, os, sys
from touchline.models.registry import Registry, Store
lazy = "mlflow" not in sys.modules
import mlflow
mlflow.set_tracking_uri(sys.argv[2])
def settings():
    env = {k: v for k, v in os.environ.items() if k != "MLFLOW_DISABLE_TELEMETRY"}
    return [mlflow.get_tracking_uri(), logging.getLogger("mlflow").level, logging.getLogger("alembic").level, env]
before = settings()
registry = Registry.local(sys.argv[1])
registry.load(1), registry.promote(1, {}), registry.history()
print(json.dumps([lazy, before == settings(), os.environ["MLFLOW_DISABLE_TELEMETRY"]]))
"""
    cwd = tmp_path / "empty"
    cwd.mkdir()
    theirs = f"sqlite:///{tmp_path}/theirs.db"
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW")}
    done = subprocess.run(
        [sys.executable, "-c", code, registry.store.folder, theirs],
        capture_output=True, text=True, timeout=100, check=True, cwd=cwd, env=env,
    )  # fmt: skip
    assert json.loads(done.stdout) == [True, True, "true"]
    assert done.stderr == ""
    assert not list(cwd.iterdir())
    assert not Path(tmp_path / "theirs.db").exists()


def test_logging_leaves_nothing_in_the_current_folder(trained, registry):
    registry.log(trained.record)
    assert not list(Path.cwd().iterdir())
