"""Rows sorted once by score, overall and within each as-of date, with their ties marked."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


class RankOrder(NamedTuple):
    """All rows from the best score down; every array is (rows,)."""

    rows: Ints
    """Where each sorted row stands in the input."""
    won: Bools
    weight: Floats
    group: Ints
    last: Bools
    """The row ends a tie."""
    mixed: Bools
    """The row's tie holds both classes."""


class DateOrder(NamedTuple):
    """Rows by as-of date and within a date from the best score down."""

    rows: Ints
    """Where each sorted row stands in the input."""
    start: Ints
    """Where each date begins, and the end: (dates + 1,)."""
    places: Floats
    group: Ints
    last: Bools
    """The row ends a tie."""
    columns: Floats
    """What is summed over the best leads: (rows, columns)."""


def rank_order(score: Floats, won: Bools, weight: Floats, group: Ints) -> RankOrder:
    """Sort rows by falling score; rows without weight are left out, because they must not join ties."""
    rows = np.flatnonzero(weight > 0)
    rows = rows[np.argsort(-score[rows], kind="stable")]
    last = ends(score[rows])
    tie = np.cumsum(last) - last
    is_won = won[rows]
    wins = np.bincount(tie, is_won, minlength=1)
    size = np.bincount(tie, minlength=1)
    mixed = ((wins > 0) & (wins < size))[tie]
    return RankOrder(rows, is_won, weight[rows], group[rows], last, mixed)


def date_order(score: Floats, date: Ints, places: Floats, group: Ints, columns: Floats) -> DateOrder:
    """Sort rows by date (numbers from 0, each in use) and falling score."""
    rows = np.lexsort((-score, date))
    new_date = ends(date[rows])
    start = np.r_[0, np.flatnonzero(new_date) + 1]
    return DateOrder(rows, start, places[rows], group[rows], ends(score[rows]) | new_date, columns[rows])


def ends(values: Floats | Ints) -> Bools:
    """Whether the next sorted value is another one."""
    return np.r_[values[1:] != values[:-1], True]
