"""The card: all that sales reads of one lead, in one language, as plain data."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from touchline.models.scorer.ladder import Rung


@dataclass(frozen=True)
class TouchLine:
    """A touch that a reason stands on.

    Attributes
    ----------
    touch_id, day
        Which one, and the day it happened.
    words
        What it was.
    points
        Of the score, that are laid to it; not rounded.
    """

    touch_id: str
    day: date
    words: str
    points: float


@dataclass(frozen=True)
class Line:
    """A part of a sum: its words, and its whole points."""

    words: str
    points: int


@dataclass(frozen=True)
class ReasonLine(Line):
    """A reason: what it is about, its sentence, its points, and the touches it stands on."""

    family: str
    headline: str
    touches: tuple[TouchLine, ...]


@dataclass(frozen=True)
class ChangeLines:
    """What changed since an earlier date: in a sentence, and in parts that add up to `points`."""

    since: date
    points: int
    words: str
    parts: tuple[Line, ...]


@dataclass(frozen=True)
class ShareLine:
    """A document that is worth sharing next, and why."""

    asset: str
    title: str
    address: str | None
    words: str


@dataclass(frozen=True)
class Insight:
    """What to know besides the score, in words.

    Attributes
    ----------
    moments
        What happened lately that is worth a call, newest first.
    told
        What marketing told already, last first.
    share
        What to share next.
    pressure
        How often we contacted this person.
    too_much
        Whether that is as much as was agreed, or more.
    """

    moments: tuple[str, ...]
    told: tuple[str, ...]
    share: tuple[ShareLine, ...]
    pressure: str
    too_much: bool


@dataclass(frozen=True)
class LeadCard:
    """One lead, scored and explained; it shows itself in a notebook, and as text, Markdown, HTML or JSON.

    Attributes
    ----------
    lead_id, account_id, as_of, language
        Of whom, as of when, in what language.
    rung
        What the model may say at all.
    alike
        Whether the model gives every lead the same score: there is nothing to explain, and no score to show.
    chance
        How likely a win is, in words that respect the rung; `probability`, `low` and `high` are the numbers, None
        where the model may not say them.
    score, tier, grade, flames
        The scales of `touchline.models.scale`; the score in whole points.
    base, reasons, rest
        Lines whose points add up to the score.
    change
        What changed since an earlier date; None if none was asked for, or the lead was not known then.
    touches
        The touches that count most, whatever the reason, most first.
    insight
        What to know besides.
    model
        Name and version of the model.
    """

    lead_id: str
    account_id: str | None
    as_of: datetime
    language: str
    rung: Rung
    alike: bool
    chance: str
    probability: float | None
    low: float | None
    high: float | None
    score: int
    tier: str
    grade: str
    flames: int
    base: Line
    reasons: tuple[ReasonLine, ...]
    rest: Line
    change: ChangeLines | None
    touches: tuple[TouchLine, ...]
    insight: Insight
    model: str

    @property
    def sum(self) -> list[Line]:
        """The lines whose points add up to the score, in order."""
        return [self.base, *self.reasons, self.rest]

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON; days and instants in ISO 8601."""
        return _plain(asdict(self))

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n"

    def to_text(self) -> str:
        """For a terminal, or to paste into a note."""
        from touchline.serve.card.text import as_text

        return as_text(self)

    def to_markdown(self) -> str:
        """For a chat or a ticket."""
        from touchline.serve.card.text import as_markdown

        return as_markdown(self)

    def to_html(self) -> str:
        """A page of its own, with nothing to load from elsewhere."""
        from touchline.serve.card.html import as_page

        return as_page(self)

    def _repr_html_(self) -> str:
        from touchline.serve.card.html import as_fragment

        return as_fragment(self)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(of) for name, of in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value
