"""The part made of trees: LightGBM, with everything that keeps it from learning by heart counted in won deals.

LightGBM's own defaults are made for millions of independent rows. A lead set has few deals, each seen in many rows:
with 30 deals the defaults do worse than saying the base rate. So rows are weighted such that won rows weigh together
what there are deals, and a leaf must expect at least one deal or so before it may say anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from touchline.models.encoding import Encoder, Matrix

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = NDArray[np.float64]

COMMON: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "min_sum_hessian_in_leaf": 1.2,  # expected won deals in a leaf
    "min_data_in_leaf": 20,
    "lambda_l2": 6.0,  # in won deals
    "feature_fraction": 0.3,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "max_bin": 63,
    "max_cat_to_onehot": 32,
    "deterministic": True,
    "force_col_wise": True,  # the choice LightGBM would else make by timing itself
    "feature_pre_filter": False,
    "verbose": -1,
}
ADDITIVE: dict[str, Any] = {**COMMON, "num_leaves": 2, "learning_rate": 0.1}
"""Stumps: each tree looks at one feature, so that the model is a sum of curves."""
REGULARISED: dict[str, Any] = {**COMMON, "num_leaves": 15, "max_depth": 5}
"""Depth is capped so that exact explanations stay tables of a handy size."""
KINDS = {"additive": ADDITIVE, "regularised": REGULARISED}


def settings_of(kind: str, changed: Mapping[str, Any]) -> dict[str, Any]:
    """LightGBM's parameters for a kind of trees, some of them changed; stumps stay stumps whatever is changed."""
    return {**KINDS[kind], **changed, **({"num_leaves": 2} if kind == "additive" else {})}


@dataclass(frozen=True)
class Trees:
    """Trees in LightGBM's own text, and how many of them count."""

    text: str

    @cached_property
    def booster(self) -> lgb.Booster:
        """The trees in LightGBM; the text must be known to be whole (`touchline.models.artifact` checks it)."""
        import lightgbm as lgb

        return lgb.Booster(model_str=self.text)

    def margin(self, matrix: Matrix, *, threads: int = 0) -> Floats:
        """Log-odds of each row, of shape (rows,)."""
        found = self.booster.predict(matrix, raw_score=True, num_threads=threads)
        return np.asarray(found, np.float64)


def dataset(
    matrix: Matrix, encoder: Encoder, won: NDArray[np.bool_], weight: Floats, settings: Mapping[str, Any]
) -> lgb.Dataset:
    """Rows in LightGBM's own form."""
    import lightgbm as lgb

    return lgb.Dataset(
        matrix,
        won.astype(np.float32),
        weight=weight,
        feature_name=[f"f{i}" for i in range(len(encoder.names))],  # LightGBM refuses many characters of real names
        categorical_feature=encoder.categorical,
        params=dict(settings),
        free_raw_data=False,
    )


def grow(
    rows: lgb.Dataset,
    settings: Mapping[str, Any],
    rounds: int,
    *,
    held_out: lgb.Dataset | None = None,
    patience: int = 40,
) -> tuple[lgb.Booster, list[float]]:
    """Grow trees; with `held_out`, stop when its loss has not fallen for `patience` rounds.

    Returns
    -------
    tuple
        The trees, and the loss of `held_out` after each round (empty without).
    """
    import lightgbm as lgb

    if held_out is None:
        return lgb.train(dict(settings), rows, rounds), []
    seen: dict[str, dict[str, list[float]]] = {}
    callbacks = [lgb.record_evaluation(seen), lgb.early_stopping(patience, verbose=False)]
    booster = lgb.train(
        {**settings, "metric": "binary_logloss"}, rows, rounds, valid_sets=[held_out], callbacks=callbacks
    )
    return booster, next(iter(seen.values()))["binary_logloss"]
