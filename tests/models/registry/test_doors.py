"""Over the network and on Spark: a tracking server, a scoring server, a column of a Spark frame."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pytest

from touchline.models.errors import ModelError
from touchline.models.registry import Registry, Store

pytestmark = [
    pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]

PLANTED = "ada.lovelace@example.org"
PATIENCE = 150
"""Seconds for a server to come up on a busy machine."""


@contextmanager
def serving(command: list[str], path: str, log: Path, **environment: str) -> Iterator[str]:
    """Run `mlflow …` on a free port until the block ends; gives its address once `path` answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mlflow = [sys.executable, "-W", "ignore", "-m", "mlflow", *command, "--host", "127.0.0.1", "--port", str(port)]
    path_to_uvicorn = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    env = {**os.environ, "PATH": path_to_uvicorn, "MLFLOW_DISABLE_TELEMETRY": "true", **environment}
    with log.open("w") as out:
        process = subprocess.Popen(mlflow, stdout=out, stderr=out, env=env, start_new_session=True)
        try:
            _wait(process, f"http://127.0.0.1:{port}{path}", log)
            yield f"http://127.0.0.1:{port}"
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # its workers, too: the group is ours
            process.wait()


def _wait(process: subprocess.Popen, url: str, log: Path) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310  # our own loopback address
        except OSError:
            if process.poll() is not None:
                pytest.fail(f"the server ended: {log.read_text()[-1500:]}")
            time.sleep(0.3)
        else:
            return
    pytest.fail(f"the server did not come up: {log.read_text()[-1500:]}")


def test_a_tracking_server_holds_runs_versions_and_history(trained, registry, tmp_path):
    store = f"sqlite:///{registry.store.folder}/mlflow.db"
    command = ["server", "--backend-store-uri", store, "--artifacts-destination", str(tmp_path / "served")]
    light = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with serving([*command, "--workers", "1"], "/health", tmp_path / "log", **light) as uri:
        remote = Registry(Store(uri, experiment="by the network"), name="remote")
        assert remote.log(trained.record).version == 1
        with pytest.raises(ModelError, match="has no champion: it has versions 1; promote one"):
            remote.load()
        remote.promote("challenger", {"rule": "first"})
        loaded = remote.load()
        expected = trained.model.probability(trained.frame)
        np.testing.assert_array_equal(loaded.model.probability(trained.frame), expected)
        assert [(p.version, p.champion, p.reason) for p in remote.history()] == [(1, True, {"rule": "first"})]
        with pytest.raises(ModelError, match="no champion before this one"):
            remote.rollback()
        with pytest.raises(ModelError, match="nobody: it has versions 1"):
            remote.load("nobody")
    assert list((tmp_path / "served").rglob("model_card.md"))
    assert registry.load(1).digest == loaded.digest  # what others have in the same database is as it was


def test_a_scoring_server_gives_the_same_numbers_and_quotes_nobody(trained, registry, tmp_path):
    registry.promote(1, {})
    frame = trained.frame.iloc[:50].assign(**{"days since": None})
    expected = trained.model.probability(trained.frame.iloc[:50].assign(**{"days since": np.nan}))
    command = ["models", "serve", "-m", "models:/lead-scorer@champion", "--env-manager", "local", "--workers", "1"]
    with serving(command, "/ping", tmp_path / "log", MLFLOW_TRACKING_URI=registry.store.uri) as uri:

        def ask(asked) -> tuple[int, str]:
            body = json.dumps({"dataframe_split": json.loads(asked.to_json(orient="split"))}).encode()
            kind = {"Content-Type": "application/json"}
            request = urllib.request.Request(f"{uri}/invocations", body, kind)  # noqa: S310  # as above
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                    return answer.status, answer.read().decode()
            except urllib.error.HTTPError as error:
                return error.code, error.read().decode()

        status, text = ask(frame)
        assert status == 200, text
        answers = json.loads(text)["predictions"]
        np.testing.assert_allclose([a["probability"] for a in answers], expected, rtol=1e-12)
        assert answers[0].keys() == {"probability", "score", "low", "high", "tier"}
        for wrong in (frame.assign(visits=PLANTED), frame.assign(industry=PLANTED).drop(columns="visits")):
            status, text = ask(wrong)
            assert status >= 400
            assert "visits" in text
            assert PLANTED not in text
    assert PLANTED not in (tmp_path / "log").read_text()


def test_spark_gives_the_same_numbers(trained, registry, global_store, tmp_path, monkeypatch):
    import mlflow.pyfunc
    import pyspark
    from pyspark.sql import SparkSession
    from pyspark.sql.functions import struct

    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java: install a JDK, 17 or later")
    registry.promote(1, {})
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setenv("SPARK_HOME", str(Path(pyspark.__file__).parent))
    monkeypatch.setenv("SPARK_LOCAL_IP", "127.0.0.1")
    builder = SparkSession.builder.master("local[1]").appName("touchline-tests")
    for name, value in {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.local.dir": str(tmp_path / "spark"),
        "spark.sql.warehouse.dir": str(tmp_path / "warehouse"),
        "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    try:
        trained.frame.astype({"industry": object}).to_parquet(tmp_path / "frame.parquet")
        rows = session.read.parquet(str(tmp_path / "frame.parquet"))
        score = mlflow.pyfunc.spark_udf(session, "models:/lead-scorer@champion", env_manager="local")
        scored = rows.select(score(struct(*(f"`{name}`" for name in trained.frame))).alias("s")).select("s.*").toArrow()
    finally:
        session.stop()
    np.testing.assert_array_equal(scored["probability"], trained.model.probability(trained.frame))
    assert scored.column_names == ["probability", "score", "low", "high", "tier"]
