"""The figures are those of scikit-learn, SciPy and a bootstrap over accounts, and noise gives none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency
from sklearn.metrics import roc_auc_score

from touchline.features.audit.columns import _value
from touchline.features.audit.drift import jensen_shannon
from touchline.features.audit.look import Outcome, Values, look, lower_bound
from touchline.features.audit.ranks import (
    FOLDS,
    area,
    area_over,
    bins,
    correlation,
    cramers_v,
    either_way,
    rates_out_of_fold,
    with_missing,
)

COLUMN = st.lists(st.tuples(st.sampled_from([-2.0, 0.0, 0.5, 3.0, np.nan]), st.booleans()), min_size=4, max_size=60)


def both(label: np.ndarray) -> bool:
    return bool(label.any() and not label.all())


@given(COLUMN)
@settings(max_examples=80, deadline=None)
def test_area_is_that_of_scikit_learn_with_missing_values_at_the_end_that_tells_more(rows):
    values, label = np.array([v for v, _ in rows], np.float32), np.array([y for _, y in rows])
    value, end = with_missing(values, label)
    if not both(label):
        assert value == 0.5
        return
    ends = [roc_auc_score(label, np.nan_to_num(values.astype(float), nan=e)) for e in (-1e9, 1e9)]
    assert abs(value - 0.5) == pytest.approx(max(abs(a - 0.5) for a in ends))
    assert value == pytest.approx(area(np.nan_to_num(values, nan=end), label))


def clustered(seed: int, signal: float = 1.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of 120 accounts whose rows resemble each other: score, label, account."""
    random = np.random.default_rng(seed)
    group = np.repeat(np.arange(120), random.integers(5, 40, 120))
    won = random.random(120) < 0.3
    taste = random.normal(size=120) + signal * won
    label = won[group] & (random.random(len(group)) < 0.5)
    return taste[group] + 0.3 * random.normal(size=len(group)), label, group


def test_the_error_is_that_of_a_bootstrap_over_accounts():
    """Rows alone would claim to be several times as sure."""
    score, label, group = clustered(1)
    auc = area_over(score, label, group)
    assert auc.value == pytest.approx(roc_auc_score(label, score))
    assert auc.parts.sum() == pytest.approx(0)
    random = np.random.default_rng(0)
    rows_of = [np.flatnonzero(group == g) for g in range(120)]
    drawn = []
    for _ in range(300):
        rows = np.concatenate([rows_of[g] for g in random.integers(0, 120, 120)])
        drawn.append(roc_auc_score(label[rows], score[rows]))
    assert auc.error == pytest.approx(np.std(drawn), rel=0.2)
    by_row = area_over(score, label, np.arange(len(score)))
    assert auc.error > 2 * by_row.error


def test_each_accounts_influence_is_what_leaving_it_out_does():
    """Those without a win count, too: they are what a won row has to stand above."""
    score, label, group = clustered(7)
    auc = area_over(score, label, group)
    for with_win in (False, True):
        some = [g for g in range(120) if label[group == g].any() == with_win][:25]
        without = [roc_auc_score(label[group != g], score[group != g]) - auc.value for g in some]
        assert np.corrcoef(without, auc.parts[some])[0, 1] < -0.99
        assert np.std(without) == pytest.approx(np.std(auc.parts[some]), rel=0.25)


def test_a_score_turned_round_tells_the_same():
    score, label, group = clustered(2)
    one, other = (either_way(area_over(s, label, group)) for s in (score, -score))
    assert one.value == pytest.approx(other.value)
    assert one.value > 0.5
    np.testing.assert_allclose(one.parts, other.parts, atol=1e-12)


def test_rates_of_other_accounts_tell_what_lies_in_the_middle_and_nothing_of_noise():
    _, label, group = clustered(3)
    random = np.random.default_rng(3)
    middle = np.where(label, 0.0, random.choice([-1.0, 1.0], len(label))).astype(np.float32)
    code, size = bins(middle)
    assert rates_out_of_fold(code, label, group, size).area > 0.95
    # Each account has one of 200 values: its own rows must not vouch for it.
    noise = [rates_out_of_fold(random.integers(0, 200, 120)[group], label, group, 200).area for _ in range(40)]
    assert np.mean(noise) < 0.52


