"""Which explainer a model gets: packed trees if they are right on rows of its own, else LightGBM itself."""

from __future__ import annotations

import logging

import numpy as np

from touchline.models.encoding import Matrix
from touchline.models.errors import ModelError
from touchline.models.shapley.explainer import TreeShapley
from touchline.models.shapley.fallback import LightGBMShapley

Shapley = TreeShapley | LightGBMShapley
"""Whatever explains a model."""

TOLERANCE = 2e-6
"""The most by which packed contributions may differ from LightGBM's."""
SAMPLE = 500
"""Rows on which they are compared."""

_log = logging.getLogger(__name__)


def shapley_of(text: str, *, features: int | None = None, check: Matrix | None = None) -> Shapley:
    """Explain a model by packed trees if that holds, else by LightGBM; the log says why.

    Parameters
    ----------
    text
        The model, as `Booster.model_to_string` gives it.
    features
        How many columns matrices have; by default as many as the model knows.
    check
        Rows on which to compare the two, of shape (rows, features): those of training, when the model is made. Without,
        the comparison is left out, as where a model is loaded that was checked when it was made.
    """
    try:
        packed = TreeShapley.of(text, features=features)
        if check is not None:
            _compare(packed, text, check)
    except (ValueError, ModelError) as reason:
        _log.warning("contributions are made by LightGBM, a hundred times slower: %s", reason)
        return LightGBMShapley.of(text, features=features)
    return packed


def _compare(packed: TreeShapley, text: str, matrix: Matrix) -> None:
    found = largest_difference(packed, text, matrix)
    if not found <= TOLERANCE:
        raise ModelError(f"packed trees differ from LightGBM's contributions by {found:.1e}, more than {TOLERANCE:g}")


def largest_difference(explainer: Shapley, text: str, matrix: Matrix) -> float:
    """The largest difference from LightGBM's own contributions and their base, on 500 rows spread over a matrix."""
    step = max(1, len(matrix) // SAMPLE)
    rows = matrix[::step][:SAMPLE]
    own = LightGBMShapley.of(text, features=matrix.shape[1])
    exact = own.contributions(rows, out=np.zeros(rows.shape), threads=1)  # threads that wait for others cost more
    found = explainer.contributions(rows, out=np.zeros(rows.shape))
    return max(abs(explainer.expected - own.expected), float(np.abs(found - exact).max(initial=0.0)))
