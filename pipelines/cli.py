"""The command line. Each command imports what it needs when it runs, so that `--help` is instant."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from touchline.pipelines import batch_commands, lead_commands, model_commands, monitor_commands
from touchline.pipelines.console import give_json, say, say_bug, steps
from touchline.pipelines.exits import Exit
from touchline.pipelines.options import (
    AsJson,
    CatalogPath,
    DataPath,
    Memory,
    PlaybookPath,
    TablesPath,
    instant,
    load_agreed,
    usable_memory,
)
from touchline.pipelines.playbooks import playbook_app

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # drawing boxes around the help would triple the time it takes
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Lead scores that sales can act on and understand.",
    epilog="Exit codes: 0 fine, 1 bug, 2 usage, 3 bad data, 4 playbook wrong, 5 no model, 6 leak found, "
    "7 not promoted, 8 score store, 9 needs attention, 75 try later.",
)
app.add_typer(playbook_app, name="playbook")
model_commands.add_to(app)
lead_commands.add_to(app)
batch_commands.add_to(app)
monitor_commands.add_to(app)


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

    agreed = load_agreed(playbook)
    usable_memory(memory)
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

    agreed = load_agreed(playbook)
    usable_memory(memory)
    moment = instant(as_of) if as_of is not None else None
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
def audit(
    playbook: PlaybookPath,
    tables: TablesPath,
    training: Annotated[
        Path | None, typer.Option("--training", help="The training set to look at; else one is built.")
    ] = None,
    earlier: Annotated[
        Path | None, typer.Option("--earlier", help="Tables of an earlier extract, to see what was changed since.")
    ] = None,
    catalog: CatalogPath = None,
    html: Annotated[Path | None, typer.Option("--html", help="File for the result as a page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look for features that know what they must not; ends with 6 if one does."""
    from touchline.features import DataError, FeatureSet, TrainingSet
    from touchline.features.audit import audit as look
    from touchline.pipelines.catalogs import load_catalog

    agreed = load_agreed(playbook)
    given = FeatureSet.open(training) if training is not None else None
    if given is not None and not isinstance(given, TrainingSet):
        raise DataError(str(training), "is a scoring set, without labels", "name a training set")
    wanted = load_catalog(catalog, agreed)
    with steps(quiet=as_json) as progress:
        result = look(tables, agreed, catalog=wanted, training=given, earlier=earlier, progress=progress)
    if html is not None:
        html.write_text(result.html(), encoding="utf-8")
    if as_json:
        give_json({"ok": not result.blocked, **result.to_dict()})
    else:
        from rich.console import Console

        from touchline.pipelines.report import show_audit

        show_audit(result, Console(highlight=False))
    if result.blocked:
        raise typer.Exit(Exit.LEAK)


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
    leads: Annotated[int, typer.Option(min=100, max=1_000_000, help="About how many leads.")] = 20_000,
) -> None:
    """Run the main job on a made-up company, from raw touches on."""
    from rich.console import Console

    from touchline.pipelines.demo import run_demo
    from touchline.pipelines.demo_report import show_demo
    from touchline.pipelines.report import show_check

    console = Console(highlight=False)
    with steps() as progress:
        result = run_demo(
            folder, leads=leads, progress=progress, show_check=lambda checked: show_check(checked, console)
        )
    if result is None:
        raise typer.Exit(Exit.BAD_DATA)
    show_demo(result, console)


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
