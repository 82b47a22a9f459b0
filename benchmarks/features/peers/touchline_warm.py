"""Has Touchline's functions compiled: one run in memory and one with partitions, over few touches. Not a peer."""

from __future__ import annotations

from benchmarks.features.peers import Task, run
from benchmarks.features.peers.touchline_set import build
from touchline.features import LocalEngine


def compile_all(task: Task) -> None:
    """Go through both ways that the timed runs go."""
    build(task, memory="2GB")
    build(task, memory="2GB", out=task.result, engine=LocalEngine(partitions=3))


if __name__ == "__main__":
    run(compile_all)
