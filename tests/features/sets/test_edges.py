"""On which side of every bound an instant lies, to the microsecond."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from touchline.features import Catalog, build_scoring_set, build_training_set
from touchline.features.catalog import Attribute, Count, DaysInStage, Decayed
from touchline.features.snapshots.draw import STATUSES
from touchline.playbook import Playbook, parse_playbook, starter_text

AS_OF = datetime(2024, 6, 3, tzinfo=UTC)  # a Monday
DAY, TICK = timedelta(days=1), timedelta(microseconds=1)
BEGINS, ENDS = AS_OF + 7 * DAY, AS_OF + 37 * DAY
LONG_AGO, END = AS_OF - 100 * DAY, AS_OF + 400 * DAY
AGREED = {
    'horizon = "13w"': 'horizon = "30d"',
    'gap = "0d"': 'gap = "7d"',
    "minimum_amount = 0": "minimum_amount = 100",
    'active_within = "13w"': 'active_within = "20d"',
}


@pytest.fixture(scope="module")
def agreed() -> Playbook:
    text = starter_text()
    for old, new in AGREED.items():
        assert old in text
        text = text.replace(old, new)
    return parse_playbook(text)


def lead(name: str, **more: object) -> dict[str, object]:
    return {"lead_id": name, "created_at": LONG_AGO, **more}


def touch(name: str, at: datetime = AS_OF - DAY, **more: object) -> dict[str, object]:
    return {"lead_id": name, "occurred_at": at, "kind": "webinar", **more}


def one(playbook: Playbook) -> Catalog:
    return Catalog(playbook, [Count(7)])


WON = {"outcome": "won", "amount": 100.0}
LATE = {"lead_id": "L2", "deal_id": "D2", "outcome": "lost", "closed_at": LONG_AGO, "known_at": LONG_AGO + 5 * DAY}
"""Another lead's deal, from which follows that ends of deals are known five days late."""


@pytest.mark.parametrize(
    ("deals", "until", "status"),
    [
        ([], END, "not_won"),
        ([WON | {"closed_at": BEGINS - TICK}], END, "already_closed"),
        ([WON | {"closed_at": BEGINS}], END, "won"),
        ([WON | {"closed_at": ENDS - TICK}], END, "won"),
        ([WON | {"closed_at": ENDS}], END, "not_won"),
        ([WON | {"closed_at": BEGINS, "amount": 99.99}], END, "not_won"),
        ([{"closed_at": AS_OF - TICK, "outcome": "lost"}], END, "already_closed"),
        ([{"closed_at": AS_OF, "outcome": "lost"}], END, "not_won"),
        ([{"opened_at": AS_OF - TICK}], END, "open_deal"),
        ([{"opened_at": AS_OF}], END, "not_won"),
        ([], ENDS, "not_won"),
        ([], ENDS - TICK, "immature"),
        ([LATE], ENDS + 5 * DAY, "not_won"),
        ([LATE], ENDS + 5 * DAY - TICK, "immature"),
    ],
)
def test_what_became_of_a_row(agreed, write, deals, until, status):
    given = [{"deal_id": "D", "lead_id": "L", **deal} for deal in deals]
    tables = write(until=until, leads=[*map(lead, ("L", "L2", "M"))], touches=[touch("L")], deals=given)
    # There must be a mature row: M's, an early one.
    rows = pd.DataFrame({"lead_id": ["M", "L"], "as_of": [AS_OF - 60 * DAY, AS_OF]})
    counted = build_training_set(tables, agreed, rows=rows, catalog=one(agreed)).manifest["counts"][-1]
    assert counted["as_of"] == AS_OF.isoformat()
    assert [name for name in STATUSES if counted[name]] == [status]


@pytest.mark.parametrize(("merged_at", "status"), [(AS_OF - TICK, "open_deal"), (AS_OF, "not_won")])
def test_a_deal_of_a_merged_lead_is_the_other_leads_once_that_is_known(agreed, write, merged_at, status):
    deal = {"deal_id": "D", "lead_id": "M", "opened_at": LONG_AGO}
    leads = [lead("L"), lead("L2"), lead("M", merged_into="L", merged_at=merged_at)]
    tables = write(until=END, leads=leads, touches=[touch("L")], deals=[deal])
    rows = pd.DataFrame({"lead_id": ["L2", "L"], "as_of": [AS_OF - DAY, AS_OF]})
    counted = build_training_set(tables, agreed, rows=rows, catalog=one(agreed)).manifest["counts"][-1]
    assert [name for name in STATUSES if counted[name]] == [status]


@pytest.mark.parametrize(("merged_at", "there"), [(AS_OF - TICK, False), (AS_OF, True)])
def test_a_closed_deal_of_a_merged_lead_ends_scoring_once_that_is_known(agreed, write, merged_at, there):
    deal = {"deal_id": "D", "lead_id": "M", "closed_at": LONG_AGO, "outcome": "lost"}
    leads = [lead("L"), lead("L2"), lead("M", merged_into="L", merged_at=merged_at)]
    tables = write(until=END, leads=leads, touches=[touch("L"), touch("L2")], deals=[deal])
    made = build_scoring_set(tables, agreed, AS_OF, catalog=one(agreed))
    assert ("L" in list(made.frame["lead_id"])) is there


def test_a_deal_that_names_no_account_is_its_leads_accounts(agreed, write):
    """Where all of an account are credited."""
    playbook = parse_playbook(starter_text().replace('credit = "lead"', 'credit = "account"'))
    deal = {"deal_id": "D", "lead_id": "M", "closed_at": AS_OF + DAY, **WON}
    leads = [lead("L", account_id="A"), lead("M", account_id="A"), lead("N", account_id="B")]
    tables = write(until=END, leads=leads, touches=[touch(name) for name in "LMN"], deals=[deal])
    rows = pd.DataFrame({"lead_id": ["L", "N"], "as_of": AS_OF})
    made = build_training_set(tables, playbook, rows=rows, catalog=one(playbook)).frame
    assert dict(zip(made["lead_id"], made["won"], strict=True)) == {"L": True, "N": False}


