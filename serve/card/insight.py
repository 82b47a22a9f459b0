"""What to know besides the score, in words: moments, what was told, what to share, how often we were in contact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from touchline.features.tables import Tables
from touchline.playbook import Playbook
from touchline.playbook.language import Language
from touchline.serve.card.card import Insight, ShareLine
from touchline.serve.insight import (
    already_told,
    contact_pressure,
    find_moments,
    moment_sentence,
    next_to_share,
    share_sentence,
    told_sentence,
)
from touchline.serve.insight.words import topic_words

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_TOLD = 6


def insight_of(
    tables: Tables, playbook: Playbook, as_of: datetime, leads: Sequence[str], language: Language
) -> dict[str, Insight]:
    """Insight for each lead."""
    asked = (tables, playbook, as_of, leads)
    today = as_of.astimezone(ZoneInfo(playbook.time_zone) if playbook.time_zone else UTC).date()
    moments, told, share = (_by_lead(find(*asked)) for find in (find_moments, already_told, next_to_share))
    pressure = {row["lead_id"]: row for row in contact_pressure(*asked).to_pylist()}
    words = Words(playbook, language, today, titles_of(tables))
    return {lead: words.insight(moments[lead], told[lead], share[lead], pressure.get(lead)) for lead in leads}


@dataclass(frozen=True)
class Words:
    """Puts rows of insight into words, for one lead at a time.

    Attributes
    ----------
    playbook, language
        The agreement, and a language that it speaks.
    today
        The day in the playbook's zone.
    titles
        Of assets, by their names.
    """

    playbook: Playbook
    language: Language
    today: date
    titles: Mapping[str, str]

    def insight(
        self,
        moments: Sequence[dict[str, Any]],
        told: Sequence[dict[str, Any]],
        share: Sequence[dict[str, Any]],
        pressure: dict[str, Any] | None,
    ) -> Insight:
        """Insight of a lead; the tables are those of `touchline.serve.insight`, as lists of rows."""
        playbook, language, today = self.playbook, self.language, self.today
        counted = pressure or {"last_30_days": 0, "too_much": False}
        return Insight(
            moments=tuple(moment_sentence(row, playbook, language, today) for row in _told_once(moments)),
            told=tuple(told_sentence(row, self._name(row), playbook, language, today) for row in told[:_MOST_TOLD]),
            share=tuple(
                ShareLine(
                    row["asset"],
                    self.titles.get(row["asset"]) or str(row["asset"]),
                    row["address"],
                    share_sentence(row, playbook, language),
                )
                for row in share
            ),
            pressure=_pressure(counted, language),
            too_much=counted["too_much"],
        )

    def _name(self, row: dict[str, Any]) -> str:
        if row["about"] == "topic":
            return topic_words(row["name"], self.playbook, self.language)
        return self.titles.get(row["name"]) or row["name"]


def _told_once(moments: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Moments without those that another tells more of: the first time of a kind is no second moment of its day."""
    first = {(row["kind"], row["day"]) for row in moments if row["moment"] == "first_time"}
    return [row for row in moments if row["moment"] != "high_intent" or (row["kind"], row["day"]) not in first]


def titles_of(tables: Tables) -> dict[str, str]:
    """Titles of assets in a line, by their names; of those that have one."""
    rows: list[dict[str, Any]] = tables.arrow("assets", ["asset", "title"]).to_pylist()
    return {row["asset"]: " ".join(row["title"].split()) for row in rows if row["title"] and row["title"].strip()}


def _pressure(counted: dict[str, Any], language: Language) -> str:
    n = counted["last_30_days"]
    said = language.count("Contacted {n} time in the last 30 days", "Contacted {n} times in the last 30 days", n)
    return language.say("{said}: as much as was agreed, or more", said=said) if counted["too_much"] else said


def _by_lead(table: pa.Table) -> defaultdict[str, list[dict[str, Any]]]:
    found: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in table.to_pylist():
        found[row["lead_id"]].append(row)
    return found
