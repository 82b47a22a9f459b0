"""Figures of one column against a label: ROC-AUC with its error over accounts, rates out of fold, association.

All are vectorised; an account's rows resemble each other, so that errors are worked out over accounts, not over rows.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]
Ints = NDArray[np.integer[Any]]

FOLDS = 5
_WEIGHT = 20.0
"""Rows that the base rate counts for in a category's rate, so that rare values do not stand at an end by chance."""


class Auc(NamedTuple):
    """A ROC-AUC and its influence per account; `value` is at least 0.5 unless the score's direction was given."""

    value: float
    parts: Floats
    """For each account what it adds to the figure; sums to 0."""

    @property
    def error(self) -> float:
        """Standard error over accounts (Obuchowski 1997, by the influence of each account)."""
        n = len(self.parts)
        return float(np.sqrt((self.parts**2).sum() * n / max(1, n - 1)))


def area(score: Floats, label: Bools) -> float:
    """ROC-AUC of a score without missing values: the chance that a won row stands above another, ties half.

    Returns 0.5 where one class is missing.
    """
    won, other = score[label], np.sort(score[~label])
    if not len(won) or not len(other):
        return 0.5
    below = np.searchsorted(other, won, "left").sum(dtype=np.float64)
    up_to = np.searchsorted(other, won, "right").sum(dtype=np.float64)
    return float((below + up_to) / 2 / len(won) / len(other))


def area_over(score: Floats, label: Bools, group: Ints) -> Auc:
    """The same with its influence per account; `group` numbers the accounts from 0."""
    won, other = score[label], score[~label]
    if not len(won) or not len(other):
        return Auc(0.5, np.zeros(1))
    above = _placed(won, np.sort(other))
    below = 1 - _placed(other, np.sort(won))
    value = float(above.mean())
    parts: Floats = np.zeros(int(group.max()) + 1)
    parts += np.bincount(group[label], (above - value) / len(won), len(parts))
    parts += np.bincount(group[~label], (below - value) / len(other), len(parts))
    return Auc(value, parts)


def either_way(auc: Auc) -> Auc:
    """The same with the score turned round if that is better."""
    return auc if auc.value >= 0.5 else Auc(1 - auc.value, -auc.parts)


def _placed(score: Floats, others: Floats) -> Floats:
    """For each score the share of sorted `others` below it, ties half."""
    return (np.searchsorted(others, score, "left") + np.searchsorted(others, score, "right")) / 2 / len(others)


def with_missing(values: Floats, label: Bools) -> tuple[float, float]:
    """ROC-AUC with missing values before all others or after them, whichever tells more; and that end (-inf or inf)."""
    missing = np.isnan(values)
    won, other = values[label & ~missing], np.sort(values[~label & ~missing])
    lost_won, lost_other = label.sum() - len(won), (~label).sum() - len(other)
    pairs = float(label.sum()) * float((~label).sum())
    if not pairs:
        return 0.5, -np.inf
    below = np.searchsorted(other, won, "left").sum(dtype=np.float64)
    up_to = np.searchsorted(other, won, "right").sum(dtype=np.float64)
    same = (below + up_to) / 2 + lost_won * lost_other / 2
    low, high = (same + len(won) * lost_other) / pairs, (same + lost_won * len(other)) / pairs
    return (low, -np.inf) if abs(low - 0.5) >= abs(high - 0.5) else (high, np.inf)


class Rates(NamedTuple):
    """Rates of won rows by code, each learned from accounts of other folds; all tables are codes x FOLDS."""

    rate: Floats
    won: Floats
    other: Floats
    cell: Ints
    """For each row its place in the flattened tables."""

    @property
    def score(self) -> Floats:
        """For each row the rate of its code in other folds."""
        return self.rate.ravel()[self.cell]

    @property
    def area(self) -> float:
        """ROC-AUC of that score."""
        turn = np.argsort(self.rate, axis=None, kind="stable")
        rate, won, other = (table.ravel()[turn] for table in (self.rate, self.won, self.other))
        if not won.sum() or not other.sum():
            return 0.5
        level = np.r_[0, np.cumsum(rate[1:] != rate[:-1])]
        won, other = np.bincount(level, won), np.bincount(level, other)
        return float((won * (np.cumsum(other) - other / 2)).sum() / won.sum() / other.sum())


def rates_out_of_fold(code: Ints, label: Bools, group: Ints, size: int) -> Rates:
    """For each code the rate of won rows in accounts of other folds.

    Parameters
    ----------
    code
        Numbers from 0 to `size - 1`.
    group
        Numbers of the accounts; account g is in fold g modulo FOLDS.
    """
    cell = code * FOLDS + group % FOLDS
    rows = np.bincount(cell, minlength=size * FOLDS).reshape(size, FOLDS).astype(np.float64)
    won = np.bincount(cell[label], minlength=size * FOLDS).reshape(size, FOLDS).astype(np.float64)
    rows_else, won_else = rows.sum(1, keepdims=True) - rows, won.sum(1, keepdims=True) - won
    base = won_else.sum(0) / np.maximum(1, rows_else.sum(0))
    # Over the base rate of the same folds: else a fold with many wins would look bad for having few outside it.
    rate = (won_else + _WEIGHT * base) / (rows_else + _WEIGHT) - base
    return Rates(rate, won, rows - won, cell)


def bins(values: Floats) -> tuple[Ints, int]:
    """Codes of a number's size: about twenty equal parts, finer at both ends, and one for missing values."""
    present = values[~np.isnan(values)]
    if not len(present):
        return np.zeros(len(values), np.int64), 1
    step = max(1, len(present) // 100_000)
    ends = [0.001, 0.005, 0.01]
    wanted = [*ends, *np.linspace(0.05, 0.95, 19), *(1 - e for e in reversed(ends))]
    edges = np.unique(np.quantile(present[::step], wanted))
    code = np.searchsorted(edges, values, "left")  # a value at an edge belongs below it
    code[np.isnan(values)] = len(edges) + 1
    return code, len(edges) + 2


def correlation(x: Floats, label: Bools) -> float:
    """Pearson's r; 0 where one of the two does not vary."""
    if len(x) < 3 or not label.any() or label.all():
        return 0.0
    a, b = x - x.mean(), label - label.mean()
    spread = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float((a * b).sum()) / spread if spread > 0 else 0.0


def cramers_v(code: Ints, label: Bools, size: int) -> float:
    """Cramér's V of a category and the label, corrected for bias (Bergsma 2013)."""
    table = np.stack([np.bincount(code[label == side], minlength=size) for side in (False, True)]).astype(np.float64)
    table = table[:, table.sum(0) > 0]
    n, (r, k) = table.sum(), table.shape
    if n < 2 or k < 2 or not table.sum(1).all():
        return 0.0
    expected = np.outer(table.sum(1), table.sum(0)) / n
    phi2 = float(((table - expected) ** 2 / expected).sum()) / n
    phi2 = max(0.0, phi2 - (k - 1) * (r - 1) / (n - 1))
    smaller = min(k - (k - 1) ** 2 / (n - 1), r - (r - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(phi2 / smaller)) if smaller > 0 else 0.0
