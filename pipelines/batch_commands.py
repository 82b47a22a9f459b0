"""The commands about batches: score, replay, forget."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from touchline.pipelines.console import give_json, say, steps
from touchline.pipelines.model_commands import ModelsPlace, Which, registry_at
from touchline.pipelines.options import (
    AsJson,
    CatalogPath,
    Memory,
    PlaybookPath,
    TablesPath,
    instant,
    load_agreed,
    usable_memory,
)

if TYPE_CHECKING:
    from touchline.serve.store import Store

StorePlace = Annotated[
    str | None,
    typer.Option(
        "--store",
        "-s",
        envvar="TOUCHLINE_STORE",
        help="Where scores are kept: a file (SQLite), or postgresql://user@host/database. [default: your data folder]",
    ),
]


def store_at(place: str | None) -> Store:
    """The score store at a place; by default in the user's data folder, wherever the job runs."""
    from touchline.serve.store import Store

    if place is None:
        data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        file = Path(data) / "touchline" / "scores.db"
        file.parent.mkdir(parents=True, exist_ok=True)
        return Store.open(file)
    return Store.open(place)


def score(
    playbook: PlaybookPath,
    tables: TablesPath,
    models: ModelsPlace = None,
    store: StorePlace = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="As of when. [default: the end of the data]")] = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the batch as Parquet and CSV.")] = None,
    language: Annotated[
        str | None, typer.Option("--lang", "-l", help="Of the reasons in the CSV. [default: the playbook's first]")
    ] = None,
    version: Which = "champion",
    revise: Annotated[bool, typer.Option("--revise", help="Take the place of the same batch from other data.")] = False,
    catalog: CatalogPath = None,
    memory: Memory = "2GB",
    as_json: AsJson = False,
) -> None:
    """Score and explain every open lead, publish the batch, and hand the best over to sales."""
    from touchline.features.tables import Tables
    from touchline.pipelines.catalogs import load_catalog
    from touchline.pipelines.score import score as run

    agreed = load_agreed(playbook)
    usable_memory(memory)
    if language is not None and language not in agreed.languages:
        spoken = ", ".join(agreed.languages)
        raise typer.BadParameter(f"the playbook speaks {spoken}, not {language!r}", param_hint="--lang")
    with store_at(store) as kept, steps(quiet=as_json) as progress:
        result = run(
            Tables.open(tables), agreed, registry_at(models), kept, playbook_text=playbook.read_text(encoding="utf-8"),
            as_of=instant(as_of) if as_of else None, which=version, catalog=load_catalog(catalog, agreed), out=out,
            language=language, revise=revise, memory=memory, progress=progress,
        )  # fmt: skip
    if as_json:
        give_json(result.to_dict())
        return
    batch = result.batch
    if not result.is_new:
        files = "; no files were written" if out is not None else ""
        say(f"Batch {batch.id} holds these scores already; nothing was changed{files}.")
        return
    say(
        f"Batch {batch.id}: {batch.rows:,} leads scored as of {batch.lineage.as_of:%Y-%m-%d} by {batch.lineage.model} "
        f"{batch.lineage.version} in {result.seconds:.0f} s; {result.handed_over:,} handed over to sales."
    )
    if result.out is not None:
        say(f"Files are in {result.out}.")


def replay(
    playbook: PlaybookPath,
    tables: TablesPath,
    as_of: Annotated[str, typer.Option("--as-of", help="Which day, or instant.")],
    models: ModelsPlace = None,
    store: StorePlace = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder for the batch as Parquet and CSV.")] = None,
    language: Annotated[
        str | None, typer.Option("--lang", "-l", help="Of the reasons in the CSV. [default: the playbook's first]")
    ] = None,
    catalog: CatalogPath = None,
    memory: Memory = "2GB",
    as_json: AsJson = False,
) -> None:
    """Score a past day again, as sales would have seen it; nothing is published."""
    from touchline.features.tables import Tables
    from touchline.pipelines.catalogs import load_catalog
    from touchline.pipelines.replay import replay as run

    agreed = load_agreed(playbook)
    usable_memory(memory)
    with store_at(store) as kept, steps(quiet=as_json) as progress:
        result = run(
            Tables.open(tables), agreed, registry_at(models), kept, instant(as_of),
            playbook_text=playbook.read_text(encoding="utf-8"), catalog=load_catalog(catalog, agreed), out=out,
            language=language, memory=memory, progress=progress,
        )  # fmt: skip
    if as_json:
        give_json(result.to_dict())
        return
    by = {"published": "the published batch's model", "champion": "the champion of that time",
          "back-test": "a model trained as if on that day"}[result.how]  # fmt: skip
    say(f"{result.leads:,} leads scored as of {result.as_of:%Y-%m-%d} by {by}.")
    if result.parity is not None:
        same = result.parity
        told = "the same for every lead" if same.same else (
            f"other for {same.differences:,} leads (by up to {same.largest:.3g}), {same.missing:,} are missing and "
            f"{same.further:,} are new: data was changed since"
        )  # fmt: skip
        say(f"Beside what was published: {told}.")
    if result.outcome is not None:
        of = result.outcome
        say(
            f"Since then: {of.won:,} of {of.leads:,} leads were won, {of.expected:.1f} were expected; "
            f"{of.called_won:,} of the wins are among the {of.called:,} that sales could call."
        )


def forget(
    lead: Annotated[str, typer.Argument(help="The lead's id.")],
    store: StorePlace = None,
    by: Annotated[str, typer.Option("--by", help="Who erases, for the audit log.")] = "command line",
    as_json: AsJson = False,
) -> None:
    """Erase a person from the store, and leave it out of all batches to come."""
    with store_at(store) as kept:
        batches = kept.forget(lead, by=by)
    if as_json:
        give_json({"ok": True, "batches": batches})
    else:
        say(f"Erased from {batches:,} batches, and left out of those to come. Tables and files are not the store's.")


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (score, replay, forget):
        app.command()(command)
