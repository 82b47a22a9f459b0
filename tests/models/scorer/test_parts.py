"""The parts of a model: linear part, calibrators, bands, folds, scale."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from touchline.features import TrainingSet
from touchline.models.bands import fit_band
from touchline.models.calibration import (
    Beta,
    Calibrator,
    Isotonic,
    Platt,
    calibrator_from_dict,
    fit_beta,
    fit_intercept,
    fit_isotonic,
    fit_platt,
    log_loss,
)
from touchline.models.encoding import Encoder
from touchline.models.scale import Scale
from touchline.models.scorer import LeadScorer
from touchline.models.scorer.choice import choose
from touchline.models.scorer.crossfit import Crossed, Rows, assign_folds
from touchline.models.scorer.linear import Linear, fit_linear


def _rows(seed: int, size: int = 400) -> Rows:
    random = np.random.default_rng(seed)
    margin = random.normal(-2, 1, size)
    won = random.random(size) < 1 / (1 + np.exp(-margin))
    group = random.integers(0, size // 4, size)
    group = np.unique(group, return_inverse=True)[1].astype(np.int64)
    return Rows(margin[:, None], won, np.ones(size), group, np.zeros(size, np.int64))


@given(seed=st.integers(0, 1000), kind=st.sampled_from([fit_platt, fit_beta, fit_isotonic]))
@settings(max_examples=60, deadline=None)
def test_calibrators_never_turn_ranks_round(seed: int, kind) -> None:  # type: ignore[no-untyped-def]
    rows = _rows(seed)
    calibrator: Calibrator = kind(rows.matrix[:, 0], rows.won, rows.weight)
    grid = np.linspace(-40, 40, 801)
    assert (np.diff(calibrator(grid)) >= -1e-12).all()


def test_platt_with_a_wide_prior_is_logistic_regression() -> None:
    rows = _rows(1, 4_000)
    ours = fit_platt(rows.matrix[:, 0], rows.won, rows.weight, slope_sd=1e6)
    theirs = LogisticRegression(C=np.inf, tol=1e-10).fit(rows.matrix, rows.won)
    assert ours.slope == pytest.approx(theirs.coef_[0, 0], rel=1e-5)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], rel=1e-5)


def test_platt_keeps_its_prior_when_there_is_little_to_go_by() -> None:
    rows = _rows(2, 40)
    wild = fit_platt(10 * rows.matrix[:, 0], rows.won, rows.weight * 1e-6)
    assert wild.slope == pytest.approx(1, abs=1e-3)


def test_beta_finds_the_curve_that_made_the_data() -> None:
    random = np.random.default_rng(3)
    margin = random.normal(-1, 2, 200_000)
    true = Beta(0.7, 1.6, 0.3)
    won = random.random(len(margin)) < 1 / (1 + np.exp(-true(margin)))
    found = fit_beta(margin, won, np.ones(len(margin)))
    grid = np.linspace(-4, 2, 30)
    np.testing.assert_allclose(found(grid), true(grid), atol=0.06)


def test_isotonic_comes_near_any_rising_curve_and_has_no_ties() -> None:
    random = np.random.default_rng(4)
    margin = random.normal(-1, 2, 200_000)
    true = np.where(margin < 0, 0.2 * margin - 2, 1.5 * margin - 2)
    won = random.random(len(margin)) < 1 / (1 + np.exp(-true))
    found = fit_isotonic(margin, won, np.ones(len(margin)))
    grid = np.linspace(-2.5, 2, 40)
    np.testing.assert_allclose(found(grid), np.where(grid < 0, 0.2 * grid - 2, 1.5 * grid - 2), atol=0.25)
    assert (
        log_loss(found(margin), won, np.ones(len(margin))) < log_loss(Platt()(true), won, np.ones(len(margin))) * 1.001
    )


def test_a_shrunk_level_moves_half_way_when_data_and_belief_weigh_the_same() -> None:
    won = np.zeros(200_000, bool)
    won[:2_000] = True
    there = np.full(len(won), np.log(1 / 99))
    weight = np.full(len(won), 25 / 0.99 / 2_000)  # 25 deals' worth of curvature
    shift = fit_intercept(there - 0.1, won, weight, sd=0.2)
    assert shift == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize("calibrator", [Platt(1.1, -0.2), Beta(0.9, 1.3, 0.1), Isotonic((-2.0, 0.0), (-3.0, 1.0))])
def test_calibrators_survive_json(calibrator: Calibrator) -> None:
    again = calibrator_from_dict(json.loads(json.dumps(calibrator.to_dict())))
    assert again == calibrator


def test_bands_are_wider_when_rows_of_an_account_say_the_same() -> None:
    rows = _rows(5, 2_000)
    margin = rows.matrix[:, 0]
    alone = fit_band(margin, margin, rows.won, rows.weight, np.arange(len(margin)))
    twice = fit_band(
        np.repeat(margin, 4),
        np.repeat(margin, 4),
        np.repeat(rows.won, 4),
        np.full(8_000, 0.25),
        np.repeat(np.arange(2_000), 4),
    )
    np.testing.assert_allclose(np.array(twice.covariance), np.array(alone.covariance), rtol=1e-6)
    naive = fit_band(
        np.repeat(margin, 4), np.repeat(margin, 4), np.repeat(rows.won, 4), np.full(8_000, 0.25), np.arange(8_000)
    )
    assert naive.covariance[1][1] < alone.covariance[1][1] / 3


def test_bands_cover_the_truth_about_as_often_as_they_say() -> None:
    covered = 0
    for seed in range(200):
        rows = _rows(1_000 + seed, 600)
        margin = rows.matrix[:, 0]
        calibrator = fit_platt(margin, rows.won, rows.weight)
        low, high = fit_band(margin, calibrator(margin), rows.won, rows.weight, rows.group)(
            np.array([-2.0]), calibrator(np.array([-2.0]))
        )
        covered += bool(low[0] <= -2 <= high[0])
    assert 180 <= covered <= 200


def test_folds_hold_whole_accounts_and_spread_the_won_ones() -> None:
    rows = _rows(6, 1_000)
    folds = assign_folds(rows, 5, 0)
    assert len(set(zip(folds, rows.group, strict=True))) == len(set(rows.group))
    won = pd.Series(folds[rows.won]).groupby(rows.group[rows.won]).first().value_counts()
    assert won.max() - won.min() <= 1


def test_folds_do_not_depend_on_the_order_of_rows() -> None:
    rows = _rows(7)
    turn = np.random.default_rng(0).permutation(len(rows.won))
    assert (assign_folds(rows, 5, 0)[turn] == assign_folds(rows.take(turn), 5, 0)).all()


def test_the_linear_part_is_ridge_logistic_regression() -> None:
    random = np.random.default_rng(8)
    x = random.normal(size=(3_000, 3)).astype(np.float32)
    won = random.random(3_000) < 1 / (1 + np.exp(1 - x[:, 0]))
    encoder = Encoder.plain(["a", "b", "c"])
    part = fit_linear(x, encoder, won, np.ones(3_000), [10.0])[0]
    squashed = np.sign(x.astype(float)) * np.log1p(np.abs(x.astype(float)))
    wide = (squashed - squashed.mean(0)) / squashed.std(0)
    theirs = LogisticRegression(C=0.1, tol=1e-9, max_iter=500).fit(wide, won)
    np.testing.assert_allclose(part.coefficients, theirs.coef_[0], atol=2e-3)
    np.testing.assert_allclose(part.margin(x), theirs.decision_function(wide), atol=5e-3)


def test_linear_contributions_add_up_to_the_margin(training: TrainingSet) -> None:
    encoder = Encoder.learn(training.X)
    matrix = encoder.encode(training.X)
    part = fit_linear(matrix[:3_000], encoder, training.y[:3_000], np.ones(3_000), [30.0])[0]
    sums = part.contributions(matrix[:500]).sum(axis=1) + part.intercept
    np.testing.assert_allclose(sums, part.margin(matrix[:500]), atol=1e-5)
    again = Linear.from_dict(json.loads(json.dumps(part.to_dict())))
    assert again.margin(matrix[:500]).tobytes() == part.margin(matrix[:500]).tobytes()


def test_ten_points_are_twice_the_odds_and_ranks_stay() -> None:
    scale = Scale()
    odds = np.array([1 / 99, 2 / 99, 4 / 99])
    assert scale.score(np.log(odds)) == pytest.approx([50, 60, 70])
    assert scale.tier(np.log(np.array([0.06 / 0.94, 0.03 / 0.97, 0.01 / 0.99, 0.001]))).tolist() == ["A", "B", "C", "D"]


def test_the_models_margin_is_the_mean_of_its_parts(training: TrainingSet) -> None:
    model = LeadScorer().fit(training.X, training.y, **training.fit_parameters).model_
    matrix = model.encoder.encode(training.X.iloc[:200])
    parts = [part.margin(matrix) for part in model.parts]
    np.testing.assert_allclose(model.margin(matrix), sum(parts) / len(parts), rtol=1e-12)
    low, high = model.interval(training.X.iloc[:200])
    chance = model.probability(training.X.iloc[:200])
    assert ((low < chance) & (chance < high)).all()


def test_nobody_is_preferred_to_a_base_rate_that_does_better() -> None:
    random = np.random.default_rng(0)
    size = 4_000
    won = random.random(size) < 0.05
    group = np.arange(size, dtype=np.int64)
    rows = Rows(np.zeros((size, 1)), won, np.ones(size), group, np.zeros(size, np.int64))
    base = np.full(size, np.log(0.05 / 0.95))
    told = 3 * won + random.normal(0, 4, size)  # tells winners apart
    weight = np.ones(size)
    worse = [
        k for k in np.arange(0.05, 1, 0.005) if log_loss(base + k * told, won, weight) > log_loss(base, won, weight)
    ]
    wild = base + worse[0] * told  # and is just so sure of itself that its loss is a little above the base rate's
    crossed = Crossed(rows, base, {100.0: wild}, {"additive": wild}, {"additive": 1})
    choice, margin = choose(crossed)
    assert min(choice.candidates, key=lambda c: c.loss).name == "base rate"
    assert choice.chosen.name == "base rate"
    assert (margin == base).all()


def test_a_part_is_taken_alone_only_if_it_is_surely_better_than_the_average() -> None:
    random = np.random.default_rng(1)
    size = 4_000
    true = random.normal(-2, 1.5, size)
    won = random.random(size) < 1 / (1 + np.exp(-true))
    rows = Rows(np.zeros((size, 1)), won, np.ones(size), np.arange(size, dtype=np.int64), np.zeros(size, np.int64))
    base = np.full(size, np.log(won.mean() / (1 - won.mean())))
    near = true + random.normal(0, 0.05, size)
    for other, chosen in ((near, "logistic + additive"), (random.normal(-2, 3, size), "logistic")):
        crossed = Crossed(rows, base, {100.0: true}, {"additive": other}, {"additive": 1})
        assert choose(crossed)[0].chosen.name == chosen
