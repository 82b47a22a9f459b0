"""The base rate: what one can say of leads without looking at them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from touchline.models.baselines.base import require_fitted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from touchline.features import FeatureSet, TrainingSet
    from touchline.features.catalog import Feature


class BaseRate:
    """The share of training rows that were won, for every lead alike: the floor under every log loss.

    The score is a probability, 0 to 1.
    """

    name = "Base rate"
    leaks: str | None = None
    features: tuple[Feature, ...] = ()

    rate_: float
    """Share of rows won, once fitted."""

    def fit(self, training: TrainingSet) -> Self:
        """Take the mean of the labels."""
        self.rate_ = float(training.y.mean())
        return self

    def score(self, rows: FeatureSet) -> NDArray[np.float64]:
        """The base rate n times, shape (n,).

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        require_fitted(self, "rate_")
        return np.full(rows.arrow(["lead_id"]).num_rows, self.rate_)