@pytest.mark.parametrize("scoring", [False, True], ids=["training", "scoring"])
@pytest.mark.parametrize(
    ("who", "what", "there"),
    [
        ({}, {}, True),
        ({"created_at": AS_OF - TICK}, {}, True),
        ({"created_at": AS_OF, "known_at": LONG_AGO}, {}, False),
        ({"known_at": AS_OF - TICK}, {}, True),
        ({"known_at": AS_OF}, {}, False),
        ({"merged_into": "L2", "merged_at": AS_OF}, {}, True),
        ({"merged_into": "L2", "merged_at": AS_OF - TICK}, {}, False),
        ({}, {"at": AS_OF - 20 * DAY}, True),
        ({}, {"at": AS_OF - 20 * DAY - TICK}, False),
        ({}, {"at": AS_OF - TICK}, True),
        ({}, {"at": AS_OF}, False),
        ({}, {"known_at": AS_OF - TICK}, True),
        ({}, {"known_at": AS_OF}, False),
        ({}, {"machine": True}, False),
    ],
)
def test_who_is_a_row(agreed, write, scoring, who, what, there):
    tables = write(until=END, leads=[lead("L", **who), lead("L2")], touches=[touch("L", **what), touch("L2")])
    if scoring:
        made = build_scoring_set(tables, agreed, AS_OF, catalog=one(agreed)).frame
    else:
        span = {"first": AS_OF - TICK, "last": AS_OF + 7 * DAY}
        made = build_training_set(tables, agreed, **span, catalog=one(agreed)).frame
    assert ("L" in set(made.loc[made["as_of"] == AS_OF, "lead_id"])) is there


def test_a_lead_weighs_one_however_many_rows_it_has(agreed, write):
    tables = write(until=END, leads=[lead("L"), lead("M")], touches=[touch("L")])
    rows = pd.DataFrame({"lead_id": ["L", "L", "M"], "as_of": [AS_OF, AS_OF + DAY, AS_OF]})
    made = build_training_set(tables, agreed, rows=rows, catalog=one(agreed)).frame
    assert dict(zip(made["lead_id"], made["weight"], strict=True)) == {"L": 0.5, "M": 1.0}


@pytest.mark.parametrize(("between", "counts"), [([AS_OF + 2 * DAY], [0, 1, 0]), ([], [0, 0])])
def test_a_fact_known_at_the_last_row_does_not_leave_before_it_came(agreed, write, between, counts):
    """It was never counted in the window that it has left when the next row comes."""
    tables = write(until=END, leads=[lead("L")], touches=[touch("L", known_at=AS_OF)])
    rows = pd.DataFrame({"lead_id": "L", "as_of": [AS_OF, *between, AS_OF + 60 * DAY]})
    made = build_training_set(tables, agreed, rows=rows, catalog=one(agreed)).frame
    assert made["count_any_7d"].tolist() == counts


def test_what_has_faded_is_the_same_whatever_dates_other_leads_have(agreed, write):
    """Half-lives since 1970 are carried from touch to touch, never from lead to lead."""
    dates = {f"L{i:02}": AS_OF + (800 * DAY if i % 2 == 0 else 0 * DAY) for i in range(64)}  # some share a thread
    touches = [touch(name, as_of - DAY) for name, as_of in dates.items()]
    tables = write(until=AS_OF + 2_000 * DAY, leads=[*map(lead, dates)], touches=touches)
    rows = pd.DataFrame({"lead_id": dates.keys(), "as_of": dates.values()})
    made = build_training_set(tables, agreed, rows=rows, catalog=Catalog(agreed, [Decayed(half_life=0.5)])).frame
    assert made.iloc[:, -1].tolist() == [0.25] * 64


@pytest.mark.parametrize(("known_at", "size"), [(AS_OF - TICK, 10.0), (AS_OF, None)])
def test_an_account_tells_nothing_at_the_instant_it_becomes_known(agreed, write, known_at, size):
    account = {"account_id": "A", "created_at": LONG_AGO, "known_at": known_at, "size": 10.0}
    tables = write(until=END, leads=[lead("L", account_id="A")], accounts=[account], touches=[touch("L")])
    catalog = Catalog(agreed, [Attribute("size")])
    found = build_scoring_set(tables, agreed, AS_OF, catalog=catalog, leads=["L"]).frame["size"]
    assert found.isna().tolist() == [size is None]


@pytest.mark.parametrize(("known_at", "seen"), [(AS_OF - TICK, True), (AS_OF, False)])
def test_nothing_is_known_of_a_lead_before_the_lead_itself(playbook, write, known_at, seen):
    """Not its touches, not its stages, not its attributes that change."""
    stage = {"lead_id": "L", "stage": "mql", "entered_at": AS_OF - DAY}
    change = {"lead_id": "L", "field": "seats", "value": "5", "known_at": AS_OF - DAY}
    tables = write(
        leads=[lead("L", known_at=known_at)], touches=[touch("L")], stages=[stage], changes=[change], until=END
    )
    catalog = Catalog(playbook, [Count(7), DaysInStage(), Attribute("seats")])
    found = build_scoring_set(tables, playbook, AS_OF, catalog=catalog, leads=["L"]).frame.iloc[0]
    assert (found["count_any_7d"] == 1, found[catalog.names[1]] == 1, found["seats"] == 5) == (seen,) * 3
