"""Explaining single leads: from tables and a model to cards.

The same code as a batch's, on a few leads; the page reads what the batch stored instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from touchline.features import build_scoring_set
from touchline.features.catalog import Catalog
from touchline.features.sources import DataError
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Progress
from touchline.features.trace import Trace
from touchline.models.reasons.tracing import catalog_of, traceable
from touchline.playbook import Playbook
from touchline.playbook.language import Language
from touchline.serve.batch.explaining import FORTNIGHT, WEEK, Explaining, Frames
from touchline.serve.card.build import Writer
from touchline.serve.card.card import LeadCard
from touchline.serve.card.insight import insight_of, titles_of

if TYPE_CHECKING:
    import pandas as pd

    from touchline.models.registry import LoadedModel


def explain_leads(
    tables: Tables,
    playbook: Playbook,
    model: LoadedModel,
    leads: Sequence[str],
    *,
    as_of: datetime | date | None = None,
    since: datetime | date | None = None,
    before: LoadedModel | None = None,
    language: str | None = None,
    catalog: Catalog | None = None,
    progress: Progress = lambda step: None,
) -> list[LeadCard]:
    """Score and explain leads as of an instant.

    Parameters
    ----------
    tables, playbook
        What is known, and what was agreed on.
    model
        The model, as the registry loads it.
    leads
        Their ids; eligible or not.
    as_of
        By default the end of the data. Nothing that was known later counts.
    since
        An earlier instant: the cards of leads that were known then say what changed.
    before
        The model that scored at `since`, if it is another.
    language
        One that the playbook speaks; its first by default.
    catalog
        The features that the model was trained with, if not the playbook's default ones.

    Returns
    -------
    list
        A card for each lead, in the order asked for.

    Raises
    ------
    DataError
        If a lead does not exist, is named twice, or was not known at `as_of`; or `since` is not before `as_of`.
    ValueError
        If the playbook does not speak the language.
    """
    as_of = _instant(as_of) if as_of is not None else datetime.fromisoformat(tables.manifest["result"]["last"])
    earlier = _instant(since) if since is not None else None
    if earlier is not None and earlier >= as_of:
        raise DataError("since", f"is not before {as_of:%Y-%m-%d %H:%M}", "name an earlier instant")
    language = language or playbook.languages[0]
    if language not in playbook.languages:
        raise ValueError(f"the playbook speaks {', '.join(playbook.languages)}, not {language!r}; name one of these")
    spoken = Language.of(language)
    known = _known_since(tables, leads, as_of)
    catalog = catalog or Catalog.default(playbook)
    progress("making the model ready")
    explaining = Explaining(
        playbook, catalog, model.model, model.scale, before=before.model if before and before != model else None
    )
    progress("computing features")

    def features(at: datetime, known_before: datetime | None = None) -> pd.DataFrame:
        return build_scoring_set(
            tables, playbook, at, catalog=explaining.catalog, leads=list(leads), known_before=known_before
        ).frame

    frames = Frames(
        features(as_of),
        *(features(as_of, as_of - timedelta(days=days)) for days in (WEEK, FORTNIGHT)),
        *((features(earlier), features(as_of, earlier)) if earlier is not None else ()),
    )
    progress("explaining")
    explained = explaining.explain(frames)
    names = explained.contributions.names
    with Trace(tables, playbook, catalog_of(catalog, names), explained.keys[["lead_id", "as_of"]]) as trace:
        grouping = explained.reasons.grouping
        touched = trace.apportion(traceable(explained.contributions, catalog), groups=grouping.family_of_feature)
    progress("looking for moments")
    insight = insight_of(tables, playbook, as_of, list(leads), spoken)
    called = f"{model.name} {model.version}"
    alike = not any(one.parts for one in (model.model, model.model.previous) if one is not None)
    writer = Writer(playbook, catalog, spoken, model.model.rung, alike, called, titles_of(tables))
    cards = {card.lead_id: card for card in writer.cards(explained, touched, insight, earlier)}
    strangers = {lead for lead, moment in known.items() if earlier is not None and moment >= earlier}
    return [replace(cards[lead], change=None) if lead in strangers else cards[lead] for lead in leads]


def _known_since(tables: Tables, leads: Sequence[str], as_of: datetime) -> dict[str, datetime]:
    """From when on each lead existed and was known; before `as_of`, or they are refused."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = tables.arrow("leads", ["lead_id", "created_at", "known_at"])
    found = table.filter(pc.is_in(table["lead_id"], pa.array(list(leads), pa.string()))).to_pylist()
    if strangers := len(set(leads)) - len(found):
        raise DataError("leads", f"{strangers:,} of those asked for are not in the tables", "look at the ids again")
    known = {row["lead_id"]: max(row["created_at"], row["known_at"]) for row in found}
    if late := sum(moment >= as_of for moment in known.values()):
        wrong = f"{late:,} of those asked for were not known yet at {as_of:%Y-%m-%d %H:%M}"
        raise DataError("leads", wrong, "name a later instant, or leave them out")
    return known


def _instant(moment: datetime | date) -> datetime:
    if not isinstance(moment, datetime):
        return datetime.combine(moment, time(), UTC)
    if moment.tzinfo is None:
        raise DataError("the instant", "has no time zone", "give one, such as datetime(2024, 1, 1, tzinfo=UTC)")
    return moment
