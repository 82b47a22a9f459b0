"""Bands: how sure a calibrated chance is, given how few deals it was calibrated by.

The interval is of the group of leads with such a score ("of leads like this between 4 and 9 % are won"), not of one
lead. It is the delta method on the calibrator's coefficients with a covariance that is robust to rows of one account
telling the same thing (Liang and Zeger 1986, "Longitudinal data analysis using generalized linear models").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_Z95 = 1.959963984540054


@dataclass(frozen=True)
class Band:
    """95% intervals around calibrated log-odds; `covariance` is of slope and intercept over margins."""

    covariance: tuple[tuple[float, float], tuple[float, float]]

    def __call__(self, margin: Floats, log_odds: Floats) -> tuple[Floats, Floats]:
        """Lower and upper end of the log-odds, for margins and what the calibrator made of them."""
        (a, b), (_, c) = self.covariance
        half = _Z95 * np.sqrt(np.maximum(0, a * margin**2 + 2 * b * margin + c))
        return log_odds - half, log_odds + half

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {"covariance": [list(row) for row in self.covariance]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Band:
        """From plain data."""
        (a, b), (c, d) = content["covariance"]
        return cls(((a, b), (c, d)))


def fit_band(
    margin: Floats, log_odds: Floats, won: NDArray[np.bool_], weight: Floats, group: NDArray[np.int64]
) -> Band:
    """The band of a calibrator whose log-odds for `margin` are `log_odds`.

    Parameters
    ----------
    margin, log_odds, won, weight
        (rows,) of rows that the model did not see.
    group
        (rows,) number of each row's account, from 0.
    """
    p = 1 / (1 + np.exp(-log_odds))
    columns = np.stack([margin, np.ones_like(margin)])
    curvature = (columns * (weight * p * (1 - p))) @ columns.T + np.diag([16.0, 1e-9])  # 16: Platt's prior slope
    scores = np.stack([np.bincount(group, weight * (won - p) * column) for column in columns])
    inverse = np.linalg.inv(curvature)
    (a, b), (c, d) = inverse @ (scores @ scores.T) @ inverse
    return Band(((float(a), float(b)), (float(c), float(d))))
