"""Touchline within a limit of memory: what does not fit goes to disk, and the set is written part after part."""

from __future__ import annotations

from benchmarks.features.lineup import BOUND, LARGE, WIDER_BOUND
from benchmarks.features.peers import Task, run
from benchmarks.features.peers.touchline_set import build
from touchline.features import Tables


def stay_within(task: Task) -> None:
    """Build the set in the place of the result."""
    touches = Tables.open(task.tables).rows("touches")
    build(task, memory=WIDER_BOUND if touches > LARGE else BOUND, out=task.result)


if __name__ == "__main__":
    run(stay_within)
