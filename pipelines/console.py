"""Talking to whoever runs a job: a person at a terminal, or a program that reads JSON."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any


def say(message: str) -> None:
    """Tell a person something; goes to stderr so that stdout stays for results."""
    sys.stderr.write(message + "\n")


def say_bug(error: Exception) -> None:
    """Tell where Touchline failed; the error's own text may quote data, so it is left out."""
    places = "".join(traceback.format_tb(error.__traceback__))
    sys.stderr.write(f"Touchline failed where it should not. Please report this:\n{places}{type(error).__name__}\n")


def give_json(result: dict[str, Any]) -> None:
    """Give a result to a program: one JSON document on stdout."""
    sys.stdout.write(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def steps(*, quiet: bool = False) -> Generator[Callable[[str], None]]:
    """Show which step of a job is under way and for how long; a line that replaces itself, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield lambda step: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("starting", total=None)
        yield lambda step: progress.update(task, description=step)
