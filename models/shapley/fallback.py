"""`LightGBMShapley`: contributions by LightGBM itself, for models that cannot be packed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from touchline.models.encoding import Matrix
from touchline.models.errors import ModelError
from touchline.models.shapley.forest import F64

_ROWS = 8192
"""LightGBM's answer is in float64, with all rows at once."""


class LightGBMShapley:
    """The interface of `TreeShapley` over `Booster.predict(pred_contrib=True)`; exact, a hundred times slower.

    Attributes
    ----------
    expected
        The margin that contributions add to.
    features
        How many columns a matrix has.
    """

    def __init__(self, booster: Any, expected: float, features: int) -> None:
        self._booster = booster
        self.expected = expected
        self.features = features

    @classmethod
    def of(cls, text: str, *, features: int | None = None) -> LightGBMShapley:
        """Take a model as `Booster.model_to_string` gives it; the text must be known to be whole.

        Raises
        ------
        ModelError
            If LightGBM gives no contributions of such a model.
        """
        import lightgbm as lgb

        booster = lgb.Booster(model_str=text)
        if booster.num_model_per_iteration() != 1:
            raise ModelError("the model has several outputs; contributions are made for models with one")
        width = booster.num_feature() if features is None else features
        try:
            expected = float(_predict(booster, np.zeros((1, width)), pred_contrib=True, num_threads=1)[0, -1])
        except lgb.basic.LightGBMError as error:
            raise ModelError(f"LightGBM gives no contributions of this model: {error}") from error
        return cls(booster, expected, width)

    def contributions(
        self,
        matrix: Matrix,
        *,
        out: NDArray[np.floating[Any]] | None = None,
        scale: float = 1.0,
        threads: int | None = None,
    ) -> NDArray[np.floating[Any]]:
        """What each feature adds to each row's margin, as `TreeShapley.contributions`."""
        out = np.zeros(matrix.shape, np.float32) if out is None else out
        for begin in range(0, len(matrix), _ROWS):
            part = matrix[begin : begin + _ROWS]
            found = _predict(self._booster, part, pred_contrib=True, num_threads=threads or 0)
            out[begin : begin + _ROWS, : found.shape[1] - 1] += scale * found[:, :-1]
        return out

    def margin(self, matrix: Matrix, *, threads: int | None = None) -> F64:
        """The model's margin of each row, of shape (rows,)."""
        if not len(matrix):
            return np.zeros(0)
        return _predict(self._booster, matrix, raw_score=True, num_threads=threads or 0)

    def one(self, row: NDArray[np.floating[Any]]) -> F64:
        """One row's contributions, of shape (features,)."""
        found = np.zeros(self.features)
        exact = _predict(self._booster, row[None], pred_contrib=True, num_threads=1)[0, :-1]
        found[: len(exact)] = exact
        return found


def _predict(booster: Any, matrix: Matrix, **how: Any) -> F64:
    return np.asarray(booster.predict(matrix[:, : booster.num_feature()], **how), np.float64)
