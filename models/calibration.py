"""Calibration: from a margin (log-odds as a model sees them) to log-odds that come true.

All calibrators map log-odds to log-odds, never falling, so that ranks stay. They are fitted on margins of rows that
the model did not see, with weights counted in won deals: the won rows weigh together what there are deals, because rows
of one deal tell the same thing many times.

- `Platt`: slope and intercept, the slope with a prior N(1, 0.25) as if the model were right already (Platt 1999, the
  prior after `SCIENCE`). For few deals.
- `Beta`: log-odds = a log p - b log(1 - p) + c (Kull, Silva Filho and Flach 2017), shrunk towards the identity.
- `Isotonic`: block centres with straight lines between them, and a slope of its own beyond, so that there are no ties
  where the model saw differences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Calibrator(Protocol):
    """Maps margins to calibrated log-odds."""

    def __call__(self, margin: Floats) -> Floats:
        """Calibrated log-odds, of the same shape; a higher margin never gives less."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        ...


@dataclass(frozen=True)
class Platt:
    """log-odds = slope * margin + intercept; `Platt()` leaves margins as they are."""

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, margin: Floats) -> Floats:
        """Calibrated log-odds."""
        return self.slope * margin + self.intercept

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {"type": "platt", "slope": self.slope, "intercept": self.intercept}


@dataclass(frozen=True)
class Beta:
    """log-odds = a log p - b log(1 - p) + c, with p the chance that the margin means."""

    a: float
    b: float
    c: float

    def __call__(self, margin: Floats) -> Floats:
        """Calibrated log-odds."""
        return -self.a * np.logaddexp(0, -margin) + self.b * np.logaddexp(0, margin) + self.c

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {"type": "beta", "a": self.a, "b": self.b, "c": self.c}


@dataclass(frozen=True)
class Isotonic:
    """Straight lines through `(margins, log_odds)`, both rising; beyond the ends log-odds rise with slope 1."""

    margins: tuple[float, ...]
    log_odds: tuple[float, ...]

    def __call__(self, margin: Floats) -> Floats:
        """Calibrated log-odds."""
        low, high = self.margins[0], self.margins[-1]
        inside = np.interp(margin, self.margins, self.log_odds)
        return inside + np.minimum(0, margin - low) + np.maximum(0, margin - high)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {"type": "isotonic", "margins": list(self.margins), "log_odds": list(self.log_odds)}


def calibrator_from_dict(content: Mapping[str, Any]) -> Calibrator:
    """The calibrator that `to_dict` described."""
    if content["type"] == "platt":
        return Platt(content["slope"], content["intercept"])
    if content["type"] == "beta":
        return Beta(content["a"], content["b"], content["c"])
    return Isotonic(tuple(content["margins"]), tuple(content["log_odds"]))


def log_loss(log_odds: Floats, won: NDArray[np.bool_], weight: Floats) -> float:
    """Weighted mean log loss of log-odds."""
    losses = np.logaddexp(0, np.where(won, -log_odds, log_odds))
    return float(np.average(losses, weights=weight))


def fit_platt(margin: Floats, won: NDArray[np.bool_], weight: Floats, *, slope_sd: float = 0.25) -> Platt:
    """Fit slope and intercept; `slope_sd` is the standard deviation of the slope's prior, whose mean is 1."""
    columns = np.stack([margin, np.ones_like(margin)])
    slope, intercept = _newton(columns, won, weight, np.array([1.0, 0.0]), np.array([slope_sd**-2, 1e-9]), rising=1)
    return Platt(float(slope), float(intercept))


def fit_beta(margin: Floats, won: NDArray[np.bool_], weight: Floats) -> Beta:
    """Fit beta calibration; a and b are drawn to 1 by a prior N(1, 0.5) each and never fall below 0."""
    columns = np.stack([-np.logaddexp(0, -margin), np.logaddexp(0, margin), np.ones_like(margin)])
    start, pull = np.array([1.0, 1.0, 0.0]), np.array([4.0, 4.0, 1e-9])
    a, b, c = _newton(columns, won, weight, start, pull, rising=2)
    return Beta(float(a), float(b), float(c))


def fit_isotonic(margin: Floats, won: NDArray[np.bool_], weight: Floats) -> Isotonic:
    """Fit isotonic regression, and take the centres of its blocks; empty and full blocks are drawn to the base rate."""
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(out_of_bounds="clip").fit(margin, won, weight).predict(margin)
    _, block = np.unique(fitted, return_inverse=True)
    mass = np.bincount(block, weight)
    wins = np.bincount(block, weight * won)
    centre = np.bincount(block, weight * margin) / mass
    base = np.average(won, weights=weight)
    chance = (wins + 0.5 * base) / (mass + 0.5)
    log_odds = np.maximum.accumulate(np.log(chance) - np.log1p(-chance))
    return Isotonic(tuple(centre.tolist()), tuple(log_odds.tolist()))


def fit_intercept(log_odds: Floats, won: NDArray[np.bool_], weight: Floats, *, sd: float) -> float:
    """What to add to the log-odds so that they come true on average, under a prior N(0, sd)."""
    shift = np.zeros(1)
    shift = _newton(np.ones((1, len(log_odds))), won, weight, shift, np.array([sd**-2]), offset=log_odds)
    return float(shift[0])


def _newton(
    columns: Floats,
    won: NDArray[np.bool_],
    weight: Floats,
    start: Floats,
    pull: Floats,
    *,
    rising: int = 0,
    offset: Floats | float = 0.0,
) -> Floats:
    """Coefficients that minimise the weighted log loss plus pull / 2 * (coefficient - start) ** 2.

    The first `rising` coefficients are kept from falling below 0 (a calibrator that falls would turn ranks round).
    """
    at = start.copy()

    def loss(coefficients: Floats) -> float:
        z = coefficients @ columns + offset
        bad = np.logaddexp(0, np.where(won, -z, z)) @ weight
        return float(bad + 0.5 * pull @ (coefficients - start) ** 2)

    now = loss(at)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(at @ columns + offset, -500, 500)))
        gradient = columns @ (weight * (p - won)) + pull * (at - start)
        curvature = (columns * (weight * p * (1 - p))) @ columns.T + np.diag(pull + 1e-12)
        step = np.linalg.solve(curvature, gradient)
        scale = 1.0
        while True:  # halve the step until it does not make things worse
            there = at - scale * step
            there[:rising] = np.maximum(there[:rising], 0)
            better = loss(there)
            if better <= now or scale < 1e-6:
                break
            scale /= 2
        done = now - better < 1e-10 * max(1.0, abs(now))
        if better <= now:
            at, now = there, better
        if done:
            break
    return at
