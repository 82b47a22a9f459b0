"""Reasons in words: from a subject and its facts to one plain sentence, in each language.

A sentence states facts and never a cause ("attended 2 webinars", not "because of 2 webinars"), says of what did not
happen that it did not, and names no person. It begins with a capital letter and ends without a full stop.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from touchline.features.catalog import Account, Age, Attribute, Feature, Share
from touchline.features.catalog.words import family_words, label
from touchline.models.reasons.rounding import whole_points
from touchline.models.reasons.subjects import Subject
from touchline.models.reasons.touch_words import (
    Facts,
    Reader,
    is_missing,
    number_of,
    people_words,
    rate_words,
    touches_words,
)
from touchline.playbook import Playbook
from touchline.playbook.language import Language

__all__ = [
    "Facts",
    "ageing",
    "base_line",
    "capitalised",
    "change_sentence",
    "counts_against",
    "counts_for",
    "everything_else",
    "headline",
    "new_model",
    "profile_changed",
    "sentence",
]


def sentence(
    subject: Subject,
    facts: Facts,
    *,
    playbook: Playbook,
    language: Language,
    as_of: date,
    feature: Feature | None = None,
) -> str:
    """One plain sentence about a subject: "Attended 2 webinars in the last 3 months, last on 12 March (8 days ago)".

    Parameters
    ----------
    feature
        The feature that a subject about `rate` or `other` is named after; others need none.

    Raises
    ------
    ValueError
        If the playbook does not speak the language, or the facts (or the feature) that the subject needs are missing.
    """
    if language.code not in playbook.languages:
        raise ValueError(f"the playbook has no words in {language.code!r}; use one of {', '.join(playbook.languages)}")
    reader = Reader(playbook, language, as_of)
    match subject.about:
        case "stage":
            said = _stage(facts, reader)
        case "attribute":
            said = _attribute(subject.of, facts, reader)
        case "age":
            said = _age(facts, reader)
        case "calendar":
            week = language.number(number_of(facts.value, subject))
            said = language.say("week {week} of the quarter", week=week)
        case "rate" | "other":
            if feature is None:
                raise ValueError(f"a subject about {subject.about!r} is worded from its feature; give `feature`")
            is_rate = subject.about == "rate"
            said = rate_words(subject, facts, feature, reader) if is_rate else _other(facts, feature, reader)
        case "people":
            said = people_words(subject, facts, reader)
        case _:
            said = touches_words(subject, facts, reader)
    return capitalised(said)


def capitalised(text: str) -> str:
    """A text that begins with a capital letter."""
    return text[:1].upper() + text[1:]


# --- What is not touches ---


def _stage(facts: Facts, reader: Reader) -> str:
    playbook, language = reader.playbook, reader.language
    if not isinstance(facts.value, str):
        return language.say("stands at no stage yet")
    stage = next(s.words[language.code] for s in playbook.stages if s.name == facts.value)
    days = None if facts.last is None else (reader.as_of - facts.last).days
    if days is None:
        return language.say("stands at “{stage}”", stage=stage)
    if days == 0:
        return language.say("stands at “{stage}”, since today", stage=stage)
    return language.say("stands at “{stage}”, for {span}", stage=stage, span=_span(days, language))


def _age(facts: Facts, reader: Reader) -> str:
    language = reader.language
    if facts.last is None:
        return language.say("{what}: not known", what=label(Age(), reader.playbook, language.code))
    days = (reader.as_of - facts.last).days
    return language.say("known for {span}", span=_span(days, language)) if days else language.say("known since today")


def _span(days: int, language: Language) -> str:
    """A length of time: in days up to two months, then in months, then in years."""
    if days < 61:
        return language.count("{n} day", "{n} days", days)
    if days < 700:
        return language.count("{n} month", "{n} months", round(days / 30.44))
    return language.count("{n} year", "{n} years", round(days / 365.25))


def _attribute(name: str, facts: Facts, reader: Reader) -> str:
    playbook, language = reader.playbook, reader.language
    what, value = label(Attribute(name), playbook, language.code), facts.value
    if value is None or is_missing(value):
        return language.say("{what}: not known", what=what)
    declared = playbook.attributes[name].type if name in playbook.attributes else "text"
    if name == "email_domain_kind":
        value = {"company": language.say("company mail"), "free": language.say("free mail")}.get(str(value), value)
    elif declared == "boolean":
        value = bool(value)
    if declared == "time" and not isinstance(value, str):
        said = language.date(reader.as_of - timedelta(days=int(value)), reader.as_of)
    else:
        said = _value(value, language)
    return language.say("{what}: {value}", what=what, value=said)


def _other(facts: Facts, feature: Feature, reader: Reader) -> str:
    playbook, language, value = reader.playbook, reader.language, facts.value
    what = label(feature, playbook, language.code)
    if value is None or is_missing(value):
        return language.say("{what} (nothing so far)", what=what)
    inner = feature.inner if isinstance(feature, Account) else feature
    named = {"kind": playbook.kinds, "channel": playbook.channels, "topic": playbook.topics}
    known = named.get(getattr(inner, "of", ""), {}) if inner.is_category else {}
    if isinstance(value, str) and value in known:
        value = known[value].words[language.code]
    said = language.percent(value) if isinstance(inner, Share) and isinstance(value, float) else _value(value, language)
    return language.say("{what} ({value})", what=what, value=said)


def _value(value: str | float | bool, language: Language) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return language.say("yes") if value else language.say("no")
    most = 0 if abs(value) >= 100 else 2
    return language.number(value, next(d for d in range(most + 1) if round(value, d) == round(value, most)))


# --- Around the reasons ---


def headline(family: str, *, playbook: Playbook, language: Language) -> str:
    """What people read above the sentence: the words of the family that the reason is."""
    return language.typeset(family_words(family, playbook)[language.code])


def counts_for(language: Language) -> str:
    """Above reasons that raise the score."""
    return language.say("counts for")


def counts_against(language: Language) -> str:
    """Above reasons that lower the score."""
    return language.say("counts against")


def base_line(language: Language) -> str:
    """Where the sum of reasons begins."""
    return language.say("a lead like the average")


def everything_else(language: Language) -> str:
    """The reasons that are not shown one by one."""
    return language.say("everything else")


def ageing(days: int, language: Language) -> str:
    """The part of a change that time alone made."""
    return language.count("{n} day passed", "{n} days passed", days)


def profile_changed(language: Language) -> str:
    """The part of a change that edits of lead and account made."""
    return language.say("profile changed")


def new_model(language: Language) -> str:
    """The part of a change that a newly trained model made."""
    return language.say("new model")


def change_sentence(total_points: float, parts: Sequence[tuple[str, float]], language: Language) -> str:
    """How a score moved and what the parts add: "Up 12 points: webinar on 12 March +9, new model +3".

    Parameters
    ----------
    total_points
        The whole difference in points; whole points are shown.
    parts
        What each part is called and its points, in the order shown; they add up to the total, and are rounded so that
        they still do.
    """
    points = round(total_points)
    if points == 0:
        said = language.say("unchanged")
    elif points > 0:
        said = language.count("up {n} point", "up {n} points", points)
    else:
        said = language.count("down {n} point", "down {n} points", -points)
    if parts:
        rounded = whole_points([part for _, part in parts], total_points)
        shown = ", ".join(f"{name} {language.points(part)}" for (name, _), part in zip(parts, rounded, strict=True))
        said = language.say("{change}: {parts}", change=said, parts=shown)
    return capitalised(said)
