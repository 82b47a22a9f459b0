"""Cards as text, and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from textwrap import indent

from touchline.playbook.language import Language
from touchline.serve.card.card import ChangeLines, LeadCard, ShareLine

_FLAME = "▲"


def as_text(card: LeadCard) -> str:
    """A card for a terminal."""
    language = Language.of(card.language)
    lines = [title(card), "", card.chance]
    for head, body in _sections(card, language):
        lines += ["", head.upper(), indent("\n".join(body), "  ")]
    return "\n".join(lines) + "\n"


def as_markdown(card: LeadCard) -> str:
    """A card for a chat or a ticket."""
    language = Language.of(card.language)
    lines = [f"### {_escaped(title(card))}", "", _escaped(card.chance)]
    for head, body in _sections(card, language):
        lines += ["", f"**{head}**", "", *(f"- {_escaped(line.strip())}" for line in body)]
    return "\n".join(lines) + "\n"


def title(card: LeadCard) -> str:
    """Lead, score and the other scales in a line."""
    language = Language.of(card.language)
    if card.alike:
        return language.say("Lead {lead}", lead=card.lead_id)
    said = language.say(
        "Lead {lead}: score {score}, tier {tier}, grade {grade}",
        lead=card.lead_id, score=card.score, tier=card.tier, grade=card.grade,
    )  # fmt: skip
    return f"{said} {_FLAME * card.flames}".rstrip()


def _sections(card: LeadCard, language: Language) -> Iterator[tuple[str, list[str]]]:
    if not card.alike:
        yield language.say("Why"), list(_sum(card, language))
    if card.change is not None:
        yield (
            language.say("Since {day}", day=language.date(card.change.since, card.as_of.date())),
            list(_change(card.change, language)),
        )
    insight = card.insight
    sections: list[tuple[str, Iterable[str]]] = [
        (language.say("Touches that counted most"), [f"{t.words} ({language.points(t.points)})" for t in card.touches]),
        (language.say("Interesting moments"), insight.moments),
        (language.say("Already told"), [*insight.told, insight.pressure]),
        (language.say("Worth sharing next"), [_named(share, language) for share in insight.share]),
    ]
    for head, lines in sections:
        if body := list(lines):
            yield head, body
    day = language.date(card.as_of.date())
    yield (
        language.say("Where this comes from"),
        [language.say("Scored as of {day} by {model}", day=day, model=card.model)],
    )


def _named(share: ShareLine, language: Language) -> str:
    return language.say("{name}: {said}", name=share.title, said=share.words)


def _change(change: ChangeLines, language: Language) -> Iterator[str]:
    """The sentence, and under it each part in full."""
    yield change.words
    for part in change.parts:
        yield f"{language.points(part.points):>5}  {part.words}"


def _sum(card: LeadCard, language: Language) -> Iterator[str]:
    """The parts of the score, one a line, their points in a column."""
    yield f"{language.number(card.base.points):>5}  {card.base.words}"
    for reason in card.reasons:
        named = reason.words.startswith(reason.headline)  # some sentences begin with what the reason is about
        words = reason.words if named else f"{reason.headline} \N{EN DASH} {reason.words}"
        yield f"{language.points(reason.points):>5}  {words}"
    yield f"{language.points(card.rest.points):>5}  {card.rest.words}"
    yield f"{card.score:>5}  {language.say('Score')}"


def _escaped(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>#|&~" else c for c in text)
