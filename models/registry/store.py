"""Where models live: an MLflow tracking server, or a folder with a SQLite file and the artefacts beside it.

MLflow's global settings stay as the user has them: every call here names its store.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import threading
import warnings
from collections.abc import Generator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from touchline.models.errors import ModelError

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXPERIMENT = "lead-scoring"
DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"

_ADDRESSES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)
"""Where MLflow's database keeps absolute addresses of artefacts."""
_LOGGERS = ("mlflow", "alembic")
_NO_BARS = {"MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
_QUIET = threading.RLock()


@dataclass(frozen=True)
class Store:
    """A place for runs and models.

    Attributes
    ----------
    uri
        What MLflow calls the tracking URI; models are registered in the same place.
    folder
        Of a local store; None for one that somebody else runs.
    experiment
        The experiment that trainings are written to; made if it is not there.
    """

    uri: str
    folder: Path | None = None
    experiment: str = EXPERIMENT

    @classmethod
    def local(cls, folder: str | Path, *, experiment: str = EXPERIMENT) -> Store:
        """A store in a folder, made when it is first used; the folder may be moved while nobody works with it.

        Raises
        ------
        ModelError
            If the folder's path holds `?`, `#` or `%`, which mean something in a database's address.
        """
        folder = Path(folder).absolute()
        if any(mark in str(folder) for mark in "?#%"):
            raise ModelError(f"{folder} cannot be a model store: its path holds ?, # or %; name another folder")
        return cls(f"sqlite:///{folder / DATABASE}", folder, experiment)

    @cached_property
    def client(self) -> MlflowClient:
        """A client of this store; the database and the experiment are there when it returns.

        Several processes may ask for the first time at once: for a local store one of them does the work and the
        others wait (MLflow's own first start breaks in that case).

        Raises
        ------
        ModelError
            If the store's database belongs to another version of MLflow.
        """
        # MLflow reports to its makers unless told before it is imported; a user's own word counts.
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        with quietly(), self._locked():
            if self.folder is not None:
                _move(self.folder, self.experiment)
            try:
                client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
                self._make_experiment(client)
            except MlflowException as error:
                if "out-of-date database schema" not in str(error):
                    raise
                raise ModelError(
                    f"the store {self.uri} was made by an older MLflow; keep a copy of its database, then run "
                    f"`mlflow db upgrade {self.uri}`"
                ) from None
        return client

    @property
    def experiment_id(self) -> str:
        """MLflow's number of the experiment."""
        found = self.client.get_experiment_by_name(self.experiment)
        if found is None or found.lifecycle_stage != "active":
            raise ModelError(f"the experiment {self.experiment} was deleted from {self.uri}; restore it in MLflow")
        return str(found.experiment_id)

    @contextmanager
    def held(self) -> Generator[MlflowClient]:
        """Keep other processes waiting, where the store is a folder; a server minds its own order."""
        client = self.client
        with self._locked():
            yield client

    @contextmanager
    def _locked(self) -> Generator[None]:
        if self.folder is None:
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        # The file stays: a lock whose file goes away is a lock that two can hold.
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make_experiment(self, client: MlflowClient) -> None:
        from mlflow.exceptions import MlflowException

        if client.get_experiment_by_name(self.experiment) is not None:
            return
        try:
            client.create_experiment(self.experiment, artifact_location=_artifacts(self.folder))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":  # somebody was quicker on a server
                raise


@contextmanager
def quietly() -> Generator[None]:
    """MLflow without log lines, progress bars and worries about its own libraries; what the user had is put back.

    One thread at a time, or the second would put back what the first had set.
    """
    with _QUIET:
        yield from _quietly()


def _quietly() -> Generator[None]:
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    before = {name: os.environ.get(name) for name in _NO_BARS}
    os.environ.update(_NO_BARS)
    for name in _LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            for kind in (DeprecationWarning, FutureWarning, UserWarning):
                warnings.simplefilter("ignore", kind)
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _artifacts(folder: Path | None) -> str | None:
    return (folder / ARTIFACTS).as_uri() if folder else None


def _move(folder: Path, experiment: str) -> None:
    """Tell the database where the artefacts are now, if the folder was moved or copied since it last was opened."""
    if not (folder / DATABASE).exists():
        return
    here = _artifacts(folder)
    with closing(sqlite3.connect(folder / DATABASE, timeout=60)) as database, database:
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {table for table, _ in _ADDRESSES} <= tables:
            return
        found = database.execute("SELECT artifact_location FROM experiments WHERE name = ?", (experiment,)).fetchone()
        if found is None or found[0] == here:
            return
        for table, column in _ADDRESSES:
            database.execute(
                f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                (here, len(found[0]) + 1, len(found[0]), found[0]),
            )
