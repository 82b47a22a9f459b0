"""From declarations to a plan: which accumulators are needed, and what each output reads from them.

A plan knows nothing of data. Features that look at the same touches share their accumulators, so that the cost of a
scan grows with what is kept up to date, and an output is one read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, NamedTuple

from touchline.features.catalog.base import FactClass, TouchFeature
from touchline.features.catalog.profile import AFTER_THE_OUTCOME
from touchline.playbook import Playbook

DAY = 86_400_000_000
"""Microseconds in a day."""
FOREVER = 1 << 61
"""The window that nothing ever leaves, in microseconds."""


class Op(IntEnum):
    """What an output does with its accumulators `a` and `b`."""

    COUNT = 0
    """a"""
    SUM = 1
    """a, from millionths"""
    DISTINCT = 2
    """number of different codes of tally a"""
    NEW = 3
    """different codes of tally a that are not in tally b"""
    PEAK = 4
    """largest cell of tally a"""
    SINCE_LAST = 5
    SINCE_FIRST = 6
    GAP = 7
    """(last - first) / (count b - 1), of selector a"""
    DECAYED = 8
    """a, faded since its base by half-life b"""
    RATIO = 9
    """scale * count a / count b"""
    PICK = 10
    """code of pick a"""


class Stages(NamedTuple):
    """A selector of stages; of every stage before the outcome if none is named."""

    stage: str = ""

    def matches(self, fact: FactClass, playbook: Playbook) -> bool:
        """Whether facts of a class are selected."""
        roles = {stage.name: stage.role for stage in playbook.stages}
        before = fact.table == "stages" and roles[fact.kind] not in AFTER_THE_OUTCOME
        return before and self.stage in ("", fact.kind)


class Changes(NamedTuple):
    """A selector of one field's changes; what a merge brought is left out, for the surviving lead's own values hold."""

    field: str
    of_account: bool

    def matches(self, fact: FactClass, playbook: Playbook) -> bool:
        """Whether facts of a class are selected."""
        del playbook
        return fact == FactClass("changes", self.field, of_account=self.of_account)


class Touches(NamedTuple):
    """A selector of touches; features with equal filters give the same one."""

    filters: tuple[Any, ...]
    of: TouchFeature

    def matches(self, fact: FactClass, playbook: Playbook) -> bool:
        """Whether facts of a class are selected."""
        return self.of.matches(fact, playbook)


Selector = Touches | Stages | Changes


class Tally(NamedTuple):
    """How many facts have each code of a dimension, in a window or (outside) before it."""

    selector: int
    window: int
    dimension: str
    outside: bool
    ring: int
    """Of the dimension day: after how many days its cells are used again; else 0."""


class At(NamedTuple):
    """An accumulator: of a selector, in a window (or with a half-life); or the number of a tally or pick."""

    row: int
    column: int = 0


class Output(NamedTuple):
    """One output of a pass: column `column` of the numbers, or of the codes if `op` is PICK."""

    op: Op
    a: At
    b: At
    scale: float
    column: int


@dataclass
class Plan:
    """What one pass (over leads, or over accounts) keeps up to date, and its outputs.

    Every selector has a count in every window, a first and a last time, and a decayed sum for every half-life: side by
    side they cost less than finding out which of them are asked for.
    """

    selectors: list[Selector] = field(default_factory=list[Selector])
    windows: list[int] = field(default_factory=list[int])
    """In microseconds."""
    half_lives: list[int] = field(default_factory=list[int])
    """In microseconds."""
    summed: list[int] = field(default_factory=list[int])
    """Selectors whose values are summed, in every window."""
    tallies: list[Tally] = field(default_factory=list[Tally])
    picks: list[tuple[int, str, bool]] = field(default_factory=list[tuple[int, str, bool]])
    """(selector, dimension, whether the last one)"""
    outputs: list[Output] = field(default_factory=list[Output])

    def selector(self, feature: TouchFeature | Stages | Changes) -> int:
        """Number of what a feature looks at."""
        if not isinstance(feature, TouchFeature):
            return _index(self.selectors, feature)
        known = [s.filters if isinstance(s, Touches) else None for s in self.selectors]
        if feature.filters in known:
            return known.index(feature.filters)
        self.selectors.append(Touches(feature.filters, feature))
        return len(self.selectors) - 1

    def count(self, selector: int, days: int | None) -> At:
        """Where a count is."""
        return At(selector, self._window(days))

    def sum(self, selector: int, days: int | None) -> At:
        """Where a sum is."""
        return At(_index(self.summed, selector), self._window(days))

    def tally(self, selector: int, days: int | None, dimension: str, *, outside: bool = False) -> At:
        """Where a tally is."""
        ring = (days or 0) + 2 if dimension == "day" else 0
        return At(_index(self.tallies, Tally(selector, self._window(days), dimension, outside, ring)))

    def decay(self, selector: int, half_life: float) -> At:
        """Where a decayed sum is."""
        return At(selector, _index(self.half_lives, round(half_life * DAY)))

    def pick(self, selector: int, dimension: str, *, last: bool) -> At:
        """Where a first or last code is."""
        return At(_index(self.picks, (selector, dimension, last)))

    def _window(self, days: int | None) -> int:
        return _index(self.windows, FOREVER if days is None else days * DAY)

    @property
    def dimensions(self) -> list[str]:
        """What tallies and picks need to know of each fact."""
        return list(dict.fromkeys([*(t.dimension for t in self.tallies), *(d for _, d, _ in self.picks)]))


def _index(known: list[Any], wanted: Any) -> int:
    if wanted not in known:
        known.append(wanted)
    return known.index(wanted)
