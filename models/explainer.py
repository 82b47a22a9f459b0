"""`Explainer`: what each feature adds to a lead's log-odds, so that the parts are the score.

Margins of trees and of linear parts have exact Shapley values; the mean of the parts' margins has the mean of theirs. A
calibrator g turns the margin m into log-odds g(m). Where it is a straight line the values are multiplied by its slope,
which is exact; where it is not, by the slope of the straight line from the baseline margin m0 to m,

    s = (g(m) - g(m0)) / (m - m0)

so that signs and order stay the model's, and base + sum of the parts = g(m). This equals the Aumann-Shapley value of g
along the straight line of the margin's own values. A model that is steadied by the one before is the mean of two, and
so are its values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from touchline.models.encoding import Matrix
from touchline.models.scorer.model import ScoringModel, probability

if TYPE_CHECKING:
    import pandas as pd

    from touchline.models.shapley import Shapley

Floats = NDArray[np.float64]

_BLOCK = 4096
_FLAT = 1e-6
"""Distance from the baseline margin within which the calibrator's own slope there is taken."""


@dataclass(frozen=True)
class Contributions:
    """What each feature adds to the log-odds of some leads.

    Attributes
    ----------
    names
        The features.
    base
        Log-odds of the baseline: a lead like the average of those in training.
    of_features
        Of shape (rows, features), in log-odds; each row's sum and `base` are its log-odds.
    margin
        The model's log-odds before calibration, of shape (rows,); those of the model itself, if one before steadies it.
    """

    names: tuple[str, ...]
    base: float
    of_features: Floats
    margin: Floats

    @cached_property
    def log_odds(self) -> Floats:
        """Calibrated log-odds, of shape (rows,)."""
        return self.base + self.of_features.sum(axis=1)

    @property
    def probability(self) -> Floats:
        """Calibrated chances, of shape (rows,)."""
        return probability(self.log_odds)

    def aligned(self, names: Sequence[str]) -> Contributions:
        """The same with other columns: features that are not among these add nothing.

        Raises
        ------
        KeyError
            If a feature is not among `names`.
        """
        if self.names == tuple(names):
            return self
        place = {name: i for i, name in enumerate(names)}
        found = np.zeros((len(self.of_features), len(names)))
        found[:, [place[name] for name in self.names]] = self.of_features
        return Contributions(tuple(names), self.base, found, self.margin)

    def to_shap(self, features: pd.DataFrame) -> Any:
        """A `shap.Explanation` for its plots; `features` are those that were explained."""
        import shap

        data = features[list(self.names)].to_numpy(object)
        base = np.full(len(self.of_features), self.base)
        return shap.Explanation(self.of_features, base, data, feature_names=list(self.names))


class Explainer:
    """Explains what a model says of leads.

    Parameters
    ----------
    model
        A fitted model; it is made ready once, which takes about a second for its trees.
    check
        Rows of training on which packed trees are compared with LightGBM's own contributions, before they are trusted;
        for models that are just made.

    Examples
    --------
    >>> contributions = Explainer(scorer.model_).explain(scoring.X)  # doctest: +SKIP
    >>> contributions.of_features.sum(axis=1) + contributions.base  # the log-odds  # doctest: +SKIP
    """

    def __init__(self, model: ScoringModel, *, check: pd.DataFrame | None = None) -> None:
        self.model = model
        self._models = [model] if model.previous is None else [model, model.previous]
        self._trees = [_ready(one, check) for one in self._models]

    @property
    def base(self) -> float:
        """Log-odds of the baseline, from which every lead's sum begins."""
        both = [_at(one, _baseline(one, trees)) for one, trees in zip(self._models, self._trees, strict=True)]
        return sum(both) / len(both)

    def explain(self, features: pd.DataFrame) -> Contributions:
        """Contributions of every feature of the model to every row's log-odds.

        Raises
        ------
        FeatureError
            If a column is missing or is not what it was in training.
        """
        names = self.model.encoder.names
        whole = np.zeros((len(features), len(names)))
        margins: list[Floats] = []
        for model, trees in zip(self._models, self._trees, strict=True):
            matrix = model.encoder.encode(features)
            margins.append(model.margin(matrix))
            baseline = _baseline(model, trees)
            places = [names.index(name) for name in model.encoder.names]
            everywhere = slice(None) if places == list(range(len(names))) else places
            for start in range(0, len(matrix), _BLOCK):  # blocks that stay in the processor's cache
                block = slice(start, start + _BLOCK)
                own = _on_the_margin(model, trees, matrix[block])
                _carry_over(own, model.calibrator(margins[-1][block]), baseline, model)
                whole[block, everywhere] += own / len(self._models)
        return Contributions(names, self.base, whole, margins[0])


def _ready(model: ScoringModel, check: pd.DataFrame | None) -> Shapley | None:
    if model.trees is None:
        return None
    from touchline.models.shapley import shapley_of

    rows = None if check is None else model.encoder.encode(check)
    return shapley_of(model.trees.text, features=len(model.encoder.names), check=rows)


def _baseline(model: ScoringModel, trees: Shapley | None) -> float:
    """The margin that contributions start from."""
    parts = [part for part in (model.linear and model.linear.intercept, trees and trees.expected) if part is not None]
    return float(np.mean(parts)) if parts else model.base


def _on_the_margin(model: ScoringModel, trees: Shapley | None, matrix: Matrix) -> Floats:
    """What each feature adds to the margin, of shape (rows, features)."""
    values = np.zeros(matrix.shape)
    if model.linear is not None:
        values += model.linear.contributions(matrix)
    if trees is not None:
        values += trees.contributions(matrix)
    return values / max(1, len(model.parts))


def _carry_over(values: Floats, log_odds: Floats, baseline: float, model: ScoringModel) -> None:
    """Turn values on the margin into values on the log-odds, in place."""
    distance = values.sum(axis=1)
    wanted = log_odds - _at(model, baseline)
    near = np.abs(distance) < _FLAT
    around = np.array([baseline - _FLAT, baseline + _FLAT])
    steepness = float(np.diff(model.calibrator(around))[0]) / (2 * _FLAT)
    values *= np.where(near, steepness, wanted / np.where(near, 1.0, distance))[:, None]
    if near.any() and values.shape[1]:  # what is left there is less than any eye sees; the largest part takes it
        rows = np.flatnonzero(near)
        largest = np.abs(values[rows]).argmax(axis=1)
        values[rows, largest] += wanted[rows] - values[rows].sum(axis=1)


def _at(model: ScoringModel, margin: float) -> float:
    return float(model.calibrator(np.array([margin]))[0])
