"""Scales: fixed formulas that a person can check by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.models.scale import Scale, Standing, flames, grades, trend

DOUBLED = np.log(2)


def log_odds(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))


@pytest.mark.parametrize(
    ("chance", "score", "tier"),
    [(0.01, 50, "C"), (2 / 101, 60, "B"), (0.0542, 75, "A"), (0.9, 99, "A"), (0.0001, 1, "D"), (0.5 / 99.5, 40, "C")],
)
def test_ten_points_are_twice_the_odds(chance, score, tier):
    scale, at = Scale(), np.array([log_odds(chance) + 1e-9])
    assert scale.score(at)[0] == pytest.approx(score, abs=0.1)
    assert scale.tier(at)[0] == tier
    assert scale.points(np.array([DOUBLED]))[0] == pytest.approx(10)


def test_stars_are_a_standing_among_leads():
    population = np.arange(1.0, 101.0)
    stars = Standing.among(population).stars(population)
    assert [int((stars >= n).sum()) for n in (1, 2, 3)] == [50, 20, 5]


def test_leads_that_are_all_alike_have_no_star():
    assert not Standing.among(np.zeros(50)).stars(np.zeros(50)).any()


def test_a_standing_among_nobody_is_refused():
    with pytest.raises(ValueError, match="none"):
        Standing.among(np.zeros(0))


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(0, 5))
def test_more_never_gives_fewer_flames(week, fortnight, more):
    few, many = (
        flames(np.array([w]), np.array([f]))[0] for w, f in ((week, fortnight), (week + more, fortnight + more))
    )
    assert 0 <= few <= many <= 3


def test_flames_by_hand():
    week = np.array([2.1, 1.9, 1.1, 0.9, 0.9, -3.0]) * DOUBLED
    fortnight = np.array([0.0, 0.0, 0.0, 1.1, 0.9, -3.0]) * DOUBLED
    assert flames(week, fortnight).tolist() == [3, 2, 2, 1, 0, 0]


def test_grades_by_hand():
    fit, engagement = np.array([6.0, 5.0, 4.9, -0.1, -5.1]), np.array([10.0, 9.9, 0.0, -0.1, -10.1])
    assert grades(fit, engagement).tolist() == ["A1", "A2", "B2", "C3", "D4"]


def test_the_four_trends():
    now, before = np.array([60.0, 60.0, 60.0, 60.0]), np.array([55.0, 57.0, 65.0, np.nan])
    assert trend(now, before).tolist() == ["rising", "steady", "falling", "new"]
