"""Words for moments, for what was told and for what to share: facts in one plain sentence each, never a cause."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from touchline.playbook import Playbook
from touchline.playbook.language import Language

Row = Mapping[str, Any]
"""A row of one of the tables of insight, as `table.to_pylist()` gives it."""


def moment_sentence(moment: Row, playbook: Playbook, language: Language, today: date) -> str:
    """Say an interesting moment: "Asked for a demonstration on 12 March".

    Parameters
    ----------
    moment
        A row of `find_moments`.
    playbook
        Its kinds and topics bring their own words.
    language
        One of the playbook's languages.
    today
        The day of as_of in the playbook's zone: dates of another year are told with theirs.
    """
    said = _moment(moment, playbook, language, today)
    if moment["topic"] is not None and moment["moment"] != "surge":
        said = language.say(
            "{said} (topic: {topic})", said=said, topic=topic_words(moment["topic"], playbook, language)
        )
    return _capital(said)


def _moment(moment: Row, playbook: Playbook, language: Language, today: date) -> str:
    what = _what(moment, playbook, language)
    day = language.date(moment["day"], today)
    match moment["moment"]:
        case "first_time":
            return language.say("{what} for the first time, on {day}", what=what, day=day)
        case "new_person":
            return language.say("somebody new at the company {what} on {day}", what=what, day=day)
        case "return":
            return language.count(
                "{what} on {day}, after {n} day of silence",
                "{what} on {day}, after {n} days of silence",
                moment["silent_days"],
                what=what,
                day=day,
            )
        case "surge":
            return _surge(moment, language, today)
        case _:
            return language.say("{what} on {day}", what=what, day=day)


def _surge(moment: Row, language: Language, today: date) -> str:
    monday = language.date(moment["day"] - timedelta(days=moment["day"].weekday()), today)
    said = language.count(
        "{n} sign of interest in the week of {day}",
        "{n} signs of interest in the week of {day}",
        moment["touches"],
        day=monday,
    )
    if not moment["usual"]:
        return language.say("{said} (none in the weeks before)", said=said)
    usual = language.number(moment["usual"], 0 if float(moment["usual"]).is_integer() else 1)
    return language.say("{said} (usually {usual} a week)", said=said, usual=usual)


def _what(moment: Row, playbook: Playbook, language: Language) -> str:
    kind = playbook.kinds[moment["kind"]]
    n = moment["touches"]
    if n > 1 and kind.many:
        return language.typeset(kind.many[language.code].format(n=language.number(n)))
    return language.typeset(kind.words[language.code])


def told_sentence(told: Row, name: str, playbook: Playbook, language: Language, today: date) -> str:
    """Say what a lead, or else its colleagues, were told of a topic or asset: "Security: read on 12 March".

    Parameters
    ----------
    told
        A row of `already_told`.
    name
        Words for the topic (`topic_words`), or the asset's title.
    playbook
        Its zone says on which day something was.
    language
        One of the playbook's languages.
    today
        The day of as_of in that zone.
    """
    if told["response"] is None:
        n = told["colleagues"]
        return _capital(language.count("{name}: met by {n} colleague", "{name}: met by {n} colleagues", n, name=name))
    zone = ZoneInfo(playbook.time_zone or "UTC")
    day = language.date(told["response_at"].astimezone(zone).date(), today)
    match told["response"]:
        case "sent":
            said = language.say("{name}: sent on {day}, no response seen", name=name, day=day)
        case "opened":
            said = language.say("{name}: opened on {day}", name=name, day=day)
        case "attended":
            said = language.say("{name}: attended on {day}", name=name, day=day)
        case _:
            said = language.say("{name}: read on {day}", name=name, day=day)
    return _capital(said)


def share_sentence(share: Row, playbook: Playbook, language: Language) -> str:
    """Say why an asset may be shared next: "Showed interest in “Security” 4 times in the last 6 months".

    Parameters
    ----------
    share
        A row of `next_to_share`.
    playbook
        Its topics bring their own words.
    language
        One of the playbook's languages.
    """
    n = share["count"]
    if share["reason"] == "topic_interest":
        said = language.count(
            "showed interest in “{topic}” once in the last 6 months",
            "showed interest in “{topic}” {n} times in the last 6 months",
            n,
            topic=topic_words(share["topic"], playbook, language),
        )
    elif share["similar"]:
        said = language.count("{n} similar won lead had come across it", "{n} similar won leads had come across it", n)
    else:
        said = language.count("{n} won lead had come across it", "{n} won leads had come across it", n)
    if share["fallback"]:
        said = language.say("{said}; in another language than the lead", said=said)
    if share["too_much"]:
        said = language.say("{said}; for later, as the agreed number of contacts is reached", said=said)
    return _capital(said)


def credit_note(language: Language) -> str:
    """Say what credit is, and what not: to stand beside every credit table."""
    return language.say("What won leads had come across, weighed by the model: an association, no proof of an effect")


def topic_words(topic: str, playbook: Playbook, language: Language) -> str:
    """The playbook's words for a topic; its name where it has none."""
    known = playbook.topics.get(topic)
    return known.words[language.code] if known else topic


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
