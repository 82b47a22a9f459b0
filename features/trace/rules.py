"""Which touches each declaration stands on, and in what proportion.

The rules (our own; a feature's part goes to what it would be another number without):

- `Count`, `Trend`, `Share`, `Rate`: equally to the touches counted, those above the line of a ratio;
- `Gap`: equally to all touches it is between;
- `Sum`: in proportion to the size of each touch's value;
- `Decayed`: in proportion to each touch's weight, `0.5 ** (age / half_life)`;
- `DaysSince`, `DaysSinceFirst`: to the last, or first, touch; of several at the same instant equally;
- `Last`, `First`: to the touch whose name was picked;
- `Distinct`, `New`: every different (or new) name gets an equal part, which its touches in the window share equally;
- `Burst`: equally to the touches of the busiest day, of equally busy days the first;
- `Account(x)`: as x, over the touches of all people of the account.

What was missing, or counted no touch, stands on no touch; so do stages, attributes, age and calendar.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from touchline.features.catalog import (
    Account,
    Burst,
    Catalog,
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
from touchline.features.engines.classes import Classes
from touchline.features.kernel.plan import DAY, FOREVER
from touchline.features.kernel.program import F64, I64
from touchline.playbook import Playbook


class How(IntEnum):
    """In what proportion touches share."""

    EQUALLY = 0
    PAIRED = 1
    """Equally, if there are two or more."""
    BY_VALUE = 2
    FADING = 3
    LAST = 4
    FIRST = 5
    LAST_NAMED = 6
    FIRST_NAMED = 7
    BY_NAME = 8
    BY_NEW_NAME = 9
    BUSIEST = 10


class Rule(NamedTuple):
    """How one feature is apportioned, once its touches are selected."""

    how: How
    of: TouchFeature
    """What selects its touches."""
    days: int | None = None
    dimension: str = ""
    """What names are told apart by."""
    half_life: float = 1
    """In days."""
    against: TouchFeature | None = None
    """What a ratio is held against: without any of these it is missing."""


def rule_of(feature: TouchFeature) -> Rule:
    """The rule of a declaration over touches.

    Raises
    ------
    TypeError
        If there is none for such a declaration.
    """
    hows = [how for declared, how in _HOWS if isinstance(feature, declared)]
    if not hows:
        raise TypeError(f"{type(feature).__name__} has no rule for the touches it stands on; add one to _HOWS")
    against = None
    if isinstance(feature, Share | Rate):
        against = Count(kind=feature.per) if isinstance(feature, Rate) else Count()
    return Rule(
        hows[0],
        feature,
        days=getattr(feature, "days", None),
        dimension="day" if isinstance(feature, Burst) else getattr(feature, "of", ""),
        half_life=getattr(feature, "half_life", 1),
        against=against,
    )


_HOWS: tuple[tuple[type[TouchFeature], How], ...] = (
    (Count, How.EQUALLY),
    (Trend, How.EQUALLY),
    (Share, How.EQUALLY),
    (Rate, How.EQUALLY),
    (Gap, How.PAIRED),
    (Sum, How.BY_VALUE),
    (Decayed, How.FADING),
    (DaysSince, How.LAST),
    (DaysSinceFirst, How.FIRST),
    (Last, How.LAST_NAMED),
    (First, How.FIRST_NAMED),
    (New, How.BY_NEW_NAME),  # before Distinct, of which it is one
    (Distinct, How.BY_NAME),
    (Burst, How.BUSIEST),
)


class Rules(NamedTuple):
    """The rules of a catalogue, as arrays that compiled code walks; one entry per feature that stands on touches.

    Entries of one selector stand together, so that its touches are found once.
    """

    column: I64
    """The feature's place in the catalogue."""
    how: I64
    window: I64
    """Microseconds."""
    half_life: F64
    """Microseconds."""
    dimension: I64
    """Row of `Touches.names`, or -1."""
    against: I64
    """Selector that a ratio is held against, or -1."""
    entry_at: I64
    """Entries of selector s are `entry_at[s]` to `entry_at[s + 1]`."""
    of_account: NDArray[np.bool_]
    """Whether a selector looks at the account's touches; else at the lead's own."""
    member: NDArray[np.bool_]
    """selectors x classes"""


def bind_rules(catalog: Catalog, classes: Classes) -> tuple[Rules, tuple[str, ...]]:
    """The rules of a catalogue for the classes that the data holds, and the dimensions they need names in."""
    selectors: dict[tuple[object, ...], int] = {}
    chosen: list[tuple[bool, TouchFeature]] = []

    def selector(of: TouchFeature, of_account: bool) -> int:
        key = (of_account, of.filters)
        if key not in selectors:
            selectors[key] = len(chosen)
            chosen.append((of_account, of))
        return selectors[key]

    found: list[tuple[int, int, Rule, int]] = []
    for i, feature in enumerate(catalog):
        asked, of_account = _asked(feature)
        if asked is not None:
            rule = rule_of(asked)
            against = -1 if rule.against is None else selector(rule.against, of_account)
            found.append((selector(rule.of, of_account), i, rule, against))
    found.sort(key=lambda entry: entry[:2])
    dimensions = tuple(dict.fromkeys(rule.dimension for _, _, rule, _ in found if rule.dimension))
    rules = Rules(
        column=_whole([i for _, i, _, _ in found]),
        how=_whole([rule.how for _, _, rule, _ in found]),
        window=_whole([FOREVER if rule.days is None else rule.days * DAY for _, _, rule, _ in found]),
        half_life=np.array([round(rule.half_life * DAY) for _, _, rule, _ in found], np.float64),
        dimension=_whole([dimensions.index(rule.dimension) if rule.dimension else -1 for _, _, rule, _ in found]),
        against=_whole([against for _, _, _, against in found]),
        entry_at=np.searchsorted([s for s, _, _, _ in found], np.arange(len(chosen) + 1)).astype(np.int64),
        of_account=np.array([of_account for of_account, _ in chosen], bool),
        member=_members(chosen, classes, catalog.playbook),
    )
    return rules, dimensions


def _asked(feature: Feature) -> tuple[TouchFeature | None, bool]:
    """The feature of touches that a feature is, and whether it is taken over the account."""
    if isinstance(feature, Account):
        return feature.inner, True
    return (feature if isinstance(feature, TouchFeature) else None), False


def _members(chosen: Sequence[tuple[bool, TouchFeature]], classes: Classes, playbook: Playbook) -> NDArray[np.bool_]:
    seen = {True: classes.for_account, False: classes.for_lead}
    member = np.array([[of.matches(c, playbook) for c in seen[of_account]] for of_account, of in chosen], bool)
    return member.reshape(len(chosen), len(classes.all))


def _whole(values: Sequence[int]) -> I64:
    return np.array(values, np.int64)
