"""Splits by time: no training window reaches into the test, and accounts can be kept apart."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.models.splits import AsOfSplit, RollingOrigin

DATES = pd.date_range("2024-01-01", periods=40, freq="7D", tz="UTC")


@st.composite
def rows(draw: st.DrawFn) -> tuple[pd.Series, np.ndarray, int]:  # type: ignore[type-arg]
    size = draw(st.integers(40, 200))
    at = draw(st.lists(st.integers(0, 39), min_size=size, max_size=size))
    at[:40] = range(40)
    groups = np.array(draw(st.lists(st.integers(0, 30), min_size=size, max_size=size)))
    return pd.Series(DATES[at]), groups, draw(st.integers(0, 120))


@given(rows())
@settings(max_examples=60, deadline=None)
def test_every_training_window_is_over_before_any_test_row(given_rows) -> None:  # type: ignore[no-untyped-def]
    as_of, groups, days = given_rows
    for splitter in (AsOfSplit(as_of, purge=timedelta(days=days)), RollingOrigin(as_of, purge=timedelta(days=days))):
        for train, test in splitter.split(groups=groups):
            assert as_of[train].max() + timedelta(days=days) <= as_of[test].min()
            assert len(train)
            assert len(test)


@given(rows())
@settings(max_examples=60, deadline=None)
def test_nothing_is_purged_that_need_not_be(given_rows) -> None:  # type: ignore[no-untyped-def]
    as_of, _, days = given_rows
    train, test = next(AsOfSplit(as_of, purge=timedelta(days=days)).split())
    rest = as_of.drop(index=np.concatenate([train, test]))
    assert (rest + timedelta(days=days) > as_of[test].min()).all()
    assert (rest < as_of[test].min()).all()


@given(rows())
@settings(max_examples=40, deadline=None)
def test_new_accounts_are_those_that_training_never_saw(given_rows) -> None:  # type: ignore[no-untyped-def]
    as_of, groups, days = given_rows
    known = AsOfSplit(as_of, purge=timedelta(days=days))
    train, test = next(known.split(groups=groups))
    new = set(groups[test]) - set(groups[train])
    try:
        parted, fresh = next(AsOfSplit(as_of, purge=timedelta(days=days), new_accounts=True).split(groups=groups))
    except ValueError:
        assert not new
        return
    assert (parted == train).all()
    assert set(groups[fresh]) == new


def test_origins_follow_each_other_and_cover_the_newer_half() -> None:
    as_of = pd.Series(DATES)
    splits = list(RollingOrigin(as_of, purge=timedelta(days=14), origins=4).split())
    assert [len(test) for _, test in splits] == [5, 5, 5, 5]
    assert np.concatenate([test for _, test in splits]).tolist() == list(range(20, 40))
    assert [len(train) for train, _ in splits] == [19, 24, 29, 34]
    assert RollingOrigin(as_of, purge=timedelta(0), origins=4).get_n_splits() == 4


def test_what_cannot_be_split_says_why() -> None:
    as_of = pd.Series(DATES)
    with pytest.raises(ValueError, match="no training row is left with a test from 2024-08-12 and a purge of 400 days"):
        next(AsOfSplit(as_of, purge=timedelta(days=400)).split())
    with pytest.raises(ValueError, match="no test row is left"):
        next(AsOfSplit(as_of, purge=timedelta(0), test_from="2030-01-01").split())
    with pytest.raises(ValueError, match="asks for `groups`"):
        next(AsOfSplit(as_of, purge=timedelta(0), new_accounts=True).split())
    with pytest.raises(ValueError, match="made for 40 rows and is asked to split 3"):
        next(AsOfSplit(as_of, purge=timedelta(0)).split(np.zeros((3, 1))))
