"""Odoo's arithmetic: its own golden numbers, and a plain oracle in exact fractions."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.models.baselines import OdooLeads, odoo_counts, odoo_probability

EMPTY = ("email_state", "phone_state")


def leads_of(rows: list[dict], fields: list[str]) -> OdooLeads:
    """Columns from rows of field values, `stage`, `team` and `tags`."""
    tags = [(i, tag) for i, row in enumerate(rows) for tag in row.get("tags", ())]
    return OdooLeads(
        pd.DataFrame({f: [row.get(f) for row in rows] for f in fields}, index=range(len(rows)), dtype=object),
        np.array([row.get("stage", 0) for row in rows], np.int64),
        np.array([row.get("team") for row in rows], object),
        pd.DataFrame({"lead": [i for i, _ in tags], "tag": [t for _, t in tags]}) if tags else None,
    )


def chances(closed: list[dict], open_leads: list[dict], fields: list[str], stages: int = 4) -> list[float]:
    won = np.array([row["won"] for row in closed], bool)
    counts = odoo_counts(leads_of(closed, fields), won, stages=stages, counts_empty=EMPTY)
    return odoo_probability(counts, leads_of(open_leads, fields), counts_empty=EMPTY).tolist()


GOLDEN = [
    # won, country, state, source, stage, team: the nine closed leads of Odoo's own test
    (0, 0, 0, 0, 0, "T1"), (0, 1, 1, 1, 1, "T1"), (1, 2, 2, 2, 2, "T1"),
    (0, 0, 1, 1, 2, "T2"), (0, 0, 1, 2, 1, "T2"), (1, 0, 2, 2, 0, "T2"),
    (1, 1, 1, 1, 2, "T3"), (0, 0, 1, 0, 0, "T3"), (0, 1, 2, 2, 0, "T3"),
]  # fmt: skip
FIELDS = ["country_id", "state_id", "email_state", "phone_state", "source_id"]
CLOSED = [
    {"won": won, "country_id": c, "state_id": s, "source_id": q, "stage": stage, "team": t}
    for won, c, s, q, stage, t in GOLDEN
]


@pytest.mark.parametrize(
    ("team", "percent"), [("T1", 33.49), ("T2", 7.74), ("T3", 35.09), (None, 35.19), ("never seen", 35.19)]
)
def test_odoos_golden_numbers(team, percent):
    """From `test_predictive_lead_scoring` in odoo/odoo, addons/crm/tests/test_crm_pls.py."""
    lead = {"country_id": 0, "state_id": 1, "source_id": 2, "stage": 1, "team": team}
    assert chances(CLOSED, [lead], FIELDS) == [percent]


def oracle(closed: list[dict], lead: dict, fields: list[str], stages: int) -> Fraction | None:
    """Row by row, value by value, in exact numbers; percent before rounding."""
    table: dict = defaultdict(lambda: [Fraction(1, 10), Fraction(1, 10)])

    def values(row):
        for field in fields:
            value = row.get(field)
            if value not in (None, ""):
                yield field, value
            elif field in EMPTY:
                yield field, False
        for tag in row.get("tags", ()):
            yield "tag_id", tag

    for row in closed:
        side = 0 if row["won"] else 1
        for field, value in values(row):
            table[row["team"], field, value][side] += 1
        for stage in range(stages if row["won"] else row["stage"] + 1):
            table[row["team"], "stage_id", stage][side] += 1
    teams = {team for team, _, _ in table if team is not None}
    mine = lead["team"] if lead["team"] in teams else None
    view: dict = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for (team, field, value), (wins, losses) in table.items():
        if mine in (None, team):
            view[field, value][0] += wins
            view[field, value][1] += losses
    if ("stage_id", 0) not in view:
        return None
    first = view["stage_id", 0]
    won, lost = (x / sum(first) for x in first)
    for field, value in [*values(lead), ("stage_id", lead["stage"])]:
        if (field, value) not in view:
            continue
        wins, losses = view[field, value]
        if field == "tag_id" and wins + losses < 50:
            continue
        totals = first
        if field != "stage_id":
            of_field = [pair for (f, _), pair in view.items() if f == field]
            totals = [sum(pair[0] for pair in of_field), sum(pair[1] for pair in of_field)]
        won, lost = won * wins / totals[0], lost * losses / totals[1]
    return 100 * won / (won + lost)


lead_rows = st.fixed_dictionaries({
    "won": st.booleans(),
    "country_id": st.sampled_from(["fr", "be", "", None]),
    "email_state": st.sampled_from(["correct", "incorrect", None]),
    "stage": st.integers(0, 3),
    "team": st.sampled_from(["north", "south", "", None]),
    "tags": st.sets(st.sampled_from(["a", "b", "c"])).map(sorted),
})  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.lists(lead_rows, min_size=1, max_size=15), st.sampled_from([1, 40]), st.lists(lead_rows, max_size=6))
def test_columns_give_what_exact_rows_give(closed, times, extra):
    """Repeated forty times, tags of two leads pass the fifty that they must have, and some do not."""
    closed = [{**row, "team": row["team"] or None} for row in closed] * times
    asked = [{**row, "team": row["team"] or None} for row in [*closed[:5], *extra]]
    asked.append({"country_id": "never seen", "email_state": "never seen", "stage": 2, "team": "west", "tags": ["z"]})
    found = chances(closed, asked, ["country_id", "email_state"])
    for lead, percent in zip(asked, found, strict=True):
        exact = oracle(closed, lead, ["country_id", "email_state"], 4)
        assert exact is not None
        assert abs(percent - min(max(float(exact), 0.01), 99.99)) <= 0.005 + 1e-9
        assert round(percent, 2) == percent


@settings(deadline=None, max_examples=20)
@given(st.lists(lead_rows, min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_the_order_of_leads_does_not_matter(closed, random):
    shuffled = random.sample(closed, len(closed))
    fields = ["country_id", "email_state"]
    assert chances(closed, closed, fields) == chances(shuffled, closed, fields)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.tuples(lead_rows, st.integers(1, 4)), min_size=1, max_size=8))
def test_a_weight_is_so_many_leads(weighted):
    rows = [row for row, _ in weighted]
    repeated = [row for row, times in weighted for _ in range(times)]
    heavy = odoo_counts(
        leads_of(rows, FIELDS),
        np.array([row["won"] for row in rows]),
        stages=4,
        weights=np.array([times for _, times in weighted], float),
    )
    many = odoo_counts(leads_of(repeated, FIELDS), np.array([row["won"] for row in repeated]), stages=4)
    key = ["team", "field", "value"]
    pd.testing.assert_frame_equal(
        heavy.sort_values(key, ignore_index=True), many.sort_values(key, ignore_index=True), check_dtype=False
    )


def plain(won: bool, **more) -> dict:
    return {"won": won, "stage": 0, "team": None, **more}


def test_a_value_never_seen_says_nothing():
    closed = [plain(True, country_id="fr"), plain(False, country_id="be"), plain(False, country_id="be")]
    known, unseen, empty = chances(closed, [plain(False, country_id=c) for c in ("fr", "cn", None)], ["country_id"])
    prior = 100 * 1.1 / (1.1 + 2.1)
    assert unseen == empty == round(prior, 2)
    assert known > unseen


def test_an_empty_field_says_something_only_where_being_empty_counts():
    closed = [plain(True), plain(True), plain(False, email_state="incorrect", country_id="fr")]
    bare, full = plain(False), plain(False, email_state="incorrect")
    assert chances(closed, [bare], ["country_id"]) == chances(closed, [bare], [])
    assert chances(closed, [bare], ["email_state"]) > chances(closed, [full], ["email_state"])


def test_a_tag_speaks_from_fifty_leads_on():
    """Counts start at 0.1 won and 0.1 lost, so that the fiftieth lead, but not the forty-ninth, opens its mouth."""
    for n, speaks in ((49, False), (50, True)):
        closed = [plain(True, tags=["hot"])] * n + [plain(False)] * n + [plain(False, tags=["cold"])] * 60
        with_tag, without = chances(closed, [plain(False, tags=["hot"]), plain(False)], [])
        assert (with_tag != without) is speaks


def test_the_stage_lifts_and_lost_leads_count_up_to_their_own():
    closed = [plain(True, stage=3)] * 2 + [plain(False, stage=0)] * 4 + [plain(False, stage=2)] * 2
    won = np.array([row["won"] for row in closed], bool)
    counts = odoo_counts(leads_of(closed, []), won, stages=4).set_index("value")
    assert counts["won"].tolist() == pytest.approx([2.1, 2.1, 2.1, 2.1])
    assert counts["lost"].tolist() == pytest.approx([6.1, 2.1, 2.1, 0.1])
    by_stage = chances(closed, [plain(False, stage=s) for s in range(4)], [])
    assert by_stage[0] < by_stage[1] == by_stage[2] < by_stage[3]


def test_without_a_single_win_chances_are_low_but_numbers():
    closed = [plain(False, country_id=c) for c in ("fr", "be", "fr")]
    found = chances(closed, [plain(False, country_id="fr"), plain(False)], ["country_id"])
    assert all(0.01 <= percent < 5 for percent in found)


def test_nothing_is_said_before_any_lead_was_closed():
    assert np.isnan(chances([], [plain(False, country_id="fr")], ["country_id"])).all()


def test_a_team_learns_from_its_own_leads_alone():
    north, south = plain(True, team="north"), plain(False, team="south")
    closed = [north] * 9 + [plain(False, team="north")] + [south] * 9 + [plain(True, team="south")]
    good, bad, pooled = chances(closed, [plain(False, team=t) for t in ("north", "south", None)], [])
    assert bad < pooled < good
    assert pooled == 50.0


def test_certainty_is_never_claimed():
    closed = [plain(True, a="x", b="x")] * 5000 + [plain(False, a="y", b="y")] * 5000
    assert chances(closed, [plain(True, a=v, b=v) for v in "xy"], ["a", "b"]) == [99.99, 0.01]


def test_columns_of_different_length_are_refused():
    with pytest.raises(ValueError, match="give as many"):
        OdooLeads(pd.DataFrame({"a": ["x", "y"]}), np.zeros(3, np.int64))
