"""Scorecards: the hand-made rules of which the axes of a fit x engagement matrix are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from touchline.features.catalog import Attribute, Count
from touchline.models.baselines.activities import Behaviour, activities_of

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from touchline.playbook import Playbook


@dataclass(frozen=True)
class Ideal:
    """What an ideal lead's attribute is: one of `values`, or a number within `[at_least, at_most]`.

    Of booleans, true is 1. A lead whose attribute is not known does not match.
    """

    attribute: str
    values: tuple[str, ...] = ()
    at_least: float = -np.inf
    at_most: float = np.inf
    weight: float = 1

    def __post_init__(self) -> None:
        if self.weight <= 0:
            raise ValueError(f"the weight of {self.attribute!r} must be more than 0, not {self.weight}")
        if bool(self.values) is bool(np.isfinite([self.at_least, self.at_most]).any()):
            raise ValueError(f"say of {self.attribute!r} either `values`, or `at_least` and `at_most`")

    @property
    def feature(self) -> Attribute:
        """The attribute as of a row's time."""
        return Attribute(self.attribute)

    def matches(self, found: pd.Series) -> NDArray[np.bool_]:  # type: ignore[type-arg]
        """Whether each of n values is ideal, shape (n,)."""
        if self.values:
            return found.isin(self.values).to_numpy(bool)
        if found.dtype.kind != "f":
            raise ValueError(f"{self.attribute!r} holds text; name its ideal `values`")
        return found.between(self.at_least, self.at_most).to_numpy(bool)


@dataclass(frozen=True)
class Rule:
    """At least `times` touches within the last `days` are worth `points`, 0 to 100."""

    times: int
    days: int
    points: float


@dataclass(frozen=True)
class Line:
    """One behaviour on a scorecard: its touch kinds, its rules, of which the best that holds counts, and its weight."""

    name: str
    kinds: tuple[str, ...]
    rules: tuple[Rule, ...]
    weight: float

    def count(self, rule: Rule) -> Count:
        """The feature that a rule looks at."""
        return Count(rule.days, kind=self.kinds[0] if len(self.kinds) == 1 else self.kinds)

    def points(self, counts: pd.DataFrame) -> NDArray[np.float64]:
        """Points of n rows, 0 to 100, shape (n,); `counts` holds the rules' features."""
        earned = [
            np.where(counts[self.count(rule).name].to_numpy() >= rule.times, rule.points, 0.0) for rule in self.rules
        ]
        return np.max(earned, axis=0)


_ONCE = (Rule(1, 7, 100), Rule(1, 14, 75), Rule(1, 30, 50))
_OFTEN = (Rule(3, 7, 100), Rule(3, 30, 75), Rule(1, 14, 50))
ELOQUA: dict[Behaviour, tuple[float, tuple[Rule, ...]]] = {
    "forms": (35, _ONCE),
    "pages": (30, _OFTEN),
    "clicks": (20, _OFTEN),
    "opens": (15, _OFTEN),
}
"""Eloqua's example: behaviour -> weight in percent, and rules. Where its page says "exactly 1 time within 14 days" we
say at least, for two clicks are not worth less than one; and a single open is worth as much as a single click, where
its page gives 100."""


def eloqua_scorecard(playbook: Playbook) -> tuple[Line, ...]:
    """Eloqua's example scorecard over the kinds of a playbook; a behaviour that no kind shows has no line."""
    activities = activities_of(playbook)
    kinds = {b: tuple(k for k, activity in activities.items() if activity.behaviour == b) for b in ELOQUA}
    return tuple(Line(b, kinds[b], rules, weight) for b, (weight, rules) in ELOQUA.items() if kinds[b])
