"""Small boosted trees, out of fold by account: what all features together tell that one of them does not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from touchline.features.audit import limits
from touchline.features.audit.case import Case, quiet
from touchline.features.audit.codes import Code
from touchline.features.audit.findings import Finding, found
from touchline.features.audit.look import Values
from touchline.features.audit.ranks import (
    Auc,
    Bools,
    Floats,
    Ints,
    area_over,
    either_way,
    rates_out_of_fold,
    with_missing,
)

_FOLDS = 3
_ROUNDS = 50
_SETTINGS: dict[str, Any] = {
    "objective": "binary",
    "num_leaves": 6,
    "learning_rate": 0.08,
    "feature_fraction": 0.3,  # near-twins take turns
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 63,
    "num_threads": 1,  # the same trees on every machine, and no threads that wait for each other on a busy one
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


@dataclass(frozen=True)
class Matrix:
    """Rows for a small model: numbers, and categories as numbers."""

    x: NDArray[np.float32]
    """rows x columns"""
    names: tuple[str, ...]
    categories: frozenset[str]

    def without(self, names: Sequence[str]) -> Matrix:
        """The same without some columns."""
        kept = [i for i, n in enumerate(self.names) if n not in names]
        return Matrix(self.x[:, kept], tuple(self.names[i] for i in kept), self.categories)


def column(values: Values, rows: Ints) -> NDArray[np.float32]:
    """Some rows of a column as numbers; of categories the code, missing as NaN."""
    if values.numbers is not None:
        return values.numbers[rows].astype(np.float32)
    code = values.code[rows].astype(np.float32)
    code[values.code[rows] == values.size - 1] = np.nan
    return code


def scores(matrix: Matrix, label: Bools, group: Ints, seed: int) -> Floats:
    """For each row what a model says that learned from the accounts of other folds."""
    import lightgbm as lgb

    said = np.zeros(len(label))
    if not matrix.names:
        return said
    settings = {**_SETTINGS, "seed": seed, "min_data_in_leaf": max(20, len(label) // 100)}
    fold = np.random.default_rng(seed).permutation(int(group.max()) + 1)[group] % _FOLDS
    categories = [i for i, n in enumerate(matrix.names) if n in matrix.categories]
    for k in range(_FOLDS):
        learn, judge = fold != k, fold == k
        if not judge.any() or label[learn].all() or not label[learn].any():
            continue
        data = lgb.Dataset(
            matrix.x[learn], label[learn], categorical_feature=categories, params={"verbose": -1, "max_bin": 63}
        )
        model = lgb.train(settings, data, _ROUNDS)
        said[judge] = np.asarray(model.predict(matrix.x[judge], num_threads=1))
    return said


def check_golden(case: Case) -> Iterator[Finding]:
    """GOLDEN_FEATURE: the best few features, each against a model of all that do not tell the same as it does."""
    if case.won_accounts < limits.ENOUGH:
        yield quiet(Code.GOLDEN_FEATURE, f"won rows are of {case.won_accounts} accounts only")
        return
    ranked = sorted(case.told, key=lambda t: t.auc.value, reverse=True)
    best = [t.name for t in ranked if t.auc.value >= limits.AUC_LOOK][: limits.GOLDEN_CANDIDATES]
    if not best:
        told = f"no feature alone has an AUC of {limits.AUC_LOOK:.2f}"
        largest = ranked[0].auc.value if ranked else 0.5
        yield found(Code.GOLDEN_FEATURE, "ok", "features", told, {"largest": largest})
        return
    case.w.progress("holding the best features against a model of the others")
    rows = _some_rows(case)
    label, group = case.label[rows], np.unique(case.group[rows], return_inverse=True)[1]
    matrix = _matrix(case, rows)
    for name in best:
        values = matrix.x[:, matrix.names.index(name)]
        alike = _alike(matrix, values)
        alone = _alone(values, label, group, is_category=name in matrix.categories)
        model = area_over(scores(matrix.without(alike), label, group, case.seed), label, group)
        more = Auc(alone.value - model.value, alone.parts - model.parts)
        golden = more.value >= limits.GOLDEN and more.value - limits.GOLDEN_CERTAIN * more.error > 0
        figures = {"auc_alone": alone.value, "auc_others": model.value, "difference": more.value, "error": more.error}
        message = f"alone {alone.value:.2f}, all others together {model.value:.2f}"
        yield found(Code.GOLDEN_FEATURE, "warn" if golden else "ok", name, message, {**figures, "left_out": len(alike)})


def _some_rows(case: Case) -> Ints:
    """Won rows and others, at random; of won ones at most half of what a small model is fitted on."""
    random = np.random.default_rng(case.seed)
    won, other = (np.flatnonzero(side) for side in (case.label, ~case.label))
    won = random.permutation(won)[: limits.MODEL_ROWS // 2]
    return np.sort(np.concatenate([won, random.permutation(other)[: limits.MODEL_ROWS - len(won)]]))


def _matrix(case: Case, rows: Ints) -> Matrix:
    names = tuple(case.training.names)
    x = np.empty((len(rows), len(names)), np.float32)
    categories: set[str] = set()
    for i, name in enumerate(names):
        values = case.read(name)
        x[:, i] = column(values, rows)
        if values.numbers is None:
            categories.add(name)
    return Matrix(x, names, frozenset(categories))


def _alone(values: Floats, label: Bools, group: Ints, *, is_category: bool) -> Auc:
    if is_category:
        code = np.nan_to_num(values, nan=float(np.nanmax(values, initial=0)) + 1).astype(np.int64)
        return area_over(rates_out_of_fold(code, label, group, int(code.max()) + 1).score, label, group)
    _, end = with_missing(values, label)
    return either_way(area_over(np.nan_to_num(values, nan=end), label, group))


def _alike(matrix: Matrix, values: Floats) -> list[str]:
    """The columns that rank rows as `values` do, itself among them."""
    mine = _ranks(values)
    return [n for i, n in enumerate(matrix.names) if abs(float(mine @ _ranks(matrix.x[:, i]))) > limits.TWINS]


def _ranks(values: Floats) -> Floats:
    """Ranks, ties in the middle, missing lowest; centred, of length 1."""
    filled = np.nan_to_num(values, nan=-np.inf)
    ordered = np.sort(filled)
    ranks = (np.searchsorted(ordered, filled, "left") + np.searchsorted(ordered, filled, "right")) / 2.0
    ranks = ranks - ranks.mean()
    length = float(np.sqrt(ranks @ ranks))
    return ranks / length if length else ranks
