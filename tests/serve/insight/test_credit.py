"""Credit tables add up what was given, beside plain counts, and say that they are an association."""

from __future__ import annotations

from collections import defaultdict

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.serve.insight import CREDIT_SCHEMA, credit_table

NAMES = ["a", "b", None]
amounts = st.integers(-40, 40).map(lambda n: n / 8)
rows = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 6), amounts), min_size=1, max_size=40)


def touched(given_rows) -> pa.Table:
    """Rows of (lead, touch, amount); the touch decides its name."""
    columns = {"lead_id": [f"L{lead}" for lead, _, _ in given_rows], "touch_id": [f"T{t}" for _, t, _ in given_rows],
               "asset": [NAMES[t % 3] for _, t, _ in given_rows], "amount": [a for _, _, a in given_rows]}  # fmt: skip
    return pa.table(columns, pa.schema([("lead_id", pa.string()), ("touch_id", pa.string()), ("asset", pa.string()),
                                        ("amount", pa.float64())]))  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(rows)
def test_sums_means_and_counts_are_those_of_loops(given_rows):
    sums, leads, touches, pairs = defaultdict(float), defaultdict(set), defaultdict(set), defaultdict(set)
    for lead, touch, amount in given_rows:
        name = NAMES[touch % 3]
        sums[name] += amount
        leads[name].add(lead)
        touches[name].add(touch)
        pairs[name].add((lead, touch))
    total = sum(abs(s) for s in sums.values())
    for row in credit_table(touched(given_rows), "asset").to_pylist():
        name = row.pop("name")
        assert row == pytest.approx(
            {
                "log_odds": sums[name],
                "share": sums[name] / total if total else 0,
                "leads": len(leads[name]),
                "touches": len(touches[name]),
                "share_of_touches": len(pairs[name]) / sum(map(len, pairs.values())),
                "per_lead": sums[name] / len(leads[name]),
                "per_touch": sums[name] / len(pairs[name]),
            }
        )


@settings(max_examples=40, deadline=None)
@given(rows)
def test_nothing_is_lost_and_the_most_credit_comes_first(given_rows):
    table = credit_table(touched(given_rows), "asset")
    credit = table["log_odds"].to_pylist()
    assert sum(credit) == pytest.approx(sum(a for _, _, a in given_rows))
    assert credit == sorted(credit, reverse=True)
    assert set(table["name"].to_pylist()) == {NAMES[t % 3] for _, t, _ in given_rows}


@pytest.mark.parametrize("by", ["campaign", "asset", "channel", "kind", "topic"])
def test_it_adds_up_by_what_is_asked_and_says_what_it_is(by):
    row = {"lead_id": "L1", "touch_id": "T1", "amount": 0.5, "campaign": "campaign", "asset": "asset",
           "channel": "channel", "kind": "kind", "topic": "topic"}  # fmt: skip
    table = credit_table(pa.Table.from_pylist([row]), by)
    assert table["name"].to_pylist() == [by]
    assert table.schema.equals(CREDIT_SCHEMA, check_metadata=True)
    assert b"association" in table.schema.metadata[b"meaning"]


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="have no column amount, campaign; give"):
        credit_table(pa.table({"lead_id": ["L1"], "touch_id": ["T1"]}))
