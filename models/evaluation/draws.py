"""Redrawing whole groups: how often each is drawn, and rank metrics of many draws in one pass over sorted rows.

A draw is a column of counts, one for each group; a row then weighs its own weight times its group's count. Nothing is
copied or sorted again. Compiled loops run over a few draws at once (`LANES`), side by side in memory, so that a row and
its group are fetched once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numba import njit
from numpy.typing import NDArray

from touchline.models.evaluation.order import DateOrder, RankOrder

Floats = NDArray[np.float64]

LANES = 32
"""Draws that one pass works out together: wide enough to share the reading of rows, small enough for the cache."""


def counts_of_draws(groups: int, draws: int, seed: int) -> Iterator[Floats]:
    """Counts (groups, up to `LANES`) of how often each group is drawn with replacement, batch by batch.

    Batch b depends on (seed, b) alone, so that models compared later see the same draws.
    """
    for b, first in enumerate(range(0, draws, LANES)):
        random = np.random.default_rng([seed, b])
        counts = np.empty((groups, min(LANES, draws - first)))
        for k in range(counts.shape[1]):
            counts[:, k] = np.bincount(random.integers(0, groups, groups), minlength=groups)
        yield counts


def once(groups: int) -> Floats:
    """The counts of the data themselves: every group once."""
    return np.ones((groups, 1))


def rank_metrics(order: RankOrder, counts: Floats) -> tuple[Floats, Floats]:
    """ROC-AUC and average precision (draws,) of each draw; NaN where a draw lacks a class."""
    with np.errstate(invalid="ignore", divide="ignore"):
        above, precision, won, lost = _rank(order.won, order.weight, order.group, order.mixed, order.last, counts)
        return 1 - above / (won * lost), precision / won


def places_of_dates(date: NDArray[np.int64], places: Floats, group: NDArray[np.int64], counts: Floats) -> Floats:
    """Places (dates, draws) that all rows of each date take in each draw."""
    total = np.zeros((int(date.max()) + 1, counts.shape[1]))
    _add(date, places, group, counts, total)
    return total


def best_of_dates(order: DateOrder, counts: Floats, limit: Floats) -> Floats:
    """Sums (draws, columns) of `order.columns` over each date's best leads, up to `limit` (dates, draws) places."""
    sums = np.zeros((counts.shape[1], order.columns.shape[1]))
    for d in range(len(limit)):
        rows = slice(order.start[d], order.start[d + 1])
        left = limit[d].copy()
        _best(order.places[rows], order.group[rows], order.last[rows], order.columns[rows], left, counts, sums)
    return sums


@njit(nogil=True, cache=True)
def _rank(won, weight, group, mixed, last, counts):  # pyright: ignore
    """Rows from the best score down; `mixed` rows stand in a tie that holds both classes, `last` ends a tie."""
    k = counts.shape[1]
    above, precision = np.zeros(k), np.zeros(k)  # pairs in the wrong order (ties half); sum of precisions
    wins, others, tied_wins, tied_others = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k)
    for i in range(len(won)):
        row, w = counts[group[i]], weight[i]
        if won[i]:
            for j in range(k):
                tied_wins[j] += w * row[j]
        elif mixed[i]:
            for j in range(k):
                tied_others[j] += w * row[j]
        else:
            for j in range(k):
                others[j] += w * row[j]
        if last[i] and (won[i] or mixed[i]):
            for j in range(k):
                if tied_wins[j] > 0:
                    wins[j] += tied_wins[j]
                    above[j] += tied_wins[j] * (others[j] + tied_others[j] / 2)
                    others[j] += tied_others[j]
                    precision[j] += tied_wins[j] * wins[j] / (wins[j] + others[j])
                else:
                    others[j] += tied_others[j]
                tied_wins[j] = 0.0
                tied_others[j] = 0.0
    return above, precision, wins, others


@njit(nogil=True, cache=True)
def _add(date, places, group, counts, total):  # pyright: ignore
    for i in range(len(places)):
        for j in range(counts.shape[1]):
            total[date[i], j] += places[i] * counts[group[i], j]


@njit(nogil=True, cache=True)
def _best(places, group, last, columns, left, counts, sums):  # pyright: ignore
    """One date's rows from the best down until the places are `left` no more; a tie that does not fit shares them."""
    k, m = counts.shape[1], columns.shape[1]
    taken, tied = np.zeros(k), np.zeros((k, m))
    for i in range(len(places)):
        for j in range(k):
            count = counts[group[i], j]
            taken[j] += places[i] * count
            for c in range(m):
                tied[j, c] += columns[i, c] * count
        if last[i]:
            open_draws = 0
            for j in range(k):
                if taken[j] > 0:
                    share = min(1.0, left[j] / taken[j])
                    for c in range(m):
                        sums[j, c] += share * tied[j, c]
                    left[j] -= share * taken[j]
                    taken[j] = 0.0
                for c in range(m):
                    tied[j, c] = 0.0
                open_draws += left[j] > 0
            if open_draws == 0:
                return
