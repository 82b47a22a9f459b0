"""Apportioning by plain loops over dictionaries, from what each declaration says: slow, and without a look at ours."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from touchline.features import Catalog
from touchline.features.catalog import (
    Account,
    Burst,
    Count,
    DaysSince,
    DaysSinceFirst,
    Decayed,
    Distinct,
    Feature,
    First,
    Gap,
    Last,
    New,
    Rate,
    Share,
    Sum,
    TouchFeature,
    Trend,
)
from touchline.playbook import Playbook

Touch = dict[str, Any]


def parts(feature: Feature, lead: str, as_of: datetime, leads: list[Touch], touches: list[Touch], catalog: Catalog):
    """The part of one feature that each touch gets, by touch_id; nothing if it stands on no touch."""
    inner = feature.inner if isinstance(feature, Account) else feature
    if not isinstance(inner, TouchFeature):
        return {}
    by_id = {each["lead_id"]: each for each in leads}
    seen = []
    for touch in touches:
        whose = by_id[touch["lead_id"]]
        if max(touch["occurred_at"], touch["known_at"], whose["known_at"]) >= as_of:
            continue
        account = by_id[lead].get("account_id")
        same = account is not None and whose.get("account_id") == account
        if isinstance(feature, Account):
            if (touch["lead_id"] == lead or same) and touch.get("merged_from") is None:
                seen.append(touch)
        elif touch["lead_id"] == lead:
            seen.append(touch)
    weights = _weights(inner, seen, as_of, catalog.playbook)
    total = sum(weights.values())
    return {touch: weight / total for touch, weight in weights.items() if weight} if total else {}


def _weights(f: TouchFeature, seen: list[Touch], as_of: datetime, playbook: Playbook) -> dict[str, float]:
    mine = [t for t in seen if _looks_at(f, t, playbook)]
    days = getattr(f, "days", None)
    within = lambda t: days is None or t["occurred_at"] >= as_of - timedelta(days=days)  # noqa: E731
    recent = [t for t in mine if within(t)]
    if isinstance(f, Share | Rate):
        below = Count(kind=f.per) if isinstance(f, Rate) else Count()
        if not any(_looks_at(below, t, playbook) and within(t) for t in seen):
            return {}
    match f:
        case Count() | Trend() | Share() | Rate():
            return {t["touch_id"]: 1.0 for t in recent}
        case Sum():
            return {t["touch_id"]: abs(round((t["value"] or 0) * 1e6)) for t in recent}
        case Decayed():
            return {t["touch_id"]: 0.5 ** ((as_of - t["occurred_at"]) / timedelta(days=f.half_life)) for t in mine}
        case DaysSince():
            return {t["touch_id"]: 1.0 for t in mine if t["occurred_at"] == max(u["occurred_at"] for u in mine)}
        case DaysSinceFirst():
            return {t["touch_id"]: 1.0 for t in mine if t["occurred_at"] == min(u["occurred_at"] for u in mine)}
        case First() | Last():
            return _picked(f, mine)
        case Gap():
            return {t["touch_id"]: 1.0 for t in mine} if len(mine) > 1 else {}
        case Burst():
            busy = Counter(t["occurred_at"].date() for t in recent)
            best = min((d for d in busy if busy[d] == max(busy.values())), default=None)
            return {t["touch_id"]: 1.0 for t in recent if t["occurred_at"].date() == best}
        case Distinct():
            old = {_name(f.of, t) for t in mine if not within(t)} if isinstance(f, New) else set()
            named = [t for t in recent if _name(f.of, t) is not None and _name(f.of, t) not in old]
            times = Counter(_name(f.of, t) for t in named)
            return {t["touch_id"]: 1 / times[_name(f.of, t)] for t in named}
        case _:
            raise TypeError(type(f))


def _picked(f: First | Last, mine: list[Touch]) -> dict[str, float]:
    named = [t for t in mine if t[f.of] is not None]
    if not named:
        return {}
    best = (max if isinstance(f, Last) else min)((t["occurred_at"], t[f.of]) for t in named)
    return {t["touch_id"]: 1.0 for t in named if (t["occurred_at"], t[f.of]) == best}


def _name(of: str, touch: Touch) -> object:
    return {"day": touch["occurred_at"].date(), "person": touch["lead_id"]}.get(of) or touch.get(of)


def _looks_at(f: TouchFeature, touch: Touch, playbook: Playbook) -> bool:
    kind = playbook.kinds[touch["kind"]]
    if f.machine is not None and touch["machine"] != f.machine:
        return False
    if f.engagement is not None and kind.engagement != f.engagement:
        return False
    wanted = [(f.kind, touch["kind"]), (f.channel, touch["channel"]), (f.topic, touch["topic"])]
    wanted += [(f.direction, touch["direction"]), (f.of_family, kind.family)]
    return all(not names or value in ((names,) if isinstance(names, str) else names) for names, value in wanted)
