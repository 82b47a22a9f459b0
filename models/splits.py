"""Splits by time: training windows are over before test windows begin, and accounts may be kept apart.

A row's label looks from its as_of over gap and horizon. If a training row's window reaches into the test time, the
model has seen a piece of the test's future; such rows are purged (left out of training).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Places = NDArray[np.intp]


class AsOfSplit:
    """One split by time, as a scikit-learn splitter: train on what was over, test on what came later.

    Parameters
    ----------
    as_of
        (rows,) as-of dates of the rows that will be split.
    purge
        Gap + horizon of the label (+ its lag): training rows are at least so much older than the first test row.
    test_from
        First as-of date of the test; by default the test gets the newest fifth of the dates.
    new_accounts
        Whether accounts (`groups`) that are in training are left out of the test: the claim is then about accounts
        never seen. Without it the test is what production will see, known accounts among others.

    Examples
    --------
    >>> split = AsOfSplit(training.as_of, purge=timedelta(days=91))  # doctest: +SKIP
    >>> cross_validate(scorer, training.X, training.y, groups=training.groups, cv=split)  # doctest: +SKIP
    """

    def __init__(
        self,
        as_of: ArrayLike,
        *,
        purge: timedelta,
        test_from: Any = None,
        new_accounts: bool = False,
    ) -> None:
        self.as_of = as_of
        self.purge = purge
        self.test_from = test_from
        self.new_accounts = new_accounts

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: N803
        """How many splits there are: one."""
        del X, y, groups
        return 1

    def split(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> Iterator[tuple[Places, Places]]:  # noqa: N803
        """Places of the training rows and of the test rows.

        Raises
        ------
        ValueError
            If a side is left without rows, or accounts are to be kept apart and `groups` is missing.
        """
        del y
        days = _days(self.as_of, X)
        dates = np.unique(days)
        first = _day(self.test_from) if self.test_from is not None else dates[-max(1, len(dates) // 5)]
        yield _parts(days, first, None, self.purge, groups if self.new_accounts else None, self.new_accounts)


class RollingOrigin:
    """Several splits by time, each with a later origin: how a model would have done, retrained again and again.

    Parameters
    ----------
    as_of, purge, new_accounts
        As for `AsOfSplit`.
    origins
        How many.
    window
        How long each test lasts; by default the dates are shared out evenly.
    first
        First as-of date of the first test; by default the newer half of the dates is tested on.
    """

    def __init__(
        self,
        as_of: ArrayLike,
        *,
        purge: timedelta,
        origins: int = 3,
        window: timedelta | None = None,
        first: Any = None,
        new_accounts: bool = False,
    ) -> None:
        self.as_of = as_of
        self.purge = purge
        self.origins = origins
        self.window = window
        self.first = first
        self.new_accounts = new_accounts

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:  # noqa: N803
        """How many splits there are."""
        del X, y, groups
        return self.origins

    def split(self, X: Any = None, y: Any = None, groups: ArrayLike | None = None) -> Iterator[tuple[Places, Places]]:  # noqa: N803
        """Places of the training rows and of the test rows, origin after origin.

        Raises
        ------
        ValueError
            As `AsOfSplit.split` does.
        """
        del y
        days = _days(self.as_of, X)
        dates = np.unique(days)
        first = _day(self.first) if self.first is not None else dates[len(dates) // 2]
        if self.window is not None:
            begins = first + np.arange(self.origins + 1) * np.timedelta64(self.window, "us")
        else:
            shares = np.array_split(dates[dates >= first], self.origins)
            begins = np.array([*(share[:1] for share in shares), [dates[-1] + np.timedelta64(1, "us")]])[:, 0]
        for begin, stop in pairwise(begins):
            yield _parts(days, begin, stop, self.purge, groups if self.new_accounts else None, self.new_accounts)


def _parts(
    days: NDArray[np.datetime64],
    first: np.datetime64,
    stop: np.datetime64 | None,
    purge: timedelta,
    groups: ArrayLike | None,
    new_accounts: bool,
) -> tuple[Places, Places]:
    train = days <= first - np.timedelta64(purge, "us")
    test = (days >= first) & (days < stop if stop is not None else True)
    if new_accounts:
        if groups is None:
            raise ValueError("new_accounts asks for `groups`: the account of each row")
        known = np.asarray(groups, object)
        test &= ~np.isin(known.astype(str), np.unique(known[train].astype(str)))
    for name, side in (("training", train), ("test", test)):
        if not side.any():
            raise ValueError(
                f"no {name} row is left with a test from {pd.Timestamp(first):%Y-%m-%d} and a purge of {purge.days} "
                f"days; rows are from {pd.Timestamp(days.min()):%Y-%m-%d} to {pd.Timestamp(days.max()):%Y-%m-%d}"
            )
    return np.flatnonzero(train), np.flatnonzero(test)


def _days(as_of: ArrayLike, X: Any) -> NDArray[np.datetime64]:  # noqa: N803
    days = _utc(pd.Series(np.asarray(as_of)))
    if X is not None and len(X) != len(days):
        raise ValueError(f"the split was made for {len(days)} rows and is asked to split {len(X)}")
    return days


def _utc(times: pd.Series[Any]) -> NDArray[np.datetime64]:
    return pd.to_datetime(times, utc=True).dt.tz_localize(None).to_numpy("datetime64[us]")


def _day(moment: Any) -> np.datetime64:
    return _utc(pd.Series([moment]))[0]
