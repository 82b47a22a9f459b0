"""The commands about leads: explain."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from touchline.pipelines.batch_commands import StorePlace, store_at
from touchline.pipelines.console import say, steps
from touchline.pipelines.model_commands import ModelsPlace, Which, registry_at
from touchline.pipelines.options import CatalogPath, instant, load_agreed

if TYPE_CHECKING:
    from touchline.serve.card import LeadCard


class Form(StrEnum):
    """How a card is given."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"


def explain(
    lead: Annotated[str, typer.Argument(help="The lead's id.")],
    playbook: Annotated[Path | None, typer.Option("--playbook", "-p", help="The playbook file.")] = None,
    tables: Annotated[Path | None, typer.Option("--tables", "-t", help="Folder of checked tables.")] = None,
    models: ModelsPlace = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="As of when. [default: the end of the data]")] = None,
    since: Annotated[str | None, typer.Option("--since", help="Also say what changed since then.")] = None,
    language: Annotated[
        str | None, typer.Option("--lang", "-l", help="One of the playbook's languages. [default: its first]")
    ] = None,
    form: Annotated[Form, typer.Option("--format", "-f", help="How to give it.")] = Form.TEXT,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="File to write; stdout if left out.")] = None,
    version: Which = "champion",
    before: Annotated[
        str | None, typer.Option("--before", help="The version that scored at --since, if it was another.")
    ] = None,
    catalog: CatalogPath = None,
    published: Annotated[
        bool, typer.Option("--published", help="What the last batch in the store says; needs no data and no model.")
    ] = False,
    store: StorePlace = None,
) -> None:
    """Say why a lead has its score: reasons, touches, what changed, what to share next."""
    if published:
        card = _published(lead, store, language)
    else:
        if playbook is None or tables is None:
            lacking = "--playbook" if playbook is None else "--tables"
            raise typer.BadParameter("it is missing; or ask for what was --published", param_hint=lacking)
        if before is not None and since is None:
            raise typer.BadParameter("it scored at an earlier instant; add --since", param_hint="--before")
        card = _explained(
            lead, playbook, tables, models, as_of, since, language, version, before, catalog, quiet=form is Form.JSON
        )
        if since is not None and card.change is None:
            say(f"On {since} the lead was not known yet: there is nothing to compare with.")
    text = {"text": card.to_text, "markdown": card.to_markdown, "html": card.to_html, "json": card.to_json}[form]()
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")
        say(f"Written to {out}.")


def _published(lead: str, store: str | None, language: str | None) -> LeadCard:
    from touchline.features.sources import DataError
    from touchline.serve.card.stored import stored_card

    with store_at(store) as kept:
        found = kept.lead(lead)
    if found is None:
        raise DataError("the last batch", "does not hold this lead", "look at its id, or explain it from the tables")
    try:
        return stored_card(found, language)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--lang") from None


def _explained(
    lead: str,
    playbook: Path,
    tables: Path,
    models: str | None,
    as_of: str | None,
    since: str | None,
    language: str | None,
    version: str,
    before: str | None,
    catalog: Path | None,
    *,
    quiet: bool,
) -> LeadCard:
    from touchline.features.tables import Tables
    from touchline.pipelines.catalogs import load_catalog
    from touchline.serve.explain import explain_leads

    agreed = load_agreed(playbook)
    if language is not None and language not in agreed.languages:
        spoken = ", ".join(agreed.languages)
        raise typer.BadParameter(f"the playbook speaks {spoken}, not {language!r}", param_hint="--lang")
    registry = registry_at(models)
    with steps(quiet=quiet) as progress:
        (card,) = explain_leads(
            Tables.open(tables), agreed, registry.load(version), [lead],
            as_of=instant(as_of) if as_of else None, since=instant(since, "--since") if since else None,
            before=registry.load(before) if before is not None else None, language=language,
            catalog=load_catalog(catalog, agreed), progress=progress,
        )  # fmt: skip
    return card


def add_to(app: typer.Typer) -> None:
    """Add the commands to the command line."""
    app.command()(explain)
