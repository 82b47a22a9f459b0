"""What was said beside what happened: by chance, by month and by segment, with intervals that know accounts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from touchline.models.evaluation.inputs import Floats, Ints, chances, codes, dates
from touchline.models.evaluation.intervals import count_interval
from touchline.models.evaluation.order import ends
from touchline.models.evaluation.sample import Sample, sample

MISSING = "(missing)"


def reliability_table(
    y: ArrayLike, probability: ArrayLike, groups: ArrayLike, *, weight: ArrayLike | None = None, bins: int = 10
) -> pd.DataFrame:
    """Observed and expected rates in bins of about equal weight; rows of one probability share a bin.

    Parameters
    ----------
    y, probability, groups, weight
        Outcomes, chances, accounts and weights (rows,).
    bins
        At most so many; fewer where probabilities are tied.

    Returns
    -------
    DataFrame
        A row per bin, lowest chances first, with the columns of `calibration_by_segment`.
    """
    data = sample(y, groups, weight=weight)
    p = chances(probability, len(data.won))
    return cells(data, p, quantile_bins(p, data.weight, bins), "bin")


def calibration_by_month(
    y: ArrayLike, probability: ArrayLike, groups: ArrayLike, as_of: ArrayLike, *, weight: ArrayLike | None = None
) -> pd.DataFrame:
    """Observed and expected rates by calendar month (UTC) of `as_of`, datetime64 (rows,).

    Columns are those of `calibration_by_segment`.
    """
    data = sample(y, groups, weight=weight)
    month, names = month_numbers(as_of, len(data.won))
    return cells(data, chances(probability, len(data.won)), month, "month", names)


def calibration_by_segment(
    y: ArrayLike, probability: ArrayLike, groups: ArrayLike, labels: ArrayLike, *, weight: ArrayLike | None = None
) -> pd.DataFrame:
    """Observed and expected rates by label.

    Parameters
    ----------
    y, probability, groups, weight
        Outcomes, chances, accounts and weights (rows,).
    labels
        Hashables (rows,); missing ones are a label of their own, "(missing)".

    Returns
    -------
    DataFrame
        A row per label: `rows`, `accounts`, `won_rows`, `won_accounts`; `observed` rate with `low` and `high`,
        `expected` rate; `observed_expected` with `oe_low` and `oe_high`. Rates are weighted, the intervals of 95 %.
    """
    data = sample(y, groups, weight=weight)
    number, names = label_numbers(labels, len(data.won), "labels")
    return cells(data, chances(probability, len(data.won)), number, "label", names)


def quantile_bins(probability: Floats, weight: Floats, bins: int) -> Ints:
    """The bin (rows,) of each row: that of the middle of its tie in the cumulated weight."""
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    rows = np.argsort(probability, kind="stable")
    last = ends(probability[rows])
    tie = np.cumsum(last) - last
    tied = np.bincount(tie, weight[rows])
    middle = np.cumsum(tied) - tied / 2
    number = np.empty(len(rows), np.int64)
    number[rows] = np.minimum(bins - 1, (bins * middle / tied.sum()).astype(np.int64))[tie]
    return np.unique(number, return_inverse=True)[1]


def month_numbers(as_of: ArrayLike, rows: int) -> tuple[Ints, list[pd.Timestamp]]:
    """Numbers and first days of the months of `as_of`."""
    found, number = np.unique(dates(as_of, rows).astype("datetime64[M]"), return_inverse=True)
    return number, [pd.Timestamp(month) for month in found]


def label_numbers(labels: ArrayLike, rows: int, name: str) -> tuple[Ints, list[object]]:
    """Numbers and names of labels."""
    series = pd.Series(labels if isinstance(labels, np.ndarray | pd.Series) else np.asarray(labels, dtype=object))
    filled = series.astype(object).where(series.notna().to_numpy(), MISSING).reset_index(drop=True)
    number, names = codes(filled, rows, name)
    return number, list(names)


def cells(
    data: Sample, probability: Floats | None, cell: Ints, name: str, names: Sequence[object] | None = None
) -> pd.DataFrame:
    """A table with a row per cell (numbers from 0, (rows,)); without probabilities, expectations are NaN."""
    p = np.full(len(cell), np.nan) if probability is None else probability
    rows = np.argsort(cell, kind="stable")
    edges = np.r_[0, np.cumsum(np.bincount(cell))]
    usual = float((data.weight * data.won).sum()) / max(1, data.won_groups)
    found = [_cell(data, p, rows[a:b], usual) for a, b in pairwise(edges)]
    index = pd.Index(list(range(1, len(found) + 1) if names is None else names), name=name)
    return pd.DataFrame(found, index=index)


def _cell(data: Sample, probability: Floats, rows: Ints, usual: float) -> dict[str, float]:
    account, number = np.unique(data.group[rows], return_inverse=True)
    w, won = data.weight[rows], data.won[rows] & (data.weight[rows] > 0)
    wins, weight, expected = (
        np.bincount(number, v).astype(np.float64, copy=False) for v in (w * won, w, w * probability[rows])
    )
    total, said = float(weight.sum()), float(expected.sum())
    rate, chance, low, high = (np.nan,) * 4
    if total > 0:
        against = expected if said > 0 else weight
        low, high = (v / total for v in count_interval(wins, against, usual or total / len(account), total))
        rate, chance = float(wins.sum()) / total, said / total
    over = 1 / chance if chance > 0 else np.nan
    return {
        "rows": len(rows),
        "accounts": len(account),
        "won_rows": int(won.sum()),
        "won_accounts": len(np.unique(number[won])),
        "observed": rate,
        "low": low,
        "high": high,
        "expected": chance,
        "observed_expected": rate * over,
        "oe_low": low * over,
        "oe_high": high * over,
    }
