"""A fitted model as it is saved, loaded, explained and applied: nothing in it can be trained."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from touchline.models.bands import Band
from touchline.models.calibration import Calibrator
from touchline.models.encoding import Encoder, Matrix
from touchline.models.errors import FeatureError
from touchline.models.scorer.ladder import Rung
from touchline.models.scorer.linear import Linear
from touchline.models.scorer.trees import Trees

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ScoringModel:
    """From features to calibrated chances.

    The margin is the mean of the margins of the parts (linear, trees), or the base rate's log-odds if there is none;
    the calibrator turns margins into log-odds that come true.

    Attributes
    ----------
    encoder
        Columns and categories.
    base
        Log-odds of the training rows' base rate.
    linear, trees
        The parts; None for those that were not chosen.
    calibrator, band
        From margins to log-odds, and how sure these are.
    rung
        What may be said of a lead.
    facts
        What it was trained on and how it was chosen, for people to read; scoring does not look at it.
    previous
        The model before this one; its log-odds count half, so that a retrain does not throw leads about.
    """

    encoder: Encoder
    base: float
    linear: Linear | None
    trees: Trees | None
    calibrator: Calibrator
    band: Band
    rung: Rung
    facts: dict[str, Any] = field(default_factory=dict)
    previous: ScoringModel | None = None

    @property
    def parts(self) -> list[Linear | Trees]:
        """The parts whose margins are averaged."""
        return [part for part in (self.linear, self.trees) if part is not None]

    def margin(self, matrix: Matrix) -> Floats:
        """Log-odds before calibration, of shape (rows,), for a matrix that `encoder` made."""
        if not self.parts or not len(matrix):
            return np.full(len(matrix), self.base)
        return np.mean([part.margin(matrix) for part in self.parts], axis=0)

    def log_odds(self, features: pd.DataFrame | Matrix) -> Floats:
        """Calibrated log-odds, of shape (rows,), for a frame of features or a matrix that `encoder` made.

        A model that is steadied by the one before takes a frame, for each of the two has an encoder of its own.
        """
        own = self.calibrator(self.margin(self._matrix(features)))
        return own if self.previous is None else (own + self.previous.log_odds(features)) / 2

    def probability(self, features: pd.DataFrame | Matrix) -> Floats:
        """Calibrated chances to be won within the horizon, of shape (rows,)."""
        return probability(self.log_odds(features))

    def interval(self, features: pd.DataFrame | Matrix) -> tuple[Floats, Floats]:
        """Lower and upper end of the chances' 95% intervals (see `Band` for what they mean)."""
        return self.interval_at(self.margin(self._matrix(features)), self.log_odds(features))

    def interval_at(self, margin: Floats, log_odds: Floats) -> tuple[Floats, Floats]:
        """The same, of rows whose margin and log-odds are known."""
        low, high = self.band(margin, log_odds)
        return probability(low), probability(high)

    def steadied(self, previous: ScoringModel) -> ScoringModel:
        """The model with half of the log-odds from the one before (without what steadied that one).

        Raises
        ------
        FeatureError
            If the one before needs features that this one does not have.
        """
        lacking = sorted(set(previous.encoder.names) - set(self.encoder.names))
        if lacking:
            raise FeatureError(f"the model before looks at features that are no more: {', '.join(lacking[:5])}")
        return replace(self, previous=replace(previous, previous=None))

    def _matrix(self, features: pd.DataFrame | Matrix) -> Matrix:
        if not isinstance(features, np.ndarray):
            return self.encoder.encode(features)
        if self.previous is not None:
            raise TypeError("a model that is steadied by the one before takes a frame, not a matrix")
        return features


def probability(log_odds: Floats) -> Floats:
    """Chances of log-odds."""
    return 1 / (1 + np.exp(-np.clip(log_odds, -700, 700)))
