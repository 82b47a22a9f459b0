"""Scales: what sales sees of log-odds. The score 1-99, tiers, stars, flames, grades and the trend.

The score is a fixed scale of log-odds, which a retrain does not shift:

    score = 50 + 10 log2(odds / reference odds), cut off at 1 and 99

Ten points more are twice the odds, always. The reference is frozen with the first model (odds of 1 in 99 unless said
otherwise), so that a lead's score changes only if its chance did. Tiers are ranges of the score:

| tier | score | chance at the usual reference |
|---|---|---|
| A | 75 and more | 5.4 % and more |
| B | 60-74 | 2.0 to 5.4 % |
| C | 40-59 | 0.5 to 2.0 % |
| D | below 40 | less |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TIERS = ("A", "B", "C", "D")
_FLOORS = (75.0, 60.0, 40.0)


@dataclass(frozen=True)
class Scale:
    """The score's scale.

    Attributes
    ----------
    reference
        Log-odds that score 50; by default those of a chance of 1 %.
    double
        Points that double the odds.
    """

    reference: float = float(np.log(1 / 99))
    double: float = 10.0

    def score(self, log_odds: Floats) -> Floats:
        """Scores from 1 to 99, not rounded."""
        return np.clip(50 + self.double / np.log(2) * (log_odds - self.reference), 1, 99)

    def tier(self, log_odds: Floats) -> NDArray[np.str_]:
        """Tiers A to D."""
        place = sum((self.score(log_odds) < floor).astype(int) for floor in _FLOORS)
        return np.array(TIERS)[place]

    def points(self, log_odds: Floats) -> Floats:
        """Differences of log-odds in points of the score."""
        return log_odds * (self.double / np.log(2))


STARS = (0.50, 0.80, 0.95)
"""Shares of the population that a lead must stand above for one, two and three stars."""


@dataclass(frozen=True)
class Standing:
    """Where a lead stands among others: stars 0 to 3.

    One star above the lower half, two above four in five, three above 19 in 20. Against today's open leads this says
    whom to call first; against a population that is frozen with the first model, how good the leads of today are.

    Attributes
    ----------
    floors
        Log-odds from which there are one, two and three stars.
    """

    floors: tuple[float, float, float]

    @classmethod
    def among(cls, log_odds: Floats) -> Standing:
        """Learn the floors from a population, of shape (rows,).

        Raises
        ------
        ValueError
            If there is nobody.
        """
        if not len(log_odds):
            raise ValueError("stars are a standing among leads, and there is none")
        one, two, three = np.quantile(log_odds, STARS)
        return cls((float(one), float(two), float(three)))

    def stars(self, log_odds: Floats) -> NDArray[np.int8]:
        """Stars of leads; one that stands just at a floor has not passed it."""
        return np.searchsorted(np.array(self.floors), log_odds, side="left").astype(np.int8)


FLAMES = ((2.0, 7), (1.0, 7), (1.0, 14))
"""For three, two and one flame: how often new touches doubled the odds at least, within how many days."""


def flames(in_7_days: Floats, in_14_days: Floats) -> NDArray[np.int8]:
    """Flames 0 to 3, from the log-odds that touches of the last 7 and of the last 14 days added.

    Three if touches of the last week made the odds four times what they would be, two if they doubled them, one if
    those of the last two weeks did. Only what touches added counts: time, profile edits and new models light no
    flame.
    """
    added = {7: np.asarray(in_7_days) / np.log(2), 14: np.asarray(in_14_days) / np.log(2)}
    conditions = [added[days] >= doublings for doublings, days in FLAMES]
    return np.select(conditions, [3, 2, 1], 0).astype(np.int8)


FIT = (5.0, 0.0, -5.0)
"""Points that what a lead is must add for A, B and C."""
ENGAGEMENT = (10.0, 0.0, -10.0)
"""Points that what a lead did must add for 1, 2 and 3."""


def grades(fit: Floats, engagement: Floats) -> NDArray[np.str_]:
    """Grades A1 to D4: the letter for what a lead is, the number for what it and its colleagues did.

    Both are points of the score beside a lead like the average: A from +5 on, B from 0, C from -5, else D; 1 from +10
    on, 2 from 0, 3 from -10, else 4. Points of the score mean odds, so that a retrain moves a grade only if it sees the
    lead otherwise.
    """
    letter = np.array(list("ABCD"))[_passed(fit, FIT)]
    number = np.array(list("1234"))[_passed(engagement, ENGAGEMENT)]
    return np.char.add(letter, number)


def _passed(points: Floats, floors: tuple[float, ...]) -> NDArray[np.intp]:
    """How many floors are not reached."""
    return np.sum([np.asarray(points) < floor for floor in floors], axis=0)


TRENDS = ("rising", "steady", "falling", "new")
MOVED = 5.0
"""Points within four weeks from which on a score rises or falls."""


def trend(now: Floats, before: Floats) -> NDArray[np.str_]:
    """Trend of scores: `rising`, `steady`, `falling`; `new` where there was no score four weeks ago (NaN)."""
    moved = np.asarray(now) - np.asarray(before)
    return np.select([np.isnan(moved), moved >= MOVED, moved <= -MOVED], ["new", "rising", "falling"], "steady")