def test_rates_are_those_of_a_plain_loop():
    _, label, group = clustered(4)
    code = np.random.default_rng(4).integers(0, 5, len(label))
    rates = rates_out_of_fold(code, label, group, 6)
    fold = group % FOLDS
    for row in range(0, len(label), 97):
        others = fold != fold[row]
        mine = others & (code == code[row])
        base = label[others].mean()
        assert rates.score[row] == pytest.approx((label[mine].sum() + 20 * base) / (mine.sum() + 20) - base)
    assert rates.area == pytest.approx(roc_auc_score(label, rates.score))


def test_bins_keep_order_and_set_missing_apart():
    values = np.array([3, 1, np.nan, 2, 2, 100, np.nan] * 50, np.float32)
    code, size = bins(values)
    assert set(code[np.isnan(values)]) == {size - 1}
    present = ~np.isnan(values)
    turn = np.argsort(values[present], kind="stable")
    assert (np.diff(code[present][turn]) >= 0).all()
    assert len(np.unique(code)) == 5
    assert bins(np.full(9, np.nan, np.float32)) == (pytest.approx(np.zeros(9)), 1)


@given(st.lists(st.tuples(st.integers(0, 3), st.booleans()), min_size=5, max_size=80))
@settings(max_examples=60, deadline=None)
def test_association_is_cramers_corrected_for_bias(rows):
    code, label = np.array([c for c, _ in rows]), np.array([y for _, y in rows])
    table = np.array([[((code == c) & (label == y)).sum() for c in np.unique(code)] for y in (False, True)])
    if min(table.sum(1)) == 0 or table.shape[1] < 2:
        assert cramers_v(code, label, 4) == 0
        return
    n, k = len(rows), table.shape[1]
    phi2 = max(0, chi2_contingency(table, correction=False).statistic / n - (k - 1) / (n - 1))
    smaller = min(k - (k - 1) ** 2 / (n - 1), 2 - 1 / (n - 1)) - 1
    assert cramers_v(code, label, 4) == pytest.approx(np.sqrt(phi2 / smaller), abs=1e-9)


def test_correlation_is_pearsons_and_nothing_where_nothing_varies():
    score, label, _ = clustered(5)
    assert correlation(score, label) == pytest.approx(np.corrcoef(score, label)[0, 1])
    assert correlation(np.ones(50), np.arange(50) > 20) == 0
    assert correlation(np.arange(50.0), np.zeros(50, bool)) == 0


def test_divergence_is_scipys():
    random = np.random.default_rng(6)
    p, q = random.dirichlet(np.ones(8)), random.dirichlet(np.ones(8))
    p[2] = q[5] = 0
    p, q = p / p.sum(), q / q.sum()
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2) ** 2)
    assert jensen_shannon(np.array([1.0, 0]), np.array([0, 1.0])) == 1


def test_a_share_of_few_is_not_sure():
    shares = lower_bound(np.array([1.0, 1.0, 0.5]), np.array([3, 300, 100]))
    assert shares[0] < 0.5
    assert shares[1] > 0.98
    assert shares[2] == pytest.approx(0.402, abs=0.002)


@pytest.mark.parametrize(("base", "share", "accused"), [(0.02, 0.7, True), (0.34, 0.71, False), (0.34, 0.97, True)])
def test_a_value_is_accused_by_how_much_more_often_it_wins(base, share, accused):
    """Where a third of all is won anyway, seven in ten after a good call are no leak."""
    random = np.random.default_rng(8)
    code = np.repeat([0, 1], [4_000, 200])
    label = random.random(4_200) < np.where(code == 1, share, base)
    outcome = Outcome(label, np.arange(4_200), label)
    told = look("f", Values(None, code, 3, ("a", "b")), outcome, is_attribute=False)
    assert (_value(told) is not None) is accused


def test_an_honest_feature_at_the_limit_is_not_accused_by_chance():
    """Its AUC is 0.80 or more in about half of all companies; it passes the limit in few of them."""
    passed = above = 0
    for seed in range(60):
        score, label, group = clustered(seed, signal=1.5)
        told = look("f", Values(score.astype(np.float32), np.empty(0, np.int64), 0),
                    Outcome(label, group, label), is_attribute=False)  # fmt: skip
        above += told.auc.value >= 0.80
        passed += told.passes(0.80)
    assert above > 15
    assert passed <= 3
