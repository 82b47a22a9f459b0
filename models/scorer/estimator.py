"""`LeadScorer`: the estimator, by scikit-learn's contract."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    _check_sample_weight,  # pyright: ignore[reportPrivateUsage]  # scikit-learn offers estimators no public one
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from touchline.models.encoding import Encoder, Matrix
from touchline.models.scorer.crossfit import Rows
from touchline.models.scorer.fitting import Task, fit_model
from touchline.models.scorer.model import ScoringModel, probability
from touchline.playbook.data import SmallData

if TYPE_CHECKING:
    from sklearn.utils import Tags

Floats = NDArray[np.float64]


class LeadScorer(ClassifierMixin, BaseEstimator):
    """Chances to be won: chosen by accounts left out, calibrated, no bolder than the number of won deals allows.

    Candidates are the base rate, ridge logistic regression, LightGBM with stumps, LightGBM regularised, and the mean of
    logistic and trees. Which one is taken, and why, stands in `choice_` afterwards.

    Parameters
    ----------
    small_data
        From how many distinct won deals the model may say what; the measured defaults if left out.
    monotone
        For features that may count in one direction only: name -> 1 (more is never worse) or -1. Binds trees.
    settings
        LightGBM parameters to change; those that count rows count won deals here (see `models/scorer/trees.py`).
    n_jobs
        Threads; as many as there are processors if left out.
    random_state
        Seed. The same data and seed give the same model, byte for byte.

    Attributes
    ----------
    model_ : ScoringModel
        The fitted model: what is saved, explained and served.
    choice_ : Choice
        The candidates, how they did, and why one was taken.
    rung_ : Rung
        What may be said of a lead: nothing of its own, ranks, chances with intervals, chances.
    classes_, n_features_in_, feature_names_in_
        As in scikit-learn.

    Examples
    --------
    >>> scorer = LeadScorer().fit(training.X, training.y, **training.fit_parameters)  # doctest: +SKIP
    >>> scorer.predict_proba(scoring.X)[:, 1]  # doctest: +SKIP
    """

    model_: ScoringModel

    def __init__(
        self,
        *,
        small_data: SmallData | None = None,
        monotone: Mapping[str, int] | None = None,
        settings: Mapping[str, Any] | None = None,
        n_jobs: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.small_data = small_data
        self.monotone = monotone
        self.settings = settings
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(
        self,
        X: Any,  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        as_of: ArrayLike | None = None,
        deals: ArrayLike | None = None,
    ) -> Self:
        """Fit on rows of (lead, as_of).

        Parameters
        ----------
        X
            (rows, features); a frame with numbers, booleans and categories, or an array of numbers. NaN is missing.
        y
            (rows,) labels of two classes; the greater one is "won".
        sample_weight
            (rows,) weights, such as one over the rows of the lead.
        groups
            (rows,) accounts: rows of one are held out together. Each row by itself if left out.
        as_of
            (rows,) as-of dates; with them the newest rows set the level of the chances.
        deals
            (rows,) identity of the won deal, looked at where won: how much there is to learn from. Each group with a
            win counts as one deal if left out.

        Raises
        ------
        ValueError
            If there are not two classes at most, or X and y do not fit each other.
        FeatureError
            If a column is neither numbers nor categories.
        """
        task = self.prepare(X, y, sample_weight, groups=groups, as_of=as_of, deals=deals)
        fitted = fit_model(task, self.small_data or SmallData())
        self.model_, self.choice_, self.rung_ = fitted.model, fitted.choice, fitted.model.rung
        return self

    def prepare(
        self,
        X: Any,  # noqa: N803
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        as_of: ArrayLike | None = None,
        deals: ArrayLike | None = None,
    ) -> Task:
        """Check and encode what `fit` takes, without fitting: what `touchline.models.tuning` tries settings on."""
        matrix = self._matrix(X, y, reset=True)
        labels = column_or_1d(np.asarray(y), warn=True)
        check_classification_targets(labels)
        if type_of_target(labels) == "multiclass":
            raise ValueError("Only binary classification is supported. A lead is won or it is not.")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        won = codes == 1 if len(self.classes_) > 1 else np.zeros(len(labels), bool)
        weight = np.asarray(_check_sample_weight(sample_weight, matrix, dtype=np.float64))
        rows = Rows(matrix, won, weight, _numbered(groups, len(won)), _numbered(as_of, len(won), alike=True))
        return Task.prepare(
            rows,
            self._encoder,
            deals=deals,
            limits=self.small_data or SmallData(),
            monotone=self.monotone or {},
            settings=self.settings or {},
            threads=self.n_jobs or os.cpu_count() or 1,
            seed=self.random_state,
        )

    def decision_function(self, X: Any) -> Floats:  # noqa: N803
        """Calibrated log-odds of each row, of shape (rows,)."""
        check_is_fitted(self)
        matrix = self._matrix(X, None, reset=False)
        if len(self.classes_) == 1:
            return np.full(len(matrix), -np.inf)
        return self.model_.log_odds(matrix)

    def predict_proba(self, X: Any) -> Floats:  # noqa: N803
        """Chances of both classes, of shape (rows, 2); the second is to be won."""
        chance = probability(self.decision_function(X))
        return np.stack([1 - chance, chance], axis=1)[:, : len(self.classes_)]

    def predict(self, X: Any) -> NDArray[Any]:  # noqa: N803
        """The likelier class of each row. Seldom what one wants: few leads are more likely won than not."""
        likelier = (self.decision_function(X) > 0).astype(int)
        return self.classes_[likelier]

    def _matrix(self, X: Any, y: Any, *, reset: bool) -> Matrix:  # noqa: N803
        """X as the model reads it; with `reset` learn what the columns are."""
        if hasattr(X, "dtypes") and hasattr(X, "iloc"):  # a frame: categories are ours to read
            validate_data(self, X, reset=reset, skip_check_array=True)
            if len(X) == 0 or X.shape[1] == 0:
                raise ValueError(
                    f"Found array with {len(X)} sample(s) and {X.shape[1]} feature(s) (shape={X.shape}) while a "
                    "minimum of 1 is required."
                )
            if reset:
                if y is None or len(y) != len(X):
                    raise ValueError("requires y to be passed, one label for each row of X")
                self._encoder = Encoder.learn(X)
            return self._encoder.encode(X)
        kinds: dict[str, Any] = {"dtype": [np.float64, np.float32], "ensure_all_finite": "allow-nan", "reset": reset}
        if not reset:
            return cast("Matrix", validate_data(self, X, **kinds))
        matrix = cast("Matrix", validate_data(self, X, y, **kinds)[0])
        self._encoder = Encoder.plain([f"x{i}" for i in range(matrix.shape[1])])
        return matrix

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags


def _numbered(keys: ArrayLike | None, size: int, *, alike: bool = False) -> NDArray[np.int64]:
    """Each key's number in their order; without keys all 0 if `alike`, else each row its own."""
    if keys is None:
        return np.zeros(size, np.int64) if alike else np.arange(size, dtype=np.int64)
    values = np.asarray(keys)
    if len(values) != size:
        raise ValueError(f"{len(values)} groups or dates were given for {size} rows")
    import pandas as pd

    codes, _ = pd.factorize(values, sort=True)
    if (codes < 0).any():
        raise ValueError("groups and dates must not be missing")
    return codes.astype(np.int64)
