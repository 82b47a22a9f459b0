"""Cards as HTML: a fragment for notebooks, a page of its own for everybody else."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from touchline.playbook.language import Language
from touchline.serve.card.card import LeadCard, Line, ReasonLine, TouchLine
from touchline.serve.card.text import title

if TYPE_CHECKING:
    from jinja2 import Template

_WIDTH = 176
"""Of the waterfall, in pixels."""
_LINE = (8, 632)
"""Ends of the time line."""


@dataclass(frozen=True)
class Bar:
    """A bar of the waterfall: from where the sum stood to where this line takes it."""

    points: str
    words: str
    headline: str
    touches: tuple[TouchLine, ...]
    x: float
    width: float
    colour: str
    tone: str


def as_fragment(card: LeadCard) -> str:
    """A card to stand within a page."""
    language = Language.of(card.language)
    insight = card.insight
    lists = [
        (language.say("Interesting moments"), insight.moments),
        (language.say("Already told"), (*insight.told, insight.pressure)),
    ]
    share = [{"title": s.title, "words": s.words, "link": _link(s.address)} for s in insight.share]
    return _template().render(
        card={**vars(card), "insight": {"share": share}},
        title=title(card),
        _=language.say,
        points=language.points,
        waterfall=waterfall(card),
        since=language.date(card.change.since, card.as_of.date()) if card.change else "",
        lists=[(head, lines) for head, lines in lists if lines],
        origin=language.say("Scored as of {day} by {model}", day=language.date(card.as_of.date()), model=card.model),
        **_time_line(card, language),
    )


def as_page(card: LeadCard) -> str:
    """A page of its own."""
    from html import escape

    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head += f"<title>{escape(title(card))}</title>"
    return f'<!doctype html>\n<html lang="{card.language}"><head>{head}</head><body>{as_fragment(card)}</body></html>\n'


def waterfall(card: LeadCard) -> list[Bar]:
    """The lines of the sum, as bars from where the sum stood to where it goes, and the score itself."""
    language = Language.of(card.language)
    stands, spans = 0, list[tuple[Line, int, int]]()
    for line in card.sum:
        spans.append((line, stands, stands + line.points))
        stands += line.points
    low = min(0, *(min(begin, end) for _, begin, end in spans))
    high = max(99, *(max(begin, end) for _, begin, end in spans))
    scale = _WIDTH / (high - low)

    def bar(line: Line, begin: int, end: int) -> Bar:
        raises = end >= begin
        sign = "" if line is card.base else "for" if raises else "against"
        return Bar(
            points=language.number(line.points) if line is card.base else language.points(line.points),
            words=line.words,
            headline=line.headline if isinstance(line, ReasonLine) else "",
            touches=line.touches if isinstance(line, ReasonLine) else (),
            x=round((min(begin, end) - low) * scale, 1),
            width=max(1.0, round(abs(end - begin) * scale, 1)),
            colour=sign or "base",
            tone=f"tl-{sign}" if sign else "tl-soft",
        )

    score = Line(language.say("Score"), card.score)
    last = Bar(
        str(card.score), score.words, "", (), round(-low * scale, 1), max(1.0, round(card.score * scale, 1)), "ink", ""
    )
    return [*(bar(*span) for span in spans), last]


def _time_line(card: LeadCard, language: Language) -> dict[str, Any]:
    """Touches as dots, by when they were and how much they count."""
    if not card.touches:
        return {"dots": [], "dots_words": "", "first": "", "last": ""}
    today = card.as_of.date()
    begin = min(touch.day for touch in card.touches)
    days = max(1, (today - begin).days)
    most = max(touch.points for touch in card.touches)
    width = _LINE[1] - _LINE[0]
    dots = [
        {
            "x": round(_LINE[0] + width * (touch.day - begin).days / days, 1),
            "radius": round(3 + 7 * touch.points / most, 1),
            "words": touch.words,
        }
        for touch in card.touches
    ]
    said = language.say(
        "{name}: {said}",
        name=language.say("Time line of touches"),
        said=language.listed(touch.words for touch in card.touches),
    )
    return {"dots": dots, "dots_words": said, "first": language.date(begin, today), "last": language.date(today)}


def _link(address: str | None) -> str | None:
    """An address that may be followed: what a CRM exports is not always one."""
    return address if address and address.startswith(("https://", "http://")) else None


@cache
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("touchline.serve.card", "")
    # Everything that is put in is text, and is escaped.
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return made.get_template("card.html")
