"""The commands about models: train, compare, promote, rollback, models."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from touchline.pipelines.console import give_json, say, steps
from touchline.pipelines.exits import Exit
from touchline.pipelines.options import (
    AsJson,
    CatalogPath,
    Memory,
    PlaybookPath,
    TablesPath,
    length_of_time,
    load_agreed,
    usable_memory,
)

if TYPE_CHECKING:
    from datetime import timedelta

    from touchline.models.registry import Registry

ModelsPlace = Annotated[
    str | None,
    typer.Option(
        "--models",
        "-m",
        envvar="TOUCHLINE_MODELS",
        help="Where models are kept: a folder, or the address of an MLflow server. [default: your data folder]",
    ),
]
Which = Annotated[str, typer.Option("--version", help="A version's number, or an alias.")]


def registry_at(place: str | None) -> Registry:
    """The registry in a folder or at an address; by default in the user's data folder, wherever the job runs."""
    from touchline.models.registry import Registry

    if place is None:
        data = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        return Registry.local(Path(data) / "touchline" / "models")
    return Registry.at(place) if "://" in place else Registry.local(place)


def train(
    playbook: PlaybookPath,
    tables: TablesPath,
    models: ModelsPlace = None,
    catalog: CatalogPath = None,
    seed: Annotated[int, typer.Option(min=0, help="The same data and seed give the same model.")] = 0,
    tune: Annotated[
        str | None, typer.Option("--tune", help="Search settings of the trees for so long, such as 20min.")
    ] = None,
    study: Annotated[
        Path | None, typer.Option("--study", help="File that keeps the search, so that it goes on after a kill.")
    ] = None,
    memory: Memory = "2GB",
    as_json: AsJson = False,
) -> None:
    """Train a model on checked tables, judge it on later rows, and register it as challenger."""
    from touchline.features.tables import Tables
    from touchline.pipelines.catalogs import load_catalog
    from touchline.pipelines.train import train as run

    budget = _budget(tune, study)
    agreed = load_agreed(playbook)
    usable_memory(memory)
    with steps(quiet=as_json) as progress:
        result = run(
            Tables.open(tables), playbook, registry_at(models), catalog=load_catalog(catalog, agreed), memory=memory,
            seed=seed, tune=budget, study=study, progress=progress,
        )  # fmt: skip
    if as_json:
        give_json(result.to_dict())
    else:
        from rich.console import Console

        from touchline.pipelines.model_report import show_trained

        show_trained(result, Console(highlight=False))
    if result.audit.blocked:
        raise typer.Exit(Exit.LEAK)


def _budget(tune: str | None, study: Path | None) -> timedelta | None:
    """How long to search settings; what is missing for it is told before anything is built."""
    if tune is None:
        if study is not None:
            raise typer.BadParameter("it keeps a search, and none was asked for; add --tune", param_hint="--study")
        return None
    if study is not None and not study.resolve().parent.is_dir():
        raise typer.BadParameter(f"there is no folder {str(study.parent)!r}", param_hint="--study")
    budget = length_of_time(tune, "--tune")
    from touchline.models.tuning import require_optuna

    require_optuna()
    return budget


def compare(
    playbook: PlaybookPath,
    tables: TablesPath,
    models: ModelsPlace = None,
    version: Which = "challenger",
    catalog: CatalogPath = None,
    memory: Memory = "2GB",
    as_json: AsJson = False,
) -> None:
    """Hold the challenger against the champion, without changing anything."""
    _judge(playbook, tables, models, version, catalog, memory, as_json=as_json, promote=False)


def promote(
    playbook: PlaybookPath,
    tables: TablesPath,
    models: ModelsPlace = None,
    version: Which = "challenger",
    catalog: CatalogPath = None,
    memory: Memory = "2GB",
    as_json: AsJson = False,
) -> None:
    """Make the challenger champion if the playbook's rule allows it; else say why not."""
    _judge(playbook, tables, models, version, catalog, memory, as_json=as_json, promote=True)


def _judge(
    playbook: Path,
    tables: Path,
    models: str | None,
    version: str,
    catalog: Path | None,
    memory: str,
    *,
    as_json: bool,
    promote: bool,
) -> None:
    from touchline.features.tables import Tables
    from touchline.pipelines.catalogs import load_catalog
    from touchline.pipelines.promote import judge_challenger

    agreed = load_agreed(playbook)
    usable_memory(memory)
    registry = registry_at(models)
    with steps(quiet=as_json) as progress:
        judgement = judge_challenger(
            Tables.open(tables), agreed, registry, which=version, catalog=load_catalog(catalog, agreed), memory=memory,
            progress=progress,
        )  # fmt: skip
        promoted = promote and judgement.allowed
        if promoted:
            registry.promote(judgement.challenger, judgement.to_dict())
    if as_json:
        give_json({**judgement.to_dict(), "promoted": promoted})
    else:
        from rich.console import Console

        from touchline.pipelines.model_report import show_judgement

        show_judgement(judgement, Console(highlight=False), promoted=promoted)
    if promote and not promoted:
        raise typer.Exit(Exit.NOT_PROMOTED)


def rollback(models: ModelsPlace = None, as_json: AsJson = False) -> None:
    """Make the champion before this one champion again."""
    champion = registry_at(models).rollback()
    if as_json:
        give_json({"champion": champion.version, "digest": champion.digest})
    else:
        say(f"Version {champion.version} scores again.")


def models(models: ModelsPlace = None, as_json: AsJson = False) -> None:
    """Show which model scores, and which did before."""
    registry = registry_at(models)
    aliases = registry.aliases()
    history = registry.history() if aliases else []
    if as_json:
        give_json({"aliases": aliases, "history": [entry.to_dict() for entry in history]})
    else:
        from rich.console import Console

        from touchline.pipelines.model_report import show_models

        show_models(aliases, history, Console(highlight=False))


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    for command in (train, compare, promote, rollback, models):
        app.command()(command)
