"""Touchline with memory enough: the set is held in memory as a whole, and written in the end."""

from __future__ import annotations

from pyarrow import parquet

from benchmarks.features.lineup import ENOUGH
from benchmarks.features.peers import Task, run
from benchmarks.features.peers.touchline_set import build


def hold(task: Task) -> None:
    """Build the set, then write it the way the bounded one is written."""
    made = build(task, memory=ENOUGH).arrow()
    task.lap("in memory")
    text = [f.name for f in made.schema if not str(f.type).startswith(("float", "double"))]
    parquet.write_table(made, task.result, compression="lz4", use_dictionary=text, write_statistics=text)


if __name__ == "__main__":
    run(hold)
