"""The command about what came of the scores: monitor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from touchline.pipelines.batch_commands import StorePlace, store_at
from touchline.pipelines.console import give_json, say, steps
from touchline.pipelines.exits import Exit
from touchline.pipelines.model_commands import ModelsPlace, registry_at
from touchline.pipelines.options import (
    AsJson,
    CatalogPath,
    Memory,
    PlaybookPath,
    TablesPath,
    load_agreed,
    usable_memory,
)


def monitor(
    playbook: PlaybookPath,
    tables: TablesPath,
    models: ModelsPlace = None,
    store: StorePlace = None,
    batches: Annotated[
        int, typer.Option("--batches", min=1, help="How many of the newest, and of those whose windows are over.")
    ] = 14,
    html: Annotated[Path | None, typer.Option("--html", help="File for the result as a page.")] = None,
    mlflow: Annotated[bool, typer.Option(help="Write the figures to the registry's experiment, too.")] = True,
    catalog: CatalogPath = None,
    memory: Memory = "2GB",
    as_json: AsJson = False,
) -> None:
    """Hold published scores against what came; look for drift and silent feeds. Ends with 9 if a person must look."""
    from touchline.features.tables import Tables
    from touchline.pipelines.catalogs import load_catalog
    from touchline.pipelines.monitor import monitor as run

    agreed = load_agreed(playbook)
    usable_memory(memory)
    registry = registry_at(models)
    with store_at(store) as kept, steps(quiet=as_json) as progress:
        result = run(
            Tables.open(tables), agreed, kept, registry, batches=batches, catalog=load_catalog(catalog, agreed),
            memory=memory, progress=progress,
        )  # fmt: skip
        if mlflow:
            from touchline.pipelines.monitoring.tracking import log_monitoring

            progress("writing to the registry")
            log_monitoring(registry, result)
    if html is not None:
        from touchline.pipelines.monitoring.page import page

        html.write_text(page(result), encoding="utf-8")
    if as_json:
        give_json(result.to_dict())
    else:
        from rich.console import Console

        from touchline.pipelines.monitoring.report import show_monitoring

        show_monitoring(result, Console(highlight=False))
    if html is not None and not as_json:
        say(f"Written to {html}.")
    if result.needs_attention:
        raise typer.Exit(Exit.NEEDS_ATTENTION)


def add_to(app: typer.Typer) -> None:
    """Add the command to the command line."""
    app.command()(monitor)
