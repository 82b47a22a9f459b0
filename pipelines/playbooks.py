"""The commands about the playbook itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from touchline.pipelines.console import give_json, say
from touchline.pipelines.exits import Exit
from touchline.pipelines.options import AsJson, load_agreed

playbook_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Write and check the playbook, the agreement of marketing and sales.",
)


@playbook_app.command("new")
def playbook_new(
    path: Annotated[Path, typer.Argument(help="File to write.")] = Path("playbook.toml"),
) -> None:
    """Write a commented playbook to start from, and its schema for editors."""
    from touchline.playbook import starter_text

    if path.exists():
        say(f"{path} exists and is left as it is. Name another file, or delete it first.")
        raise typer.Exit(Exit.USAGE)
    path.parent.mkdir(parents=True, exist_ok=True)
    schema = path.with_name("playbook.schema.json")
    _write_schema(schema)
    path.write_text(starter_text(), encoding="utf-8")
    sys.stdout.write(f"Wrote {path}, and {schema} for editors. Check it with `touchline playbook check {path}`.\n")


@playbook_app.command("check")
def playbook_check(
    path: Annotated[Path, typer.Argument(help="The playbook file.")],
    as_json: AsJson = False,
) -> None:
    """Check a playbook; every problem is explained, with its line."""
    from dataclasses import asdict

    from touchline.playbook import PlaybookError

    try:
        agreed = load_agreed(path)
    except PlaybookError as error:
        if not as_json:
            raise
        give_json({"ok": False, "problems": [asdict(p) for p in error.problems]})
        raise typer.Exit(Exit.BAD_PLAYBOOK) from None
    if as_json:
        give_json({"ok": True, "name": agreed.name, "digest": agreed.digest})
    else:
        sys.stdout.write(f"{path} is good: {agreed.name}, {agreed.digest[:12]}\n")


@playbook_app.command("schema")
def playbook_schema(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write instead of stdout.")] = None,
) -> None:
    """Give the JSON Schema of the playbook, with which editors complete it."""
    from touchline.playbook.load import schema_text

    if out is None:
        sys.stdout.write(schema_text())
    else:
        _write_schema(out)


def _write_schema(path: Path) -> None:
    from touchline.playbook.load import schema_text

    path.write_text(schema_text(), encoding="utf-8")
