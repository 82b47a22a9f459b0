"""The rows that models are compared on, checked once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from touchline.models.evaluation.inputs import (
    Bools,
    Floats,
    Ints,
    Ranks,
    chances,
    codes,
    numbers,
    outcomes,
    weights,
)


@dataclass(frozen=True)
class Sample:
    """Rows with their outcomes, weights, accounts and dates; every array is (rows,)."""

    won: Bools
    weight: Floats
    places: Floats
    group: Ints
    """Number of the account from 0, in the order of the accounts' values."""
    groups: int
    date: Ints
    dates: int
    amount: Floats | None
    truth: Floats | None

    def by_group(self, values: Floats) -> Floats:
        """Sums (groups,) of a value per row."""
        return np.bincount(self.group, values, minlength=self.groups).astype(np.float64, copy=False)

    @property
    def won_groups(self) -> int:
        """Accounts with a won row."""
        return len(np.unique(self.group[self.won & (self.weight > 0)]))


@dataclass(frozen=True)
class Scores:
    """A model's scores (rows,): what ranks, and chances if it gives any."""

    rank: Floats
    probability: Floats | None


def sample(
    y: ArrayLike,
    groups: ArrayLike,
    *,
    as_of: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    places: ArrayLike | None = None,
    amount: ArrayLike | None = None,
    true_probability: ArrayLike | None = None,
) -> Sample:
    """Check the rows and number their accounts and dates.

    Raises
    ------
    ValueError
        If an array has another length than `y`, holds missing values, or values that it must not hold.
    """
    won = outcomes(y)
    n = len(won)
    w = weights(weight, n)
    group, names = codes(groups, n, "groups")
    date, dates = (np.zeros(n, np.int64), [None]) if as_of is None else codes(as_of, n, "as_of")
    return Sample(
        won,
        w,
        w if places is None else weights(places, n, "places"),
        group,
        len(names),
        date,
        len(dates),
        None if amount is None else numbers(amount, n, "amount"),
        None if true_probability is None else chances(true_probability, n, "true_probability"),
    )


def model_scores(values: ArrayLike | Ranks, rows: int, name: str) -> Scores:
    """A model's scores, checked."""
    if isinstance(values, Ranks):
        return Scores(numbers(values.values, rows, f"scores of {name!r}"), None)
    probability = chances(values, rows, f"scores of {name!r}")
    return Scores(probability, probability)
