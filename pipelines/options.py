"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from touchline.playbook import Playbook

PlaybookPath = Annotated[Path, typer.Option("--playbook", "-p", help="The playbook file.")]
DataPath = Annotated[
    Path, typer.Option("--data", "-d", help="Folder (or DuckDB or SQLite file) that the playbook's sources are in.")
]
TablesPath = Annotated[Path, typer.Option("--tables", "-t", help="Folder of checked tables.")]
CatalogPath = Annotated[
    Path | None,
    typer.Option("--catalog", "-c", help="Python file with a function catalog(playbook); else the default catalogue."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Give the result as JSON on stdout.")]
Memory = Annotated[str, typer.Option(help="Memory the job may use before it spills to disk, such as 1GB.")]


def load_agreed(path: Path) -> Playbook:
    """The playbook in a file."""
    from touchline.playbook import load_playbook

    return load_playbook(path)


def usable_memory(memory: str) -> None:
    """Refuse what is no amount of memory."""
    import re

    if not re.fullmatch(r"\d+(\.\d+)?\s*(MB|GB|TB|MiB|GiB|TiB)", memory):
        raise typer.BadParameter(f"{memory!r} is no amount of memory; write it as 1GB", param_hint="--memory")


def length_of_time(text: str, option: str) -> timedelta:
    """The length of time that is meant, written as in the playbook."""
    from datetime import timedelta

    from pydantic import TypeAdapter, ValidationError

    from touchline.playbook.base import Duration

    wrong = f"{text!r} is no length of time; write it as 20min, 2h or 90s"
    try:
        found = TypeAdapter[timedelta](Duration).validate_python(text)
    except ValidationError:
        raise typer.BadParameter(wrong, param_hint=option) from None
    if not found:
        raise typer.BadParameter(wrong, param_hint=option)
    return found


def instant(text: str, option: str = "--as-of") -> datetime:
    """The instant that a date or time means; UTC unless it says otherwise."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date; write it as 2024-06-03", param_hint=option) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
