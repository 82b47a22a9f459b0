"""The default catalogue: what a playbook gives rise to, by rules that are the same for every playbook."""

from __future__ import annotations

from collections.abc import Iterator

from touchline.features.catalog.base import Feature
from touchline.features.catalog.profile import (
    AFTER_THE_OUTCOME,
    CONTACT,
    Account,
    Age,
    Attribute,
    Calendar,
    DaysInStage,
    DaysSinceStage,
    StageCount,
    StageNow,
    new_people,
    people,
)
from touchline.features.catalog.touches import (
    Burst,
    Count,
    DaysSince,
    DaysSinceFirst,
    Decayed,
    Distinct,
    First,
    Gap,
    Last,
    New,
    Rate,
    Share,
    Trend,
)
from touchline.playbook import Playbook

WINDOWS = (7, 30, 91, 364)
"""Whole weeks where it matters little, so that weekdays do not come and go with the window's edge."""
HALF_LIVES = (14, 45)


def default_features(playbook: Playbook) -> Iterator[Feature]:
    """The features in order: kinds, families, interest overall, variety, account, journey, fit, timing."""
    for kind in playbook.kinds:
        yield from (Count(days, kind=kind) for days in WINDOWS)
        yield DaysSince(kind=kind)
        yield from (Decayed(kind=kind, half_life=days) for days in HALF_LIVES)
    yield from _families(playbook)
    yield from _overall()
    yield from _variety(playbook)
    yield from _account(playbook)
    yield from _journey(playbook)
    yield from (Attribute(name) for name, a in playbook.attributes.items() if a.known != "never")
    yield from (Attribute(name) for name in CONTACT if name not in playbook.attributes)
    yield Age()
    yield from (Calendar("week_of_quarter"), Calendar("days_to_quarter_end"))


def _families(playbook: Playbook) -> Iterator[Feature]:
    for family in playbook.families:
        if sum(kind.family == family for kind in playbook.kinds.values()) > 1:
            yield from (Count(days, of_family=family) for days in WINDOWS)
            yield Decayed(of_family=family, half_life=HALF_LIVES[0])
            yield Trend(of_family=family)


def _overall() -> Iterator[Feature]:
    yield from (Count(days, engagement=True) for days in WINDOWS)
    yield from (Decayed(engagement=True, half_life=days) for days in HALF_LIVES)
    yield from (DaysSince(engagement=True), DaysSinceFirst(engagement=True), Trend(engagement=True))
    yield from (Gap(engagement=True), Burst(30, engagement=True), Count(91, machine=True))


def _variety(playbook: Playbook) -> Iterator[Feature]:
    yield from (Distinct(91, of=of, engagement=True) for of in ("kind", "channel", "topic", "campaign", "asset", "day"))
    yield from (New(30, of="topic", engagement=True), New(30, of="asset", engagement=True))
    yield from (First(of="channel", engagement=True), Last(of="channel", engagement=True))
    yield from (Last(of="kind", engagement=True), Last(of="topic", engagement=True))
    yield from (Count(91, topic=topic, engagement=True) for topic in playbook.topics)
    yield from (Share(91, channel=channel) for channel in playbook.channels)
    scanners = playbook.scanners
    if scanners and scanners.sends and scanners.opens:
        yield Rate(91, kind=tuple(scanners.opens), per=tuple(scanners.sends), name="opens_per_send_91d")
    if scanners and scanners.opens and scanners.clicks:
        yield Rate(91, kind=tuple(scanners.clicks), per=tuple(scanners.opens), name="clicks_per_open_91d")


def _account(playbook: Playbook) -> Iterator[Feature]:
    yield from (Account(Count(days, engagement=True)) for days in WINDOWS)
    yield from (Account(Decayed(engagement=True, half_life=days)) for days in HALF_LIVES)
    yield from (Account(DaysSince(engagement=True)), Account(Trend(engagement=True)))
    for family in playbook.families:
        yield Account(Count(91, of_family=family))
        yield Account(Decayed(of_family=family, half_life=HALF_LIVES[0]))
    for kind in playbook.kinds:  # what colleagues do, kind by kind, tells more than any other group of features
        yield from (Account(Decayed(kind=kind, half_life=days)) for days in HALF_LIVES)
    yield from (people(30), people(91), new_people(30))


def _journey(playbook: Playbook) -> Iterator[Feature]:
    yield from (StageNow(), DaysInStage())
    for stage in playbook.stages:
        if stage.role not in (*AFTER_THE_OUTCOME, "lead"):
            yield DaysSinceStage(stage.name)
        if stage.role == "recycled":
            yield StageCount(stage.name)
