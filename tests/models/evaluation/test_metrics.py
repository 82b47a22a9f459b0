"""Metrics of probabilities are what plain Python and scikit-learn say they are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss as their_log_loss

from touchline.models.evaluation import (
    base_rate,
    brier,
    calibration,
    information_captured,
    log_loss,
    observed_expected,
    skill,
)

ROWS = st.lists(
    st.tuples(st.booleans(), st.floats(0.01, 0.99), st.sampled_from([1.0, 2.0, 0.5, 3.0])), min_size=4, max_size=40
)


def arrays(rows):
    y, p, w = zip(*rows, strict=True)
    return np.array(y), np.array(p), np.array(w)


def company(seed=0, rows=3000):
    random = np.random.default_rng(seed)
    truth = random.beta(0.6, 12, rows)
    return random.random(rows) < truth, truth, random.integers(1, 4, rows).astype(float)


@settings(deadline=None)
@given(ROWS)
def test_proper_scores_agree_with_plain_python(rows):
    y, p, w = arrays(rows)
    total = sum(w)
    loss = -sum(c * math.log(b if a else 1 - b) for a, b, c in rows) / total
    assert log_loss(y, p, w) == pytest.approx(loss)
    assert brier(y, p, w) == pytest.approx(sum(c * (a - b) ** 2 for a, b, c in rows) / total)
    assert base_rate(y, w) == pytest.approx(sum(c for a, _, c in rows if a) / total)
    assert observed_expected(y, p, w) == pytest.approx(sum(c for a, _, c in rows if a) / sum(b * c for _, b, c in rows))


def test_proper_scores_agree_with_scikit_learn():
    y, p, w = company()
    assert log_loss(y, p, w) == pytest.approx(their_log_loss(y, p, sample_weight=w))
    assert brier(y, p, w) == pytest.approx(brier_score_loss(y, p, sample_weight=w))


def test_a_wrong_certainty_is_dear_but_finite():
    assert log_loss([True, False], [0.0, 1.0]) == pytest.approx(their_log_loss([1, 0], [0.0, 1.0]), rel=1e-6)


@settings(deadline=None)
@given(ROWS)
def test_the_base_rate_has_no_skill_and_an_all_knowing_model_has_all_of_it(rows):
    y, _, w = arrays(rows)
    rate = base_rate(y, w)
    if 0 < rate < 1:
        assert skill(y, np.full(len(y), rate), w) == pytest.approx(0, abs=1e-12)
        assert skill(y, y.astype(float), w) == pytest.approx(1)
    else:
        assert math.isnan(skill(y, np.full(len(y), 0.5), w))


@settings(deadline=None)
@given(st.lists(st.floats(0.001, 0.999), min_size=3, max_size=30, unique=True))
def test_the_truth_captures_all_information_and_its_mean_none(truth):
    q = np.array(truth)
    assert information_captured(q, q) == pytest.approx(100)
    assert information_captured(q, np.full(len(q), q.mean())) == pytest.approx(0, abs=1e-6)
    assert information_captured(q, np.clip(q * 0.5 + 0.2, 0, 1)) <= 100
    assert information_captured(q, 1 - q) < 100


def test_information_is_the_share_of_expected_log_loss_that_is_won():
    truth, p = [0.1, 0.4, 0.7], [0.2, 0.3, 0.6]

    def loss(model):
        return -sum(q * math.log(m) + (1 - q) * math.log(1 - m) for q, m in zip(truth, model, strict=True))

    base = loss([0.4] * 3)
    assert information_captured(truth, p) == pytest.approx(100 * (base - loss(p)) / (base - loss(truth)))


def test_nothing_can_be_captured_where_all_chances_are_the_same():
    assert math.isnan(information_captured([0.3, 0.3, 0.3], [0.1, 0.2, 0.3]))


@pytest.mark.parametrize("seed", range(3))
def test_the_calibration_line_is_the_unpenalised_logistic_regression(seed):
    y, p, w = company(seed)
    p = np.clip(p, 1e-4, 1) ** 0.7
    x = np.log(p / (1 - p))
    theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000, solver="newton-cholesky").fit(x[:, None], y, w)
    ours = calibration(y, p, w)
    assert ours.slope == pytest.approx(theirs.coef_[0, 0], rel=1e-5)
    assert ours.intercept == pytest.approx(theirs.intercept_[0], rel=1e-5)
    at = 1 / (1 + np.exp(-(x + ours.in_the_large)))
    assert (w * at).sum() == pytest.approx((w * y).sum())  # the score equation of an intercept alone


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 2), st.floats(-1, 1))
def test_calibration_undoes_a_known_bend(slope, shift):
    """A bent margin b * x + a is put right by slope / b and the intercept that takes a away."""
    y, p, w = company(1)
    p = np.clip(p, 1e-3, 0.999)
    plain = calibration(y, p, w)
    bent = calibration(y, 1 / (1 + np.exp(-(slope * np.log(p / (1 - p)) + shift))), w)
    assert bent.slope == pytest.approx(plain.slope / slope, rel=1e-4)
    assert bent.intercept == pytest.approx(plain.intercept - plain.slope * shift / slope, rel=1e-3, abs=1e-4)


def test_calibration_survives_margins_that_throw_newton_off():
    y = np.r_[np.ones(50, bool), np.zeros(50, bool), True, False]
    p = np.r_[np.full(50, 1 - 1e-9), np.full(50, 1e-9), 1e-9, 1 - 1e-9]
    line = calibration(y, p)
    x = np.log(p / (1 - p))
    at = 1 / (1 + np.exp(-(line.intercept + line.slope * x)))
    assert (at - y).sum() == pytest.approx(0, abs=1e-6)
    assert ((at - y) * x).sum() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize(
    ("y", "p"),
    [([True, True], [0.2, 0.3]), ([False, False], [0.2, 0.3])],
)
def test_one_class_has_no_calibration(y, p):
    assert all(math.isnan(v) for v in calibration(y, p))


@pytest.mark.parametrize("p", [[0.3, 0.3, 0.3, 0.3], [0.1, 0.2, 0.3, 0.4], [0.4, 0.3, 0.2, 0.1], [0.1, 0.2, 0.2, 0.4]])
def test_constant_and_separating_chances_have_no_line_but_a_level(p):
    line = calibration([False, False, True, True], p)
    assert math.isnan(line.slope)
    assert math.isnan(line.intercept)
    assert math.isfinite(line.in_the_large)


@settings(deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_row_order_and_split_weights_change_nothing(rows, random):
    y, p, w = arrays(rows)
    shuffled = rows[:]
    random.shuffle(shuffled)
    halves = arrays([(a, b, c / 2) for a, b, c in shuffled for _ in range(2)])
    for metric in (log_loss, brier, observed_expected):
        assert metric(*halves) == pytest.approx(metric(y, p, w))
    assert base_rate(halves[0], halves[2]) == pytest.approx(base_rate(y, w))
    assert tuple(calibration(*halves)) == pytest.approx(tuple(calibration(y, p, w)), rel=1e-4, abs=1e-6, nan_ok=True)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: log_loss([], []), "y has no row"),
        (lambda: log_loss([[True]], [0.1]), "y must have one dimension"),
        (lambda: log_loss([0, 2], [0.1, 0.2]), "immature rows"),
        (lambda: log_loss(["a", "b"], [0.1, 0.2]), "y must be boolean"),
        (
            lambda: log_loss([True, False], [0.1]),
            "probability must have one value for each row of y: expected 2, got 1",
        ),
        (lambda: log_loss([True, False], [0.1, 1.2]), "Ranks"),
        (lambda: log_loss([True, False], [0.1, np.nan]), "probability holds 1 missing"),
        (lambda: log_loss([True, False], ["x", "y"]), "probability must be numbers"),
        (lambda: log_loss([True, False], [0.1, 0.2], [1, -1]), "weight must not be negative"),
        (lambda: log_loss([True, False], [0.1, 0.2], [0, 0]), "weight must not be negative"),
    ],
)
def test_what_is_wrong_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
