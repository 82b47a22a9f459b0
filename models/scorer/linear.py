"""The linear part: ridge logistic regression on squashed numbers.

Counts and days have long tails, so numbers enter as sign(x) log(1 + |x|), standardised; a missing number enters as the
mean, and as a column of its own that says that it was missing; categories enter one column each. The ridge is chosen
with everything else, by accounts left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from touchline.models.encoding import Encoder, Matrix

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Column:
    """One column of the wide matrix: a feature's number, whether it is missing, or one of its categories."""

    feature: int
    kind: str
    """`number`, `missing` or `category`."""
    code: int = -1
    """Of a category."""


@dataclass(frozen=True)
class Widening:
    """From a matrix of features to standardised columns for a linear model."""

    columns: tuple[Column, ...]
    mean: Floats
    """Of each column, as squashed; numbers that are missing take it."""
    scale: Floats

    @classmethod
    def learn(cls, matrix: Matrix, encoder: Encoder, weight: Floats) -> Widening:
        """Learn means and scales; columns that never change are left out."""
        columns, means, scales = [], [], []
        for i, name in enumerate(encoder.names):
            values = matrix[:, i]
            for column in _columns_of(i, len(encoder.categories.get(name, ())), bool(np.isnan(values).any())):
                x, w = _raw(column, values), weight
                if column.kind == "number" and np.isnan(x).any():
                    there = ~np.isnan(x)
                    x, w = x[there], weight[there]
                if not len(x):
                    continue
                mean = float(np.average(x, weights=w))
                scale = float(np.sqrt(np.average((x - mean) ** 2, weights=w)))
                if scale > 1e-6:
                    columns.append(column)
                    means.append(mean)
                    scales.append(scale)
        return cls(tuple(columns), np.array(means), np.array(scales))

    def __call__(self, matrix: Matrix) -> NDArray[np.float32]:
        """Standardised columns, of shape (rows, columns)."""
        wide = np.empty((len(self.columns), len(matrix)), np.float32)
        for i in range(len(self.columns)):
            wide[i] = self.column(i, matrix)
        return wide.T

    def column(self, i: int, matrix: Matrix) -> Floats:
        """The i-th of the standardised columns, of shape (rows,)."""
        column = self.columns[i]
        x = _raw(column, matrix[:, column.feature])
        x -= self.mean[i]
        x /= self.scale[i]
        return np.nan_to_num(x, copy=False, nan=0.0) if column.kind == "number" else x

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        columns = [[c.feature, c.kind, c.code] for c in self.columns]
        return {"columns": columns, "mean": self.mean.tolist(), "scale": self.scale.tolist()}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Widening:
        """From plain data."""
        return cls(
            tuple(Column(*column) for column in content["columns"]),
            np.array(content["mean"], np.float64),
            np.array(content["scale"], np.float64),
        )


@dataclass(frozen=True)
class Linear:
    """A fitted linear part: margin = intercept + columns @ coefficients."""

    widening: Widening
    coefficients: Floats
    intercept: float

    def margin(self, matrix: Matrix) -> Floats:
        """Log-odds of each row, of shape (rows,)."""
        found = np.full(len(matrix), self.intercept)
        # Column after column: a row's sum is the same whatever rows stand beside it, which a product of matrices does
        # not promise.
        for i, coefficient in enumerate(self.coefficients):
            found += coefficient * self.widening.column(i, matrix)
        return found

    def contributions(self, matrix: Matrix) -> Floats:
        """What each feature adds to a row's margin beside the mean row of training, of shape (rows, features).

        Their sum and the margin of the mean row (`intercept`) are the margin. These are the exact Shapley values of a
        linear model with features taken as independent (Lundberg and Lee 2017).
        """
        found = np.zeros((matrix.shape[1], len(matrix)))
        for i, coefficient in enumerate(self.coefficients):
            found[self.widening.columns[i].feature] += coefficient * self.widening.column(i, matrix)
        return found.T

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        coefficients = self.coefficients.tolist()
        return {"widening": self.widening.to_dict(), "coefficients": coefficients, "intercept": self.intercept}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Linear:
        """From plain data."""
        coefficients = np.array(content["coefficients"], np.float64)
        return cls(Widening.from_dict(content["widening"]), coefficients, float(content["intercept"]))


def fit_linear(
    matrix: Matrix, encoder: Encoder, won: NDArray[np.bool_], weight: Floats, strengths: Sequence[float]
) -> list[Linear]:
    """Fit one linear part for each strength of the ridge (in won deals, strongest first), each from the one before."""
    from sklearn.linear_model import LogisticRegression

    widening = Widening.learn(matrix, encoder, weight)
    base = float(np.average(won, weights=weight))
    if not widening.columns:
        nothing = Linear(widening, np.zeros(0), float(np.log(base / (1 - base))))
        return [nothing] * len(strengths)
    wide = np.ascontiguousarray(widening(matrix))
    # One won deal is one unit of weight; lbfgs is the solver that warm starts and does not square the matrix.
    model = LogisticRegression(solver="lbfgs", max_iter=200, tol=1e-4, warm_start=True)
    found: list[Linear] = []
    for strength in strengths:
        model.set_params(C=1 / strength)
        _fit_quietly(model, wide, won, weight)
        found.append(Linear(widening, model.coef_[0].astype(np.float64), float(np.ravel(model.intercept_)[0])))
    return found


def _fit_quietly(model: Any, wide: NDArray[np.float32], won: NDArray[np.bool_], weight: Floats) -> None:
    """Fit; a solver that stops at its last step is near enough, and its warning is no news to a user."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(wide, won, weight)


def _columns_of(feature: int, categories: int, has_missing: bool) -> list[Column]:
    if categories:
        return [Column(feature, "category", code) for code in range(categories)]
    missing = [Column(feature, "missing")] if has_missing else []
    return [Column(feature, "number"), *missing]


def _raw(column: Column, values: Matrix) -> Floats:
    """A column's values before they are standardised; a category that is missing is none of them."""
    if column.kind == "category":
        return (values == column.code).astype(np.float64)
    if column.kind == "missing":
        return np.isnan(values).astype(np.float64)
    x = values.astype(np.float64)
    return np.copysign(np.log1p(np.abs(x)), x)
