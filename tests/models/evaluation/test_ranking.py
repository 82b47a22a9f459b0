"""Rank metrics agree with loops over pairs and with scikit-learn, and ties are shared exactly."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import groupby, permutations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_auc_score

from touchline.models.evaluation import at_capacity, decile_table, gain_curve, pr_auc, roc_auc

ROWS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 6), st.sampled_from([1, 2, 3]), st.integers(0, 2)), min_size=2, max_size=25
)


def arrays(rows):
    y, s, w, d = zip(*rows, strict=True)
    return np.array(y), np.array(s, float), np.array(w, float), np.array(d)


@settings(deadline=None)
@given(ROWS)
def test_roc_auc_is_the_share_of_pairs_in_order(rows):
    y, s, w, _ = arrays(rows)
    pairs = [(a, b) for a in rows for b in rows if a[0] and not b[0]]
    if not pairs:
        assert math.isnan(roc_auc(y, s, w))
        return
    right = sum(Fraction(a[2] * b[2]) * ((a[1] > b[1]) + Fraction(a[1] == b[1], 2)) for a, b in pairs)
    assert roc_auc(y, s, w) == pytest.approx(float(right / sum(a[2] * b[2] for a, b in pairs)))


@settings(deadline=None)
@given(ROWS)
def test_rank_metrics_agree_with_scikit_learn(rows):
    y, s, w, _ = arrays(rows)
    if y.any() and not y.all():
        assert roc_auc(y, s, w) == pytest.approx(roc_auc_score(y, s, sample_weight=w))
        assert pr_auc(y, s, w) == pytest.approx(average_precision_score(y, s, sample_weight=w))


@settings(deadline=None)
@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_rows_split_weights_and_monotone_scales_change_nothing(rows, random):
    y, s, w, d = arrays(rows)
    shuffled = rows[:]
    random.shuffle(shuffled)
    y2, s2, w2, d2 = arrays([(a, b, c / 2, e) for a, b, c, e in shuffled for _ in range(2)])
    for metric in (roc_auc, pr_auc):
        assert metric(y2, np.exp(s2) - 9, w2) == pytest.approx(metric(y, s, w), nan_ok=True)
    for capacity in (2, 0.3, 1.0):
        ours = at_capacity(y, s, capacity=capacity, as_of=d, weight=w)
        theirs = at_capacity(y2, s2**3, capacity=capacity, as_of=d2, weight=w2)
        assert tuple(theirs) == pytest.approx(tuple(ours), nan_ok=True)


def in_all_orders(rows, capacity):
    """Mean wins among the first `capacity` rows, over every order of rows with the same score."""
    tied = [list(permutations(g)) for _, g in groupby(sorted(rows, key=lambda r: -r[1]), key=lambda r: r[1])]
    orders = [[]]
    for block in tied:
        orders = [before + list(after) for before in orders for after in block]
    return sum(Fraction(sum(r[0] for r in order[:capacity])) for order in orders) / len(orders)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=2, max_size=6), st.integers(1, 7))
def test_a_capacity_that_cuts_a_tie_gets_the_mean_over_all_orders(rows, capacity):
    y, s = (np.array(v) for v in zip(*rows, strict=True))
    found = at_capacity(y, s.astype(float), capacity=capacity)
    wins, taken = in_all_orders(rows, capacity), min(capacity, len(rows))
    assert found.precision == pytest.approx(float(wins / taken))
    if y.any():
        assert found.capture == pytest.approx(float(wins / int(y.sum())))
        assert found.lift == pytest.approx(float(wins / taken) / y.mean())
    else:
        assert math.isnan(found.capture)
        assert math.isnan(found.lift)


def test_each_date_takes_its_own_best():
    """The best four of all dates would all be of the first; a seller calls two a week."""
    y = [True, False, False, False, True, False]
    score = [0.9, 0.8, 0.7, 0.6, 0.2, 0.1]
    week = [1, 1, 1, 1, 2, 2]
    assert at_capacity(y, score, capacity=1, as_of=week).capture == 1
    assert at_capacity(y, score, capacity=2).capture == 0.5
    assert at_capacity(y, score, capacity=0.5, as_of=week).precision == pytest.approx(2 / 3)


def test_expectations_are_sums_over_the_best_per_date():
    p, amount, week = np.array([0.9, 0.5, 0.4, 0.2]), np.array([10.0, 100.0, 1000.0, 1.0]), [1, 1, 2, 2]
    found = at_capacity([True, False, False, True], p, capacity=1, as_of=week, probability=p, amount=amount)
    assert found.expected_wins == pytest.approx((0.9 + 0.4) / 2)
    assert found.expected_value == pytest.approx((9 + 400) / 2)
    assert math.isnan(at_capacity([True, False], [2, 1], capacity=1).expected_wins)


def test_a_lead_takes_one_place_however_little_its_row_counts():
    y, score, weight = [True, False, True, False], [4, 3, 2, 1], [0.25] * 4
    assert at_capacity(y, score, capacity=2, weight=weight).capture == 1  # by weight, all four are one lead
    assert at_capacity(y, score, capacity=2, weight=weight, places=np.ones(4)).capture == 0.5


def test_a_date_with_fewer_leads_than_capacity_is_taken_whole():
    found = at_capacity([True, False, True], [3, 2, 1], capacity=50, as_of=["a", "a", "b"])
    assert found.capture == 1
    assert found.precision == pytest.approx(2 / 3)


@settings(deadline=None)
@given(ROWS)
def test_deciles_hold_every_win_once_and_agree_with_the_capacity(rows):
    y, s, w, _ = arrays(rows)
    table = decile_table(y, s, w, probability=s / 10)
    assert table["won"].sum() == pytest.approx((w * y).sum())
    assert table["rows"].to_numpy() == pytest.approx(np.full(10, w.sum() / 10))
    assert (table["rows"] * table["expected"]).sum() == pytest.approx((w * s / 10).sum())
    if y.any():
        assert table["captured"].iloc[-1] == pytest.approx(1)
        assert table["captured"].iloc[2] == pytest.approx(at_capacity(y, s, capacity=0.3, weight=w).capture)
        assert table["lift"].iloc[0] == pytest.approx(at_capacity(y, s, capacity=0.1, weight=w).lift)


def test_the_gain_curve_starts_at_nothing_ends_at_all_and_is_straight_within_a_tie():
    called, captured = gain_curve([True, False, True, False], [2, 2, 1, 0])
    assert called.tolist() == [0, 0.5, 0.75, 1]
    assert captured.tolist() == [0, 0.5, 1, 1]


def test_decile_tables_name_expected_rates_only_where_there_are_chances():
    assert "expected" not in decile_table([True, False], [2, 1]).columns
    assert isinstance(decile_table([True, False], [2, 1], parts=4).index, pd.RangeIndex)


@pytest.mark.parametrize("capacity", [0, -3, 1.5, 0.0, True, math.nan])
def test_a_capacity_is_a_number_of_leads_or_a_share(capacity):
    with pytest.raises(ValueError, match="capacity must be a number of leads"):
        at_capacity([True, False], [1, 2], capacity=capacity)
