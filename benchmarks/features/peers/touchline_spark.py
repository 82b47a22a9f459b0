"""Touchline on Spark: the set stays there, and Spark's workers write it."""

from __future__ import annotations

from benchmarks.features.peers import Task, run
from benchmarks.features.peers.spark_session import begin, note_peak
from benchmarks.features.peers.touchline_set import recipe
from touchline.features import build_training_set
from touchline.features.engines import SparkEngine


def leave_in_spark(task: Task) -> None:
    """Have Spark compute the set and write it."""
    session = begin(task)
    tables, playbook, more = recipe(task)
    made = SparkEngine(session).frame(build_training_set, tables, playbook, **more)
    task.lap("driver")  # Spark has not been asked for anything yet
    made.frame.write.parquet(str(task.result))
    note_peak(task)


if __name__ == "__main__":
    run(leave_in_spark)
