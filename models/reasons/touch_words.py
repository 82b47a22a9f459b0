"""Touches in words: how often they happened, and when last."""

from __future__ import annotations

from datetime import date
from math import isnan
from typing import NamedTuple, cast

from touchline.features.catalog import Account, Feature, Rate
from touchline.features.catalog.base import OneOrMore, several
from touchline.models.reasons.subjects import RECENT, Subject
from touchline.playbook import Playbook
from touchline.playbook.language import Language
from touchline.playbook.touches import Kind

MONTHS = round(RECENT / 30.44)
"""The window in which facts are counted, as people read it."""


class Facts(NamedTuple):
    """What the features of a subject's `Evidence` say of one lead."""

    count: int | None = None  # pyright: ignore[reportIncompatibleMethodOverride]  # nobody counts in facts
    """How often in the last `RECENT` days; of people how many."""
    against: int | None = None
    """Of a rate: how often what it is held against."""
    last: date | None = None
    """Day of the last time (of a stage when it was entered, of the lead when it was created); None if never."""
    value: str | float | bool | None = None
    """What an attribute, stage or other feature says; None or NaN if it is not known."""


class Reader(NamedTuple):
    """Whom a sentence is for, and when."""

    playbook: Playbook
    language: Language
    as_of: date


def touches_words(subject: Subject, facts: Facts, reader: Reader) -> str:
    """How often touches happened, and when last."""
    count = number_of(facts.count, subject)
    said = _happened(subject, count, reader)
    if count == 1 and facts.last is not None:
        day, ago = _day(facts.last, reader)
        said = reader.language.say("{said} on {day} ({ago})", said=said, day=day, ago=ago)
    else:
        said = _recently(said, facts.last, reader)
    return said


def _happened(subject: Subject, count: int, reader: Reader) -> str:
    """What happened (or did not) and how often, without its time."""
    playbook, language, code = reader.playbook, reader.language, reader.language.code
    match subject.about:
        case "kind":
            kind = playbook.kinds[subject.of]
            said = _kind(kind, count, language)
            if said is None:
                return _times(kind.words[code], count, subject, language)
        case "family":
            return _times(playbook.families[subject.of].words[code], count, subject, language)
        case "topic":
            said = _topic(playbook.topics[subject.of].words[code], count, language)
        case "channel":
            said = _channel(playbook.channels[subject.of].words[code], count, language)
        case "machine":
            said = _machine(count, language)
        case _:
            said = _interest(count, language)
    return _of_scope(said, subject, language)


def _kind(kind: Kind, count: int, language: Language) -> str | None:
    """In the playbook's own words; None if it has none for so many."""
    words = kind.none if count == 0 else kind.words if count == 1 else kind.many
    return None if words is None else language.typeset(words[language.code].replace("{n}", language.number(count)))


def _times(what: str, count: int, subject: Subject, language: Language) -> str:
    """Of what has no words of its own for many and for none."""
    if subject.scope == "account":
        what = language.say("{what} (company as a whole)", what=what)
    if count == 0:
        return language.say("{what}: not once", what=what)
    return language.count("{what}: once", "{what}: {n} times", count, what=what)


def _topic(topic: str, count: int, language: Language) -> str:
    if count == 0:
        return language.say("showed no interest in {topic}", topic=topic)
    return language.count("showed interest in {topic}", "showed interest in {topic} {n} times", count, topic=topic)


def _channel(channel: str, count: int, language: Language) -> str:
    if count == 0:
        return language.say("showed no interest through the channel “{channel}”", channel=channel)
    return language.count(
        "showed interest through the channel “{channel}”",
        "showed interest through the channel “{channel}” {n} times",
        count,
        channel=channel,
    )


def _interest(count: int, language: Language) -> str:
    if count == 0:
        return language.say("showed no sign of interest")
    return language.count("showed interest", "showed interest {n} times", count)


def _machine(count: int, language: Language) -> str:
    if count == 0:
        return language.say("no link scanner opened an e-mail or a link")
    return language.count(
        "a link scanner opened an e-mail or a link", "link scanners opened e-mails or links {n} times", count
    )


def people_words(subject: Subject, facts: Facts, reader: Reader) -> str:
    """How many people of the company were active, and when last."""
    count, language = number_of(facts.count, subject), reader.language
    if count == 0:
        said = language.say("nobody at the company was active")
    else:
        said = language.count("{n} person at the company was active", "{n} people at the company were active", count)
    return _recently(said, facts.last, reader)


def rate_words(subject: Subject, facts: Facts, feature: Feature, reader: Reader) -> str:
    """Both numbers of a rate, so that nobody has to guess what a share is of."""
    rate = feature.inner if isinstance(feature, Account) else feature
    if not isinstance(rate, Rate):
        told = f"a subject about 'rate' needs a Rate as its `feature`, not {type(rate).__name__}"
        raise ValueError(told)  # noqa: TRY004  # its value does not fit the subject
    language = reader.language
    count, against = number_of(facts.count, subject), number_of(facts.against, subject)
    said = _clause(rate.per, against, reader)
    if count or against:
        said = language.say("{said} and {more}", said=said, more=_clause(rate.kind, count, reader))
    return _of_scope(_recently(said, None, reader), subject, language)


def _clause(kinds: OneOrMore, count: int, reader: Reader) -> str:
    """What happened how often, to stand beside another clause."""
    language = reader.language
    found = [reader.playbook.kinds[name] for name in several(kinds)]
    said = _kind(found[0], count, language) if len(found) == 1 else None
    if said is not None:
        return said
    what = " / ".join(kind.words[language.code] for kind in found) or language.say("any touch")
    if count == 0:
        return language.say("{what} (not once)", what=what)
    return language.count("{what} (once)", "{what} ({n} times)", count, what=what)


def _recently(said: str, last: date | None, reader: Reader) -> str:
    language = reader.language
    window = language.count("in the last month", "in the last {n} months", MONTHS)
    if last is None:
        return language.say("{said} {window}", said=said, window=window)
    day, ago = _day(last, reader)
    return language.say("{said} {window}, last on {day} ({ago})", said=said, window=window, day=day, ago=ago)


def _day(day: date, reader: Reader) -> tuple[str, str]:
    return reader.language.date(day, reader.as_of), reader.language.ago(day, reader.as_of)


def _of_scope(said: str, subject: Subject, language: Language) -> str:
    return language.say("the company as a whole: {said}", said=said) if subject.scope == "account" else said


def is_missing(value: str | float | None) -> bool:
    """Whether a fact is not known: None, or NaN as frames have it."""
    return value is None or (not isinstance(value, str) and isnan(value))


def number_of(value: str | float | None, subject: Subject) -> int:
    """A fact that has to be there, as a whole number.

    Raises
    ------
    ValueError
        If it is missing.
    """
    if isinstance(value, str) or is_missing(value):
        raise ValueError(f"what is said about {subject.about!r} needs a number; give the facts of its evidence")
    return int(cast("float", value))
