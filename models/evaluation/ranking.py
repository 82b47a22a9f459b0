"""Metrics of an order: ROC-AUC, PR-AUC, what the best leads of each date hold, deciles and the gain curve.

`score` is (rows,), the best leads highest: a probability or any other number. Ties are shared exactly: rows of one
score have no order among themselves, so that a capacity that cuts through them gets its share of what they hold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from touchline.models.evaluation.draws import best_of_dates, once, places_of_dates, rank_metrics
from touchline.models.evaluation.inputs import Bools, Floats, capacity_of, chances, codes, numbers, outcomes, weights
from touchline.models.evaluation.order import date_order, ends, rank_order


class AtCapacity(NamedTuple):
    """What the best leads of each date hold, over all dates."""

    capture: float
    """Share of the wins that are among them; NaN without a win."""
    lift: float
    """How many times their win rate is the win rate of all; NaN without a win."""
    precision: float
    """Their win rate."""
    expected_wins: float
    """Mean per date of the sum of their probabilities; NaN for scores that only rank."""
    expected_value: float
    """Mean per date of the sum of probability times amount; NaN without amounts."""


class GainCurve(NamedTuple):
    """Captured wins by leads called, best first; both start at 0 and end at 1. Straight within a tie."""

    called: Floats
    captured: Floats


def roc_auc(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Chance that a won row stands above another, ties half. NaN where a class is missing.

    Examples
    --------
    >>> roc_auc([True, False, False], [0.3, 0.3, 0.1])
    0.75
    """
    return _ranked(y, score, weight)[0]


def pr_auc(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Average precision: precision at each score of a won row, averaged over won rows. NaN without a won row."""
    return _ranked(y, score, weight)[1]


def at_capacity(
    y: ArrayLike,
    score: ArrayLike,
    *,
    capacity: float,
    as_of: ArrayLike | None = None,
    probability: ArrayLike | None = None,
    amount: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    places: ArrayLike | None = None,
) -> AtCapacity:
    """What the best leads hold when `capacity` leads can be called on each as-of date.

    Each date's best leads are taken by themselves, as a seller would; capture and precision are over the wins and
    leads of all dates together, so that a date counts by its wins and a date without a win does no harm.

    Parameters
    ----------
    y
        Outcomes (rows,).
    score
        What leads are ordered by (rows,).
    capacity
        Leads per date if an int, their share in (0, 1] if a float. On a date with fewer leads all are taken.
    as_of
        Dates (rows,), any hashables; without it, all rows are one date.
    probability
        For expected wins and value (rows,).
    amount
        What a win would be worth (rows,), in the currency of the answer.
    weight
        How much each row counts in capture, lift and precision (rows,).
    places
        How much of the capacity each row takes (rows,); as much as its weight if None. With weights such as
        1 / (rows of the lead) give ones: a lead called once a week takes one place, however little the row counts.

    Returns
    -------
    AtCapacity

    Examples
    --------
    >>> at_capacity([True, False, True, False], [0.9, 0.8, 0.4, 0.1], capacity=2).capture
    0.5
    """
    won = outcomes(y)
    n = len(won)
    s, w, limit = numbers(score, n, "score"), weights(weight, n), capacity_of(capacity)
    taken = w if places is None else weights(places, n, "places")
    date = np.zeros(n, np.int64) if as_of is None else codes(as_of, n, "as_of")[0]
    p = np.full(n, np.nan) if probability is None else chances(probability, n)
    value = np.full(n, np.nan) if amount is None else numbers(amount, n, "amount")
    group = np.zeros(n, np.int64)
    order = date_order(s, date, taken, group, capacity_columns(won, w, taken, p, value))
    counts = once(1)
    total = places_of_dates(date, taken, group, counts)
    sums = best_of_dates(order, counts, limit_of_dates(limit, total))
    found = from_sums(sums, np.array([(w * won).sum()]), np.array([w.sum()]), len(total))
    return AtCapacity(**{name: values.item() for name, values in found.items()})


def capacity_columns(won: Bools, weight: Floats, places: Floats, probability: Floats, amount: Floats) -> Floats:
    """What is summed over the best leads: won weight, weight, expected wins and value: (rows, 4)."""
    return np.stack([weight * won, weight, places * probability, places * probability * amount], axis=1)


def limit_of_dates(capacity: float, total: Floats) -> Floats:
    """Places (dates, draws) that can be taken, of `total` places."""
    return capacity * total if isinstance(capacity, float) else np.full_like(total, capacity)


def from_sums(sums: Floats, won: Floats, weight: Floats, dates: int) -> dict[str, Floats]:
    """Give the fields of `AtCapacity` (draws,) from sums over the best leads (draws, 4) and over all rows (draws,)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        capture, precision = sums[:, 0] / won, sums[:, 0] / sums[:, 1]
        lift = precision * weight / won
        of_all = (capture, lift, precision, sums[:, 2] / dates, sums[:, 3] / dates)
        return dict(zip(AtCapacity._fields, of_all, strict=True))


def gain_curve(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None = None) -> GainCurve:
    """Share of wins captured by the share of leads called, over all rows; NaN captured without a win."""
    rows, gathered, _ = _gathered(y, score, weight, None)
    with np.errstate(invalid="ignore"):
        return GainCurve(rows / rows[-1], gathered / gathered[-1])


def decile_table(
    y: ArrayLike,
    score: ArrayLike,
    weight: ArrayLike | None = None,
    *,
    probability: ArrayLike | None = None,
    parts: int = 10,
) -> pd.DataFrame:
    """Leads in equal parts, best first; a tie across an edge is shared.

    Returns
    -------
    DataFrame
        A row per part, indexed from 1: `rows` (weight), `won`, `observed` (rate), `expected` (mean probability, if
        given), `lift`, and `captured`, the share of all wins up to and with this part.
    """
    rows, won, expected = _gathered(y, score, weight, probability)
    edges = np.linspace(0, rows[-1], parts + 1)
    wins = np.diff(at_edges := np.interp(edges, rows, won))
    with np.errstate(invalid="ignore", divide="ignore"):
        table = pd.DataFrame(
            {
                "rows": np.diff(edges),
                "won": wins,
                "observed": wins / np.diff(edges),
                "expected": np.diff(np.interp(edges, rows, expected)) / np.diff(edges),
                "lift": wins / np.diff(edges) / (won[-1] / rows[-1]),
                "captured": at_edges[1:] / won[-1],
            },
            index=pd.RangeIndex(1, parts + 1, name="part"),
        )
    return table if probability is not None else table.drop(columns="expected")


def _ranked(y: ArrayLike, score: ArrayLike, weight: ArrayLike | None) -> tuple[float, float]:
    won = outcomes(y)
    s, w = numbers(score, len(won), "score"), weights(weight, len(won))
    area, precision = rank_metrics(rank_order(s, won, w, np.zeros(len(won), np.int64)), once(1))
    return float(area[0]), float(precision[0])


def _gathered(
    y: ArrayLike, score: ArrayLike, weight: ArrayLike | None, probability: ArrayLike | None
) -> tuple[Floats, Floats, Floats]:
    """Weight, wins and expected wins gathered from the best score down, at 0 and at the end of each tie."""
    won = outcomes(y)
    s, w = numbers(score, len(won), "score"), weights(weight, len(won))
    p = np.zeros(len(won)) if probability is None else chances(probability, len(won))
    rows = np.argsort(-s, kind="stable")
    last = ends(s[rows])
    return tuple(np.r_[0.0, np.cumsum(v[rows])[last]] for v in (w, w * won, w * p))  # pyright: ignore
