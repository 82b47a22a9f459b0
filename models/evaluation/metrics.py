"""Metrics of probabilities: proper scores, information captured, and calibration.

Everywhere `y` is (rows,) bool, `probability` (rows,) in [0, 1], `weight` (rows,) or None for 1 each. A row of weight 2
is two rows. A metric that has no meaning on these rows is NaN, without a warning; each docstring says when.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from touchline.models.evaluation.inputs import Bools, Floats, chances, outcomes, weights

_TINY = np.finfo(np.float64).eps
"""Probabilities are kept this far from 0 and 1 in logarithms, as in scikit-learn: a wrong certainty costs 36 nats."""
_STEPS, _ENOUGH = 100, 1e-10


class Calibration(NamedTuple):
    """How probabilities differ from what happened, on the log-odds scale."""

    slope: float
    """Of logit(P(y)) = intercept + slope * logit(probability); below 1: too extreme, above 1: too timid."""
    intercept: float
    """Of the same line; 0 is best where the slope is 1."""
    in_the_large: float
    """Of logit(P(y)) = in_the_large + logit(probability); above 0: chances are too low."""


def log_loss(y: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Mean negative log likelihood in nats; less is better.

    Examples
    --------
    >>> round(log_loss([True, False], [0.8, 0.4]), 4)
    0.367
    """
    won, p, w = _checked(y, probability, weight)
    return _mean(cross_entropy(won, p), w)


def brier(y: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Mean squared difference of outcome and probability; less is better (Brier 1950)."""
    won, p, w = _checked(y, probability, weight)
    return _mean((won - p) ** 2, w)


def base_rate(y: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Share of won rows."""
    won = outcomes(y)
    return _mean(won, weights(weight, len(won)))


def skill(y: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Share by which the log loss is below that of these rows' own base rate, (L_base - L) / L_base.

    0 is no better than the base rate, 1 is perfect. NaN where a class is missing.
    """
    won, p, w = _checked(y, probability, weight)
    rate = _mean(won, w)
    base = _mean(cross_entropy(won, np.full(len(won), rate)), w)
    return (base - _mean(cross_entropy(won, p), w)) / base if 0 < rate < 1 else np.nan


def information_captured(true_probability: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Per cent of the way from base rate to best possible log loss, 100 (L_base - L_model) / (L_base - L_bayes).

    All three are expected log losses under the true probabilities, so that the luck of outcomes does not count; the
    base rate is the mean true probability. Negative: worse than saying the base rate. For simulated data only.

    Parameters
    ----------
    true_probability
        Each row's true chance (rows,).
    probability
        The model's (rows,).
    weight
        Weights (rows,).

    Returns
    -------
    float
        100 for the true probabilities, 0 for their mean; NaN where all true probabilities are the same.
    """
    truth = chances(true_probability, np.size(true_probability), "true_probability")
    p, w = chances(probability, len(truth)), weights(weight, len(truth))
    base = _mean(cross_entropy(truth, np.full(len(truth), _mean(truth, w))), w)
    best = _mean(cross_entropy(truth, truth), w)
    if not base - best > 1e-12 * max(base, _TINY):
        return np.nan
    return 100 * (base - _mean(cross_entropy(truth, p), w)) / (base - best)


def observed_expected(y: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None) -> float:
    """Won rows over the sum of probabilities, O/E: above 1, more is won than was said. NaN if nothing is expected."""
    won, p, w = _checked(y, probability, weight)
    expected = float((w * p).sum())
    return float((w * won).sum()) / expected if expected > 0 else np.nan


def calibration(y: ArrayLike, probability: ArrayLike, weight: ArrayLike | None = None) -> Calibration:
    """Calibration slope, intercept and calibration-in-the-large, by unpenalised weighted logistic regression.

    Returns
    -------
    Calibration
        Slope and intercept are NaN where all probabilities are the same and where they separate the classes (no finite
        line fits best); all three are NaN where a class is missing.

    References
    ----------
    Cox (1958), Two further applications of a model for binary regression; Van Calster et al. (2019), Calibration: the
    Achilles heel of predictive analytics.
    """
    won, p, w = _checked(y, probability, weight)
    won, x, w = won[w > 0], margin(p[w > 0]), w[w > 0]
    if won.all() or not won.any():
        return Calibration(np.nan, np.nan, np.nan)
    large = _logistic(np.ones((1, len(x))), won, w, x)[0]
    low, high = x[won], x[~won]
    if high.max() <= low.min() or low.max() <= high.min():
        return Calibration(np.nan, np.nan, float(large))
    intercept, slope = _logistic(np.stack([np.ones(len(x)), x]), won, w, np.zeros(len(x)))
    return Calibration(float(slope), float(intercept), float(large))


def cross_entropy(truth: Bools | Floats, probability: Floats) -> Floats:
    """Expected log loss (rows,) in nats of `probability` where the outcome has chance `truth` (or is known)."""
    p, q = np.clip(probability, _TINY, 1 - _TINY), truth.astype(np.float64, copy=False)
    return -(q * np.log(p) + (1 - q) * np.log1p(-p))


def margin(probability: Floats) -> Floats:
    """Log-odds (rows,)."""
    p = np.clip(probability, _TINY, 1 - _TINY)
    return np.log(p) - np.log1p(-p)


def logistic(log_odds: Floats) -> Floats:
    """Chances (rows,) of log-odds, without overflow."""
    return np.exp(-np.logaddexp(0.0, -log_odds)).astype(np.float64, copy=False)


def _logistic(columns: Floats, won: Bools, weight: Floats, offset: Floats) -> Floats:
    """Newton's method for the weighted log likelihood, halving steps that do not gain."""
    sign = np.where(won, 1.0, -1.0)

    def loss(line: Floats) -> float:
        return float((weight * np.logaddexp(0, -sign * (offset + line @ columns))).sum())

    line = np.zeros(len(columns))
    now = loss(line)
    for _ in range(_STEPS):
        p = logistic(offset + line @ columns)
        gradient = columns @ (weight * (won - p))
        hessian = (columns * (weight * p * (1 - p))) @ columns.T
        try:
            step = np.linalg.solve(hessian, gradient)
        except np.linalg.LinAlgError:
            return np.full(len(columns), np.nan)
        gain = float(gradient @ step)
        while (then := loss(line + step)) > now and np.abs(step).max() > _TINY:
            step /= 2
        line, now = line + step, then
        if gain <= _ENOUGH**2 * max(1.0, weight.sum()):
            break
    return line


def _checked(y: ArrayLike, probability: ArrayLike, weight: ArrayLike | None) -> tuple[Bools, Floats, Floats]:
    won = outcomes(y)
    return won, chances(probability, len(won)), weights(weight, len(won))


def _mean(values: Bools | Floats, weight: Floats) -> float:
    return float((values * weight).sum() / weight.sum())
