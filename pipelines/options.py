"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from datetime import datetime

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


def instant(as_of: str) -> datetime:
    """The instant that a date or time means; UTC unless it says otherwise."""
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(as_of)
    except ValueError:
        raise typer.BadParameter(f"{as_of!r} is no date; write it as 2024-06-03", param_hint="--as-of") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
