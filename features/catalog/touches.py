"""Declarations over touches: how often, how long ago, how varied, how fast.

A window of `days` holds what happened in `[as_of - days, as_of)` and was known before `as_of`; `None` is all of
history. Counts of nothing are 0; times since nothing, and ratios to nothing, are missing.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal

from touchline.features.catalog.base import OneOrMore, TouchFeature, positive, several, unknown
from touchline.playbook import Playbook

Dimension = Literal["kind", "channel", "topic", "campaign", "asset", "day", "person"]
"""What touches differ in. `day` is the calendar day in UTC; `person` makes sense for accounts."""


def _window(days: int | None) -> str:
    return "ever" if days is None else f"{days}d"


@dataclass(frozen=True)
class _Windowed(TouchFeature):
    days: int | None = None

    def problem(self, playbook: Playbook) -> str | None:
        return positive("days", self.days) or super().problem(playbook)


@dataclass(frozen=True)
class Count(_Windowed):
    """Number of touches in the last `days`."""

    unit: ClassVar[str] = "touches"

    def default_name(self) -> str:
        return f"count_{self.slug}_{_window(self.days)}"


@dataclass(frozen=True)
class Sum(_Windowed):
    """Sum of the touches' `value` in the last `days`; a touch without a value adds nothing.

    Summed in millionths with whole numbers, so that no order of adding and no earlier value changes a bit.
    """

    unit: ClassVar[str] = "value"

    def default_name(self) -> str:
        return f"sum_{self.slug}_{_window(self.days)}"


@dataclass(frozen=True)
class DaysSince(TouchFeature):
    """Days since the last touch, fractions included; missing if there was none."""

    unit: ClassVar[str] = "days"

    def default_name(self) -> str:
        return f"days_since_{self.slug}"


@dataclass(frozen=True)
class DaysSinceFirst(TouchFeature):
    """Days since the first touch; missing if there was none."""

    unit: ClassVar[str] = "days"

    def default_name(self) -> str:
        return f"days_since_first_{self.slug}"


@dataclass(frozen=True)
class Decayed(TouchFeature):
    """Touches ever, each weighing `0.5 ** (age / half_life)`: recent ones count, old ones fade."""

    half_life: float = 14
    unit: ClassVar[str] = "touches"

    def default_name(self) -> str:
        return f"decayed_{self.slug}_{self.half_life:g}d".replace(".", "_")

    def problem(self, playbook: Playbook) -> str | None:
        return positive("half_life", self.half_life) or super().problem(playbook)


@dataclass(frozen=True)
class Distinct(_Windowed):
    """How many different campaigns (assets, topics, days …) the touches of the last `days` are of."""

    _: KW_ONLY
    of: Dimension = "campaign"

    @property
    def unit(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]  # it follows from `of`
        """What is counted, in the plural."""
        return {"person": "people", "day": "days"}.get(self.of, f"{self.of}s")

    def default_name(self) -> str:
        return f"distinct_{self.of}{_among(self)}_{_window(self.days)}"

    def problem(self, playbook: Playbook) -> str | None:
        if self.of == "day" and self.days is None:
            return "different days are counted within `days`; give a number"
        return super().problem(playbook)


@dataclass(frozen=True)
class New(Distinct):
    """How many campaigns (topics, people …) came up in the last `days` for the first time."""

    def default_name(self) -> str:
        return f"new_{self.of}{_among(self)}_{_window(self.days)}"

    def problem(self, playbook: Playbook) -> str | None:
        if self.days is None or self.of == "day":
            return "new is what was not there before the last `days`; give a number, and not days but what is on them"
        return super().problem(playbook)


def _among(feature: TouchFeature) -> str:
    return "" if feature.slug == "any" else f"_{feature.slug}"


@dataclass(frozen=True)
class _Category(TouchFeature):
    _: KW_ONLY
    of: Literal["kind", "channel", "topic", "campaign", "asset"] = "channel"
    is_category: ClassVar[bool] = True


@dataclass(frozen=True)
class First(_Category):
    """Channel (kind, topic, campaign, asset) of the first touch that has one; of several at once the first by name."""

    def default_name(self) -> str:
        return f"first_{self.of}{_among(self)}"


@dataclass(frozen=True)
class Last(_Category):
    """Channel (kind, topic, campaign, asset) of the last touch that has one; of several at once the last by name."""

    def default_name(self) -> str:
        return f"last_{self.of}{_among(self)}"


@dataclass(frozen=True)
class Trend(TouchFeature):
    """Touches per day in the last `days` over touches per day in the last `against` days; above 1 it speeds up.

    Missing if there was none in the last `against` days.
    """

    days: int = 7
    against: int = 91

    def default_name(self) -> str:
        return f"trend_{self.slug}_{self.days}d_against_{self.against}d"

    def problem(self, playbook: Playbook) -> str | None:
        if self.days >= self.against:
            return f"`against` must be longer than `days`, but {self.against} is not more than {self.days}"
        return positive("days", self.days) or positive("against", self.against) or super().problem(playbook)


@dataclass(frozen=True)
class Gap(TouchFeature):
    """Mean days between one touch and the next, over all of history; missing with fewer than two touches."""

    unit: ClassVar[str] = "days"

    def default_name(self) -> str:
        return f"gap_{self.slug}"


@dataclass(frozen=True)
class Burst(TouchFeature):
    """Touches on the busiest calendar day (UTC) of the last `days`."""

    days: int = 30
    unit: ClassVar[str] = "touches"

    def default_name(self) -> str:
        return f"burst_{self.slug}_{self.days}d"

    def problem(self, playbook: Playbook) -> str | None:
        return positive("days", self.days) or super().problem(playbook)


@dataclass(frozen=True)
class Share(TouchFeature):
    """Share that these touches have in all touches by people of the last `days`; missing if there was none."""

    days: int | None = 90

    def default_name(self) -> str:
        return f"share_{self.slug}_{_window(self.days)}"

    def problem(self, playbook: Playbook) -> str | None:
        return positive("days", self.days) or super().problem(playbook)


@dataclass(frozen=True)
class Rate(TouchFeature):
    """These touches for each touch of the kinds `per` in the last `days`: clicks per open.

    Missing without any `per`.
    """

    days: int | None = 90
    _: KW_ONLY
    per: OneOrMore = ()

    def default_name(self) -> str:
        return f"rate_{self.slug}_per_{'_or_'.join(several(self.per))}_{_window(self.days)}"

    def problem(self, playbook: Playbook) -> str | None:
        if not self.per:
            return "`per` names the kinds that these touches are held against; give one"
        for kind in several(self.per):
            if kind not in playbook.kinds:
                return unknown("kind", kind, list(playbook.kinds))
        return positive("days", self.days) or super().problem(playbook)
