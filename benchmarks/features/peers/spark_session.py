"""What the peers on Spark share: a session, and what its processes cost besides our own."""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

import pyspark
from pyspark.sql import SparkSession

from benchmarks.features.peers.task import Task, offspring, peak_of

HEAP = "6g"


def begin(task: Task) -> SparkSession:
    """A session; the task's time starts anew, for a Spark that runs is taken for granted, as imports are.

    Java and the Python workers are processes that we started, so that the task counts their processor time.
    """
    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    os.environ.update(
        PYSPARK_PYTHON=sys.executable, SPARK_HOME=str(Path(pyspark.__file__).parent), SPARK_LOCAL_IP="127.0.0.1"
    )
    spill = f"{task.result}.spill"
    builder = SparkSession.builder.master(task.master).appName("touchline-bench")
    for name, value in {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.memory": HEAP,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.local.dir": spill,
        "spark.sql.warehouse.dir": f"{spill}/warehouse",
        "spark.sql.session.timeZone": "UTC",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.range(1).count()
    task.afterwards(session.stop)
    task.start()
    return session


def note_peak(task: Task) -> None:
    """Note the memory of Java and of the Python workers, while they still run."""
    task.peak_elsewhere = sum(map(peak_of, offspring()))
