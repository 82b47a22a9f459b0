"""The command line. Each command imports what it needs when it runs, so that `--help` is instant."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from touchline.pipelines.console import give_json, say, say_bug, steps
from touchline.pipelines.exits import Exit

if TYPE_CHECKING:
    from datetime import datetime

    from touchline.playbook import Playbook

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing boxes around the help would triple the time it takes
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Lead scores that sales can act on and understand.",
    epilog="Exit codes: 0 fine, 1 bug, 2 usage, 3 bad data, 4 playbook wrong, 5 no model, 6 leak found, 75 try later.",
)
playbook_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Write and check the playbook, the agreement of marketing and sales.",
)
app.add_typer(playbook_app, name="playbook")

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


@app.command()
def check(
    playbook: PlaybookPath,
    data: DataPath,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the checked tables.")] = None,
    memory: Memory = "1GB",
    as_json: AsJson = False,
) -> None:
    """Check data against the playbook, and write the canonical tables."""
    from touchline.features import check_tables

    agreed = _load(playbook)
    _usable_memory(memory)
    with steps(quiet=as_json) as progress:
        result = check_tables(agreed, data, out=out, memory=memory, progress=progress)
    if as_json:
        give_json(result.to_dict())
    else:
        from rich.console import Console

        from touchline.pipelines.report import show_check

        show_check(result, Console(highlight=False))
    if not result.ok:
        raise typer.Exit(Exit.BAD_DATA)


@app.command()
def build(
    playbook: PlaybookPath,
    tables: TablesPath,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the set.")],
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="Build a scoring set as of this date or instant, not a training set.")
    ] = None,
    catalog: CatalogPath = None,
    memory: Memory = "2GB",
    as_json: AsJson = False,
) -> None:
    """Build a training set (or, with --as-of, a scoring set) from checked tables.

    A job that was killed goes on where it stopped when it is run again.
    """
    from touchline.features import build_scoring_set, build_training_set
    from touchline.pipelines.catalogs import load_catalog

    agreed = _load(playbook)
    _usable_memory(memory)
    moment = _moment(as_of) if as_of is not None else None
    wanted = load_catalog(catalog, agreed)
    with steps(quiet=as_json) as progress:
        if moment is None:
            made = build_training_set(tables, agreed, catalog=wanted, out=out, memory=memory, progress=progress)
        else:
            made = build_scoring_set(tables, agreed, moment, catalog=wanted, out=out, memory=memory, progress=progress)
    if as_json:
        give_json({"ok": True, "out": str(out), **{k: v for k, v in made.manifest.items() if k != "features"}})
    else:
        from rich.console import Console

        from touchline.pipelines.report import show_set

        show_set(made, Console(highlight=False))


@app.command()
def simulate(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the simulated tables.")],
    leads: Annotated[int, typer.Option(min=100, max=5_000_000, help="About how many leads.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another company.")] = 0,
    duplicates: Annotated[bool, typer.Option(help="Deliver some touches twice.")] = False,
    merges: Annotated[bool, typer.Option(help="Let some people be two leads until they are merged.")] = False,
    late_facts: Annotated[bool, typer.Option(help="Log webinars and events up to three weeks late.")] = True,
    scanners: Annotated[bool, typer.Option(help="Let mail scanners open and click.")] = True,
    leaky_field: Annotated[bool, typer.Option(help="Let sales fill a field when a deal is near.")] = True,
    several_people: Annotated[bool, typer.Option(help="Several people per account.")] = True,
    as_json: AsJson = False,
) -> None:
    """Write the history of a made-up company, with the exact chance of every lead to be won."""
    from touchline.features.sources.simulated import Traps, simulate

    traps = Traps(
        late_facts=late_facts,
        scanners=scanners,
        leaky_field=leaky_field,
        duplicates=duplicates,
        merges=merges,
        several_people=several_people,
    )
    with steps(quiet=as_json) as progress:
        result = simulate(
            out, leads=leads, seed=seed, traps=traps, progress=lambda share: progress(f"simulating {share:.0%}")
        )
    if as_json:
        give_json(result.to_dict())
    else:
        sys.stdout.write(f"{result}\n")


@app.command()
def demo(
    folder: Annotated[Path, typer.Option("--folder", help="Folder for the demo's data and results.")] = Path("demo"),
    leads: Annotated[int, typer.Option(min=100, max=1_000_000, help="About how many leads.")] = 5_000,
) -> None:
    """Run the main job on a made-up company, from raw touches on."""
    from touchline.pipelines.demo import run_demo

    with steps() as progress:
        result, training = run_demo(folder, leads=leads, progress=progress)
    from rich.console import Console

    from touchline.pipelines.report import show_check, show_set

    console = Console(highlight=False)
    show_check(result, console)
    if training is None:
        raise typer.Exit(Exit.BAD_DATA)
    console.print()
    show_set(training, console)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Look whether everything Touchline needs is here and works."""
    from touchline.pipelines.doctor import examine

    findings = examine()
    if as_json:
        give_json({"ok": all(f.ok for f in findings), "findings": [f.to_dict() for f in findings]})
    else:
        for finding in findings:
            sys.stdout.write(f"{finding}\n")
    if not all(finding.ok for finding in findings):
        raise typer.Exit(Exit.BUG)


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
        agreed = _load(path)
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


def _load(path: Path) -> Playbook:
    from touchline.playbook import load_playbook

    return load_playbook(path)


def _usable_memory(memory: str) -> None:
    import re

    if not re.fullmatch(r"\d+(\.\d+)?\s*(MB|GB|TB|MiB|GiB|TiB)", memory):
        raise typer.BadParameter(f"{memory!r} is no amount of memory; write it as 1GB", param_hint="--memory")


def _moment(as_of: str) -> datetime:
    from datetime import UTC, datetime

    try:
        moment = datetime.fromisoformat(as_of)
    except ValueError:
        raise typer.BadParameter(f"{as_of!r} is no date; write it as 2024-06-03", param_hint="--as-of") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


class _Stop(SystemExit):
    """The end that a signal asked for; what is half written is cleared away on the way out."""

    asked: int | None = None


def _stop(signum: int, frame: FrameType | None) -> None:
    del frame
    _Stop.asked = 128 + signum
    raise _Stop(_Stop.asked)


def main() -> None:
    """Run the command line and end the process with one of `Exit`'s codes."""
    from touchline.pipelines.failures import explain

    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, _stop)
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        app()
    except Exception as error:  # noqa: BLE001  # whatever it is, people get words and schedulers a code
        if _Stop.asked is not None:  # DuckDB turns a signal that reaches it into an error of its own
            raise SystemExit(_Stop.asked) from None
        code, message = explain(error)
        if code is Exit.BUG:
            say_bug(error)
        else:
            say(message)
        if "--json" in sys.argv:
            give_json({"ok": False, "exit_code": int(code), "error": message})
        raise SystemExit(int(code)) from None
