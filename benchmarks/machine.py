"""Measuring whole processes, and saying what they ran on."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import metadata
from statistics import median


@dataclass(frozen=True)
class Cost:
    """What one process cost: seconds by the clock, seconds of processor, and peak memory in bytes."""

    wall: float
    cpu: float
    peak: int


def measure(command: list[str]) -> Cost:
    """Run a command to its end and read its cost from the operating system.

    Raises
    ------
    RuntimeError
        If the command fails.
    """
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if status:
        raise RuntimeError(f"{' '.join(command[:4])} failed:\n{said.decode(errors='replace')}")
    process.returncode = 0
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit)


def middle(costs: list[Cost]) -> Cost:
    """The median of each figure; of memory the largest."""
    return Cost(median(c.wall for c in costs), median(c.cpu for c in costs), max(c.peak for c in costs))


def describe(*packages: str) -> str:
    """The machine and the versions, in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    versions = ", ".join(f"{p} {metadata.version(p)}" for p in packages)
    return (
        f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, "
        f"Python {platform.python_version()}, {versions}, {time.strftime('%Y-%m-%d')}"
    )
