"""Tables of what was said beside what happened agree with loops over the rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.models.evaluation import calibration_by_month, calibration_by_segment, reliability_table

ROWS = st.lists(
    st.tuples(
        st.booleans(), st.sampled_from([0.05, 0.1, 0.2, 0.4]), st.integers(0, 4), st.sampled_from(["n", "s", None])
    ),
    min_size=3,
    max_size=40,
)


@settings(deadline=None)
@given(ROWS)
def test_a_segments_row_says_what_a_loop_says(rows):
    y, p, account, label = (list(v) for v in zip(*rows, strict=True))
    weight = [1 + a % 2 for a in account]
    table = calibration_by_segment(y, p, account, label, weight=weight)
    assert list(table.index) == sorted({v or "(missing)" for v in label})
    for name, told in table.iterrows():
        mine = [(r, w) for r, w in zip(rows, weight, strict=True) if (r[3] or "(missing)") == name]
        total = sum(w for _, w in mine)
        wins, said = sum(w for r, w in mine if r[0]), sum(w * r[1] for r, w in mine)
        assert told["rows"] == len(mine)
        assert told["accounts"] == len({r[2] for r, _ in mine})
        assert told["won_accounts"] == len({r[2] for r, _ in mine if r[0]})
        assert told["observed"] == pytest.approx(wins / total)
        assert told["expected"] == pytest.approx(said / total)
        assert told["observed_expected"] == pytest.approx(wins / said)
        assert 0 <= told["low"] <= told["observed"] + 1e-12
        assert told["observed"] <= told["high"] + 1e-12 <= 1 + 2e-12
        assert told["oe_high"] == pytest.approx(told["high"] * total / said)


@settings(deadline=None)
@given(ROWS, st.integers(1, 12))
def test_bins_hold_every_row_once_and_keep_ties_together(rows, bins):
    y, p, account, _ = (list(v) for v in zip(*rows, strict=True))
    table = reliability_table(y, p, account, bins=bins)
    assert table["rows"].sum() == len(rows)
    assert len(table) <= min(bins, len(set(p)))
    assert table["expected"].is_monotonic_increasing
    if bins == 12:
        sizes = pd.Series(p).value_counts()
        if sizes.max() <= len(p) / 4:  # rates a bin apart: each has its own bin
            assert table["rows"].tolist() == sizes.sort_index().tolist()


def test_bins_are_of_equal_weight_where_nothing_is_tied():
    random = np.random.default_rng(0)
    p = random.random(1000)
    table = reliability_table(random.random(1000) < p, p, np.arange(1000))
    assert table["rows"].tolist() == [100] * 10


def test_months_are_of_utc_and_in_order():
    when = pd.to_datetime(
        ["2024-03-01T00:30:00+01:00", "2024-03-01T00:30:00+00:00", "2023-12-31T12:00:00+00:00"], utc=True
    )
    table = calibration_by_month([True, False, False], [0.1, 0.2, 0.3], ["a", "b", "c"], when)
    assert [str(m)[:7] for m in table.index] == ["2023-12", "2024-02", "2024-03"]
    assert table["expected"].tolist() == pytest.approx([0.3, 0.1, 0.2])


def test_many_rows_of_one_account_tell_little():
    """A hundred rows of one account are as unsure as one row; a hundred accounts are not."""
    y, p = np.arange(200) % 2 == 0, np.full(200, 0.5)
    one = calibration_by_segment(y, p, np.arange(200) // 100, np.zeros(200)).iloc[0]
    many = calibration_by_segment(y, p, np.arange(200), np.zeros(200)).iloc[0]
    assert many["high"] - many["low"] < 0.2
    assert one["high"] - one["low"] > 0.5


def test_dates_must_be_dates():
    with pytest.raises(ValueError, match="as_of must be datetime64, got dtype int64"):
        calibration_by_month([True, False], [0.1, 0.2], [0, 1], [1, 2])
    with pytest.raises(ValueError, match="as_of is missing in 1 of 2 rows"):
        calibration_by_month([True, False], [0.1, 0.2], [0, 1], np.array(["2024-01-01", "NaT"], "datetime64[D]"))
