"""Intervals that know that an account's rows resemble each other: whole accounts are redrawn, never rows.

With few won accounts the percentile interval of such a bootstrap is too short (`python -m benchmarks.coverage`). Ours
is BCa (bias-corrected and accelerated, Efron 1987), with Student's quantiles in place of the normal ones as in
Hesterberg's expanded percentile interval (2015). The degrees of freedom are the *effective number of accounts*,
(sum u^2)^2 / sum u^4 of the accounts' influences u on the metric: how many accounts carry its variance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from touchline.models.evaluation.catalog import METRICS
from touchline.models.evaluation.draws import counts_of_draws, once, places_of_dates
from touchline.models.evaluation.inputs import Floats, Ranks, capacity_of
from touchline.models.evaluation.redraw import Redraw
from touchline.models.evaluation.sample import Sample, model_scores, sample

LEVEL = 0.95
_FEWEST_DRAWS = 200
_LOST = 0.05
"""With more draws than this without a value (a class is missing in them), there is no interval."""


class Interval(NamedTuple):
    """A value with its 95 % interval; NaN ends where the data cannot tell."""

    value: float
    low: float
    high: float


class Difference(NamedTuple):
    """A model's metric minus the reference's on the same rows, with its 95 % interval."""

    value: float
    low: float
    high: float
    better: float
    """Share of draws in which the model is better, equal ones half; near one or zero for metrics that have a target."""


class Drawn(NamedTuple):
    """A metric of the data, of every draw (draws,), and its accounts' influences (groups,)."""

    value: float
    draws: Floats
    influence: Floats


@dataclass(frozen=True)
class Bootstrap:
    """Metrics of several models on the same rows in the same draws of accounts."""

    drawn: Mapping[str, Mapping[str, Drawn]]
    """Model -> metric -> values."""
    won_groups: int

    def metrics(self, model: str) -> list[str]:
        """Names of the metrics that the model has, in the order of `METRICS`."""
        return [name for name in METRICS if name in self.drawn[model]]

    def interval(self, model: str, metric: str) -> Interval:
        """A metric with its interval; all NaN where the model has no such metric (as `Ranks` have no log loss)."""
        if metric not in METRICS:
            raise ValueError(f"no metric {metric!r}; there are {', '.join(METRICS)}")
        drawn = self.drawn[model].get(metric)
        if drawn is None:
            return Interval(np.nan, np.nan, np.nan)
        if METRICS[metric].share and drawn.value in (0.0, 1.0) and self.won_groups:
            return _certain(drawn.value, self.won_groups)
        return Interval(drawn.value, *bca(drawn.value, drawn.draws, drawn.influence))

    def paired(self, model: str, reference: str, metric: str) -> Difference:
        """A metric's difference to the reference's; all NaN where one of them has no such metric."""
        one, other = self.drawn[model].get(metric), self.drawn[reference].get(metric)
        if one is None or other is None:
            return Difference(np.nan, np.nan, np.nan, np.nan)
        value = one.value - other.value
        low, high = bca(value, one.draws - other.draws, one.influence - other.influence)
        worse, than = METRICS[metric].worse(one.draws), METRICS[metric].worse(other.draws)
        known = np.isfinite(worse) & np.isfinite(than)
        if not known.any():
            return Difference(value, low, high, np.nan)
        better = (worse[known] < than[known]).mean() + (worse[known] == than[known]).mean() / 2
        return Difference(value, low, high, float(better))


