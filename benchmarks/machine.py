"""Measuring whole processes, and saying what they ran on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from statistics import median

_WATCH = """
import json, os, sys, time
started = time.perf_counter()
child = os.fork()
if not child:
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    finally:
        os._exit(127)
_, status, usage = os.wait4(child, 0)
cost = [time.perf_counter() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, status]
os.write(3, json.dumps(cost).encode())
"""
"""A small process that starts the command and waits for it: a process's peak memory is never told as less than that of
the one that started it, and we may have been large once."""


@dataclass(frozen=True)
class Cost:
    """What one process cost: seconds by the clock, seconds of processor, and peak memory in bytes."""

    wall: float
    cpu: float
    peak: int


def measure(command: list[str], *, folder: Path | None = None, env: Mapping[str, str] | None = None) -> Cost:
    """Run a command to its end, in `folder` and with the variables `env` added, and read its cost from the system.

    Raises
    ------
    RuntimeError
        If the command fails.
    """
    reading, writing = os.pipe()
    watched = [sys.executable, "-I", "-S", "-c", _WATCH.replace("os.write(3,", f"os.write({writing},"), *command]
    process = subprocess.Popen(
        watched,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=[writing],
        cwd=folder,
        env={**os.environ, **(env or {})},
    )
    os.close(writing)
    said = process.communicate()[1].decode(errors="replace")
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    wall, cpu, peak, status = json.loads(told) if told else (0.0, 0.0, 0, 1)
    if status:
        raise RuntimeError(f"{' '.join(command[:4])} failed:\n{said}")
    return Cost(wall, cpu, peak * (1 if sys.platform == "darwin" else 1024))


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
