"""Cross-fitting: every candidate's margins for rows that it did not see, held out by account."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from touchline.models.encoding import Encoder, Matrix
from touchline.models.scorer.linear import fit_linear
from touchline.models.scorer.trees import KINDS, dataset, grow, settings_of

if TYPE_CHECKING:
    import lightgbm as lgb

Floats = NDArray[np.float64]

STRENGTHS = (300.0, 100.0, 30.0)
"""Ridges tried, in won deals, the strongest first."""
MOST_ROUNDS = 600
CROSSED_ROWS = 150_000
"""Rows used for choosing and calibrating: neighbouring dates of a lead say nearly the same."""
SMALL = 40_000_000
"""Numbers in a matrix up to which folds are fitted side by side."""
HELD_OUT_ONCE_FROM = 1_500
"""Won deals from which one fifth of the accounts, held out once, is plenty to choose and to calibrate by."""


@dataclass(frozen=True)
class Rows:
    """What a fit sees: a matrix with labels.

    Attributes
    ----------
    matrix
        (rows, features), as the encoder makes it.
    won
        (rows,) labels.
    weight
        (rows,) weights; those of won rows add up to the number of won deals.
    group
        (rows,) number of each row's account, from 0.
    date
        (rows,) number of each row's as-of date, from 0 in order of time; all 0 if unknown.
    """

    matrix: Matrix
    won: NDArray[np.bool_]
    weight: Floats
    group: NDArray[np.int64]
    date: NDArray[np.int64]

    def take(self, at: NDArray[np.intp] | NDArray[np.bool_]) -> Rows:
        """Some of the rows."""
        return Rows(self.matrix[at], self.won[at], self.weight[at], self.group[at], self.date[at])

    @property
    def base(self) -> float:
        """Log-odds of the base rate, drawn to a half by half a deal so that it is finite."""
        wins, all_ = float(self.weight @ self.won), float(self.weight.sum())
        return float(np.log(wins + 0.5) - np.log(all_ - wins + 0.5))


@dataclass
class Crossed:
    """Margins of rows that were held out, of each kind of part, and what was learned on the way.

    Attributes
    ----------
    rows
        The rows that were held out, once each.
    base, linear, trees
        Margins: of the base rate; of the linear part by strength of its ridge; of trees by kind.
    rounds
        How many trees each kind should have.
    kept
        Parts that need not be fitted again, because one hold-out served for all.
    """

    rows: Rows
    base: Floats
    linear: dict[float, Floats]
    trees: dict[str, Floats]
    rounds: dict[str, int]
    kept: dict[str, Any] = field(default_factory=dict)


def cross_fit(
    rows: Rows, encoder: Encoder, deals: int, settings: dict[str, Any], seed: int, known: Crossed | None = None
) -> Crossed:
    """Fit all parts on all but some accounts, in turn, and apply them to those left out.

    With `known`, from the same rows and seed but other `settings`, only the trees are fitted: nothing else follows the
    settings.
    """
    if deals >= HELD_OUT_ONCE_FROM:
        return _hold_out_once(rows, encoder, settings, seed, known)
    rows = thinned(rows)
    folds = assign_folds(rows, 10 if deals < 60 else 5, seed)
    found = _each_fold(rows, folds, encoder, settings, () if known else STRENGTHS)
    base = known.base if known else np.empty(len(rows.won))
    linear = known.linear if known else {strength: np.empty(len(rows.won)) for strength in STRENGTHS}
    for fold in found:
        base[fold.out] = fold.base
        for strength, margin in fold.linear.items():
            linear[strength][fold.out] = margin
    trees, rounds = {}, {}
    for kind in KINDS:
        rounds[kind] = _best_round([(float(rows.weight[fold.out].sum()), fold.trees[kind][1]) for fold in found])
        trees[kind] = np.empty(len(rows.won))
        for fold in found:
            booster = fold.trees[kind][0]
            trees[kind][fold.out] = booster.predict(
                rows.matrix[fold.out], raw_score=True, num_iteration=rounds[kind], num_threads=settings["num_threads"]
            )
    return Crossed(rows, base, linear, trees, rounds)


@dataclass(frozen=True)
class _Fold:
    """What was learned without some rows, for them."""

    out: NDArray[np.bool_]
    base: float
    linear: dict[float, Floats]
    trees: dict[str, tuple[lgb.Booster, list[float]]]


def _each_fold(
    rows: Rows, folds: NDArray[np.int64], encoder: Encoder, settings: dict[str, Any], strengths: tuple[float, ...]
) -> list[_Fold]:
    """Fit without each fold; side by side where rows are few, for threads of one fold would wait for one another."""
    threads = int(settings["num_threads"])
    small = rows.matrix.size < SMALL
    own = {**settings, "num_threads": 1 if small else threads}

    def one(fold: int) -> _Fold:
        out = folds == fold
        train, test = rows.take(~out), rows.take(out)
        linears = fit_linear(train.matrix, encoder, train.won, train.weight, strengths) if strengths else []
        linear = {s: part.margin(test.matrix) for s, part in zip(strengths, linears, strict=True)}
        trees = {kind: (booster, losses) for kind, booster, losses in _boosters(train, test, encoder, own)}
        return _Fold(out, train.base, linear, trees)

    with ThreadPoolExecutor(threads if small else 1) as pool:
        return list(pool.map(one, range(int(folds.max()) + 1)))


def assign_folds(rows: Rows, count: int, seed: int) -> NDArray[np.int64]:
    """For each row its fold: whole groups, the won ones spread evenly; the same whatever the order of rows."""
    groups = int(rows.group.max()) + 1
    won = np.zeros(groups, bool)
    won[rows.group[rows.won]] = True
    shuffled = np.random.default_rng(seed).permutation(groups)
    fold = np.empty(groups, np.int64)
    for side in (won[shuffled], ~won[shuffled]):
        fold[shuffled[side]] = np.arange(side.sum()) % count
    return fold[rows.group]


def thinned(rows: Rows) -> Rows:
    """At most `CROSSED_ROWS` rows: every n-th as-of date, the newest among them; or whole groups without dates."""
    many = -(-len(rows.won) // CROSSED_ROWS)
    if many <= 1:
        return rows
    dates = int(rows.date.max()) + 1
    kept = (dates - 1 - rows.date) % many == 0 if dates >= many else rows.group % many == 0
    part = rows.take(kept)
    wins = float(part.weight @ part.won)
    if not wins:
        return rows
    weight = part.weight * (float(rows.weight @ rows.won) / wins)  # in won deals, as before
    return Rows(part.matrix, part.won, weight, part.group, part.date)


def _hold_out_once(rows: Rows, encoder: Encoder, settings: dict[str, Any], seed: int, known: Crossed | None) -> Crossed:
    """One fifth of the accounts; of these the later half of the dates, so that the newest base rate is learned."""
    out = assign_folds(rows, 5, seed) == 0
    train, test = rows.take(~out), rows.take(out & (rows.date >= rows.date.max() // 2))
    name, booster, losses = next(iter(_boosters(train, test, encoder, settings, kinds=("regularised",))))
    rounds = int(np.argmin(losses)) + 1
    margin = np.asarray(booster.predict(test.matrix, raw_score=True, num_iteration=rounds))
    if known:
        kept = {**known.kept, name: booster}
        return Crossed(test, known.base, known.linear, {name: margin}, {name: rounds}, kept)
    few = thinned(train)
    strength = STRENGTHS[len(STRENGTHS) // 2]  # with so many deals the ridge hardly matters
    part = fit_linear(few.matrix, encoder, few.won, few.weight, [strength])[0]
    kept = {name: booster, f"linear {strength}": part}
    base, linear = np.full(len(test.won), train.base), {strength: part.margin(test.matrix)}
    return Crossed(test, base, linear, {name: margin}, {name: rounds}, kept)


def _boosters(
    train: Rows, test: Rows, encoder: Encoder, settings: dict[str, Any], kinds: tuple[str, ...] = tuple(KINDS)
) -> Iterator[tuple[str, lgb.Booster, list[float]]]:
    ours = dataset(train.matrix, encoder, train.won, train.weight, settings_of(kinds[0], settings))
    theirs = ours.create_valid(test.matrix, test.won.astype(np.float32), weight=test.weight)
    for kind in kinds:
        booster, losses = grow(ours, settings_of(kind, settings), MOST_ROUNDS, held_out=theirs)
        yield kind, booster, losses


def _best_round(found: list[tuple[float, list[float]]]) -> int:
    """The number of trees with the least loss over all folds, as far as all of them went."""
    shortest = min(len(losses) for _, losses in found)
    total = sum(weight * np.array(losses[:shortest]) for weight, losses in found)
    return int(np.argmin(total)) + 1
