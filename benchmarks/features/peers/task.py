"""What a peer is asked to do, and how it tells what that cost."""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.features.feature_set import SETS, Feature


@dataclass
class Task:
    """One run of one peer. Its time begins when imports are done, and ends when the result is written."""

    tables: Path
    """Folder of the tables. The peers read `touches` in it; its columns are lead_id, account_id, occurred_at, kind,
    channel, campaign, value, and some that are of no use to them."""
    rows: Path
    """Parquet: lead_id, account_id, as_of."""
    result: Path
    """Parquet to write: lead_id, as_of (UTC), and a column per feature that the peer computes, called by its name."""
    features: tuple[Feature, ...]
    master: str
    """Where Spark runs, for peers on Spark."""
    laps: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Parts of the run: seconds by the clock and of processor."""
    peak_elsewhere: int = 0
    """Peak memory in bytes of processes that are not ours, such as a server."""
    closing: list[Callable[[], None]] = field(default_factory=list)

    def afterwards(self, close: Callable[[], None]) -> None:
        """Have something closed once the cost is known, whatever happens."""
        self.closing.append(close)

    @property
    def touches(self) -> Path:
        """The file of touches."""
        return self.tables / "touches.parquet"

    def lap(self, name: str) -> None:
        """Note what was spent since the lap before, or the start."""
        wall, cpu = self._now
        self._now = spent()
        self.laps[name] = (self._now[0] - wall, self._now[1] - cpu)

    def start(self) -> None:
        """Begin the time."""
        self._now = self._begun = spent()

    def cost(self) -> dict[str, object]:
        """What was spent since the start."""
        wall, cpu = (now - begun for now, begun in zip(spent(), self._begun, strict=True))
        return {"wall": wall, "cpu": cpu, "laps": self.laps, "peak_elsewhere": self.peak_elsewhere}


def run(compute: Callable[[Task], None]) -> None:
    """Do what the command line asks for, and write its cost."""
    parser = argparse.ArgumentParser()
    for name in ("--tables", "--rows", "--result", "--cost"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--features", type=int, default=61)
    parser.add_argument("--master", default="local[2]")
    options = parser.parse_args()
    task = Task(options.tables, options.rows, options.result, SETS[options.features], options.master)
    task.start()
    try:
        compute(task)
        options.cost.write_text(json.dumps(task.cost()), encoding="utf-8")
    finally:
        for close in task.closing:
            close()


def spent() -> tuple[float, float]:
    """Seconds by the clock, and of processor: of this process, of those it waited for, and of those it has running."""
    own = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return time.perf_counter(), sum(u.ru_utime + u.ru_stime for u in own) + sum(map(cpu_of, offspring()))


def offspring(parent: int | None = None) -> list[int]:
    """The processes that a process (this one) started, and those that they started, where Linux tells."""
    found: list[int] = []
    parent = parent or os.getpid()
    for tasks in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):
            for child in tasks.read_text().split():
                found += [int(child), *offspring(int(child))]
    return found


def cpu_of(process: int) -> float:
    """Seconds of processor of a running process, those that it waited for included; 0 if it is gone."""
    with suppress(OSError):
        after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, after_name[11:15])) / os.sysconf("SC_CLK_TCK")
    return 0.0


def peak_of(process: int) -> int:
    """Peak memory in bytes of a running process; 0 if it is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0
