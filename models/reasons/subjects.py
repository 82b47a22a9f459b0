"""What reasons are about: each feature belongs to one subject, each subject to one family.

Families lead, because they are what a retrain does not throw about; the subject that weighs most within a family is
what its sentence speaks of ("attended 2 webinars"), and the subject's facts are features themselves, computed by the
same kernel as of the same instant.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from touchline.features.catalog import (
    Account,
    Age,
    Attribute,
    Calendar,
    Catalog,
    Count,
    DaysInStage,
    DaysSince,
    Distinct,
    Feature,
    Rate,
    StageNow,
    TouchFeature,
    people,
)
from touchline.features.catalog.base import several
from touchline.features.catalog.profile import _OfStage

Scope = Literal["lead", "account"]
About = Literal[
    "kind", "topic", "channel", "family", "interest", "machine", "rate", "people", "stage", "attribute", "age",
    "calendar", "other",
]  # fmt: skip

RECENT = 91
"""Days in which facts are counted: a quarter, the window that most features share."""


PROFILE = frozenset({"attribute", "stage"})
"""What a lead is, and where it stands, as against what was done."""


class Subject(NamedTuple):
    """What a reason speaks of: touches of a kind, a topic, the people of the account, an attribute and so on."""

    family: str
    about: About
    of: str = ""
    """Name of the kind, topic, channel, family or attribute; of other features the feature's."""
    scope: Scope = "lead"


@dataclass(frozen=True)
class Evidence:
    """The features that tell a subject's facts; None where there is nothing to tell."""

    count: Feature | None = None
    """How often in the last `RECENT` days; of people how many."""
    against: Feature | None = None
    """Of a rate: how often what it is held against."""
    since: Feature | None = None
    """Days since the last time (of a stage since it was entered, of the lead since it was created)."""
    value: Feature | None = None
    """What an attribute, stage or other feature says."""

    @property
    def features(self) -> list[Feature]:
        """Those that there are."""
        return [f for f in (self.count, self.against, self.since, self.value) if f is not None]


def subject_of(feature: Feature) -> Subject:
    """The subject that a feature of a catalogue (whose family is set) belongs to."""
    match feature:
        case Account():
            inner = feature.inner
            if isinstance(inner, Distinct) and inner.of == "person":
                return Subject(feature.family, "people", scope="account")
            return _of_touches(inner, feature, "account")
        case TouchFeature():
            return _of_touches(feature, feature, "lead")
        case StageNow() | DaysInStage() | _OfStage():
            return Subject(feature.family, "stage")
        case Attribute():
            return Subject(feature.family, "attribute", feature.attribute)
        case Age():
            return Subject(feature.family, "age")
        case Calendar():
            return Subject(feature.family, "calendar")
        case _:
            return Subject(feature.family, "other", feature.name)


def _of_touches(touches: TouchFeature, feature: Feature, scope: Scope) -> Subject:
    """The narrowest subject that all touches the feature looks at belong to."""
    family = feature.family
    kinds = several(touches.kind)
    if touches.machine:
        return Subject(family, "machine", scope=scope)
    if isinstance(touches, Rate):
        return Subject(family, "rate", feature.name, scope)
    if len(kinds) == 1:
        return Subject(family, "kind", kinds[0], scope)
    if len(several(touches.of_family)) == 1:
        return Subject(family, "family", several(touches.of_family)[0], scope)
    narrow: tuple[tuple[About, tuple[str, ...]], ...] = (
        ("topic", several(touches.topic)),
        ("channel", several(touches.channel)),
    )
    if touches.engagement and touches.machine is False and not kinds and not touches.direction:
        for about, names in narrow:
            if len(names) == 1:
                return Subject(family, about, names[0], scope)
        if not any(names for _, names in narrow):
            return Subject(family, "interest", scope=scope)
    return Subject(family, "other", feature.name, scope)


def evidence_of(subject: Subject, catalog: Catalog) -> Evidence:
    """The features that tell a subject's facts, with the names that the catalogue gives them where it has them."""
    facts = _facts(subject, catalog)
    wanted = (facts.count, facts.against, facts.since, facts.value)
    return Evidence(*(None if feature is None else _known(feature, catalog) for feature in wanted))


def _facts(subject: Subject, catalog: Catalog) -> Evidence:
    of = subject.of
    filters: dict[str, object] | None = {
        "kind": {"kind": of},
        "topic": {"topic": of, "engagement": True},
        "channel": {"channel": of, "engagement": True},
        "family": {"of_family": of},
        "interest": {"engagement": True},
        "machine": {"machine": True},
    }.get(subject.about)
    if filters is not None:
        count, since = Count(RECENT, **filters), DaysSince(**filters)  # type: ignore[arg-type]
        of_account = subject.scope == "account"
        return Evidence(Account(count) if of_account else count, since=Account(since) if of_account else since)
    match subject.about:
        case "people":
            return Evidence(people(RECENT), since=Account(DaysSince(engagement=True)))
        case "rate":
            return _of_rate(catalog[of])
        case "stage":
            return Evidence(since=DaysInStage(), value=StageNow())
        case "attribute":
            return Evidence(value=Attribute(of))
        case "age":
            return Evidence(since=Age())
        case "calendar":
            return Evidence(value=Calendar("week_of_quarter"))
        case _:
            return Evidence(value=catalog[of])


def _of_rate(feature: Feature) -> Evidence:
    rate = feature.inner if isinstance(feature, Account) else feature
    assert isinstance(rate, Rate)
    count, against = Count(RECENT, kind=rate.kind), Count(RECENT, kind=rate.per)
    return Evidence(*((Account(count), Account(against)) if isinstance(feature, Account) else (count, against)))


def _known(feature: Feature, catalog: Catalog) -> Feature:
    """The same feature as the catalogue declares it, whatever its name and family there."""
    bare = {k: v for k, v in feature.to_dict().items() if k not in ("name", "family")}
    for known in catalog:
        if {k: v for k, v in known.to_dict().items() if k not in ("name", "family")} == bare:
            return known
    return feature


def evidence_features(catalog: Catalog, used: Iterable[str]) -> list[Feature]:
    """What must be computed besides a catalogue so that reasons of the features `used` can say their facts."""
    subjects = dict.fromkeys(subject_of(catalog[name]) for name in used)
    found = {f.name: f for subject in subjects for f in evidence_of(subject, catalog).features}
    return [f for name, f in found.items() if name not in catalog]