def bootstrap(
    scores: Mapping[str, ArrayLike | Ranks],
    y: ArrayLike,
    groups: ArrayLike,
    *,
    capacity: float,
    as_of: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    places: ArrayLike | None = None,
    amount: ArrayLike | None = None,
    true_probability: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Bootstrap:
    """Redraw accounts and work out every metric of every model in each draw.

    Parameters
    ----------
    scores
        Model -> probabilities (rows,), or `Ranks`.
    y
        Outcomes (rows,).
    groups
        Accounts (rows,), hashable and sortable; a row without an account has its lead's id.
    capacity, as_of, weight, places, amount
        As in `at_capacity`.
    true_probability
        True chances (rows,) of simulated data, for the information captured.
    draws
        At least 200; 1,000 for a report.
    seed
        The same seed gives the same draws for the same accounts, in whatever order rows come.

    Raises
    ------
    ValueError
        If an argument is not as described; the message names it.
    """
    data = sample(
        y, groups, as_of=as_of, weight=weight, places=places, amount=amount, true_probability=true_probability
    )
    return bootstrap_sample(scores, data, capacity=capacity, draws=draws, seed=seed)


def bootstrap_sample(
    scores: Mapping[str, ArrayLike | Ranks], data: Sample, *, capacity: float, draws: int, seed: int
) -> Bootstrap:
    """The same on rows that are checked. Models are worked out one after the other, so that memory holds one."""
    capacity = capacity_of(capacity)
    if not scores:
        raise ValueError("scores is empty: give at least one model")
    if draws < _FEWEST_DRAWS:
        raise ValueError(f"draws must be at least {_FEWEST_DRAWS}, got {draws}; 1,000 for a report")
    rows = len(data.won)
    return Bootstrap(
        {
            name: _draw(Redraw(data, model_scores(values, rows, name), capacity), data, draws, seed)
            for name, values in scores.items()
        },
        data.won_groups,
    )


def _draw(model: Redraw, data: Sample, draws: int, seed: int) -> dict[str, Drawn]:
    def metrics(counts: Floats) -> dict[str, Floats]:
        return model.metrics(counts, places_of_dates(data.date, data.places, data.group, counts))

    itself = once(data.groups)
    values = metrics(itself)
    influence = model.influence(places_of_dates(data.date, data.places, data.group, itself)[:, 0])
    batches = [metrics(counts) for counts in counts_of_draws(data.groups, draws, seed)]
    unknown = np.full(data.groups, np.nan)
    return {
        name: Drawn(float(value[0]), np.concatenate([b[name] for b in batches]), influence.get(name, unknown))
        for name, value in values.items()
        if np.isfinite(value[0])
    }


def bca(value: float, draws: Floats, influence: Floats) -> tuple[float, float]:
    """The ends of the interval: BCa with Student's quantiles.

    NaN where more than 5 % of the draws have no value or the influences are not known; `value` twice where no account
    moves it.
    """
    from scipy.special import ndtr, ndtri
    from scipy.stats import t

    known = draws[np.isfinite(draws)]
    u = influence - influence.mean()
    if len(known) < (1 - _LOST) * len(draws) or not np.isfinite(u).all():
        return np.nan, np.nan
    biggest = np.abs(u).max()
    if biggest <= 1e-12 * max(1.0, abs(value)) / len(u):
        return value, value
    u = u / biggest
    second, third, fourth = ((u**n).sum() for n in (2, 3, 4))
    tails = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    far = t.ppf(tails, max(1.0, second**2 / fourth))
    below = (np.mean(known < value) + np.mean(known <= value)) / 2
    bias = ndtri(np.clip(below, 1 / (2 * len(known)), 1 - 1 / (2 * len(known))))
    speed = third / 6 / second**1.5
    bent = bias + far
    at = ndtr(bias + bent / np.maximum(1 - speed * bent, 0.1))
    low, high = np.quantile(known, at)
    return float(low), float(high)


def _certain(value: float, won_groups: int) -> Interval:
    """The exact (Clopper-Pearson) interval of a share that all won accounts, or none, belong to."""
    end = ((1 - LEVEL) / 2) ** (1 / won_groups)
    return Interval(value, end, 1.0) if value == 1 else Interval(value, 0.0, 1 - end)


def count_interval(won: Floats, expected: Floats, usual: float, most: float) -> tuple[float, float]:
    """Interval of a sum of wins over accounts, for cells of a table that may hold few of them or none.

    The gamma interval of Fay and Feuer (1997) for weighted sums of rare events, with the usual wins of a won account as
    the weight of the next one (Tiwari et al. 2006); the variance is that of the accounts' residuals. Above half of
    `most`, what is not won is counted instead.

    Parameters
    ----------
    won
        Wins of each account (groups,), weighted.
    expected
        What each account's wins are compared with (groups,), any scale.
    usual
        Wins of a won account, in the mean.
    most
        The sum if everything were won.
    """
    total = float(won.sum())
    if most - total < total:
        low, high = _gamma(most - total, won, expected, usual)
        return max(0.0, most - high), most - low
    low, high = _gamma(total, won, expected, usual)
    return low, min(high, most)


def _gamma(count: float, won: Floats, expected: Floats, usual: float) -> tuple[float, float]:
    from scipy.special import chdtri

    scale = won.sum() / expected.sum() if expected.sum() > 0 else 0.0
    variance = float(((won - scale * expected) ** 2).sum())
    tail = (1 - LEVEL) / 2
    low = 0.0
    if count > 0 and variance > 0:
        low = variance / (2 * count) * float(chdtri(2 * count**2 / variance, 1 - tail))
    above, spread = count + usual, variance + usual**2
    return low, spread / (2 * above) * float(chdtri(2 * above**2 / spread, tail))
