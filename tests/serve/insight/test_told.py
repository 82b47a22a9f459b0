"""What was told already, and how often: so that sales neither repeats marketing nor presses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from touchline.playbook import PlaybookError, load_playbook, parse_playbook, starter_text
from touchline.serve.insight import PRESSURE_SCHEMA, RESPONSES, TOLD_SCHEMA, already_told, contact_pressure

AS_OF = datetime(2025, 6, 11, tzinfo=UTC)


def touch(kind: str, ago: float, lead: str = "L1", **more: Any) -> dict[str, Any]:
    return {"lead_id": lead, "kind": kind, "ago": ago, **more}


@pytest.fixture
def told(write, playbook):
    def find(touches, lead="L1", **given):
        table = already_told(write(touches, **given), playbook, AS_OF, [lead])
        assert table.schema == TOLD_SCHEMA
        return {(row["about"], row["name"]): row for row in table.to_pylist()}

    return find


@pytest.mark.parametrize(
    ("kinds", "response"),
    [
        (["email_sent"], "sent"),
        (["email_sent", "email_open"], "opened"),
        (["email_sent", "email_click", "email_open"], "read"),
        (["content_download"], "read"),
        (["webinar", "email_sent"], "attended"),
        (["email_unsubscribe"], "sent"),
    ],
)
def test_the_strongest_response_is_told(told, kinds, response):
    found = told([touch(kind, 9 - i, asset="a") for i, kind in enumerate(kinds)])
    assert found["asset", "a"]["response"] == response
    assert found["asset", "a"]["touches"] == len(kinds)


def test_the_last_answer_and_the_last_touch_have_their_own_dates(told):
    row = told([touch(k, ago, asset="a") for k, ago in (("email_click", 9), ("email_click", 7), ("email_sent", 2))])
    assert row["asset", "a"]["response_at"] == AS_OF - timedelta(days=7)
    assert row["asset", "a"]["last_at"] == AS_OF - timedelta(days=2)


def test_a_touch_without_a_topic_has_its_assets(told):
    assets = [{"asset": "a", "topic": "security"}]
    found = told([touch("email_open", 3, asset="a"), touch("email_open", 2, asset="a", topic="pricing")], assets=assets)
    assert set(found) == {("asset", "a"), ("topic", "security"), ("topic", "pricing")}


def test_what_colleagues_were_told_is_told_apart(told):
    leads = [{"lead_id": name, "account_id": "A"} for name in ("L1", "L2", "L3")] + [{"lead_id": "X"}]
    touches = [touch("email_sent", 5, asset="a"), touch("webinar", 4, "L2", asset="a"),
               touch("email_open", 3, "L3", asset="b"), touch("webinar", 3, "X", asset="c")]  # fmt: skip
    found = told(touches, leads=leads)
    assert set(found) == {("asset", "a"), ("asset", "b")}
    a, b = found["asset", "a"], found["asset", "b"]
    assert (a["response"], a["account_response"], a["colleagues"]) == ("sent", "attended", 1)
    assert (b["response"], b["touches"], b["account_response"], b["colleagues"]) == (None, 0, "opened", 1)


def test_a_copy_of_a_merge_counts_for_the_lead_and_not_twice_for_the_account(told):
    merged_at = AS_OF - timedelta(days=3)
    leads = [{"lead_id": "L1", "account_id": "A"},
             {"lead_id": "L2", "account_id": "A", "merged_into": "L1", "merged_at": merged_at},
             {"lead_id": "L3", "account_id": "A"}]  # fmt: skip
    copy = touch("webinar", 9, asset="a", known_at=merged_at, merged_from="L2")
    touches = [touch("webinar", 9, "L2", asset="a"), copy]
    mine, colleague = told(touches, leads=leads), told(touches, "L3", leads=leads)
    assert (mine["asset", "a"]["response"], mine["asset", "a"]["colleagues"]) == ("attended", 0)
    assert (colleague["asset", "a"]["response"], colleague["asset", "a"]["colleagues"]) == (None, 1)


def test_leads_without_an_account_have_no_colleagues(told):
    assert told([touch("webinar", 4, "L2", asset="a")], leads=[{"lead_id": "L1"}, {"lead_id": "L2"}]) == {}


def test_responses_are_ordered():
    assert RESPONSES == ("sent", "opened", "read", "attended")


@pytest.fixture
def pressure(write, playbook):
    def count(touches, book=playbook):
        table = contact_pressure(write(touches, leads=[{"lead_id": "L1"}]), book, AS_OF, ["L1"])
        assert table.schema == PRESSURE_SCHEMA
        (row,) = table.to_pylist()
        return row

    return count


def test_windows_begin_at_their_first_instant(pressure):
    row = pressure([touch("email_sent", ago) for ago in (7, 7.01, 30, 30.01)])
    assert (row["last_7_days"], row["last_30_days"]) == (1, 3)


def test_only_what_we_did_presses(pressure):
    row = pressure([touch("web_visit", 1), touch("sales_call", 2), touch("email_open", 1), touch("email_sent", 3)])
    assert (row["last_7_days"], row["last_at"]) == (2, AS_OF - timedelta(days=2))


@pytest.mark.parametrize(("days", "too_much"), [([1, 2], False), ([1, 2, 3], True), ([*range(8, 15)], False),
                                                ([*range(8, 16)], True), ([], False)])  # fmt: skip
def test_it_is_too_much_once_a_limit_is_reached(pressure, days, too_much):
    assert pressure([touch("email_sent", ago) for ago in days])["too_much"] is too_much


def test_the_limits_are_the_playbooks(pressure):
    generous = parse_playbook(starter_text().replace("most_per_7_days = 3", "most_per_7_days = 4"))
    assert not pressure([touch("email_sent", ago) for ago in (1, 2, 3)], generous)["too_much"]


def test_a_direction_of_its_own_stands_before_the_kinds(pressure):
    assert pressure([touch("web_visit", 1, direction="sales")])["last_7_days"] == 1


@pytest.mark.parametrize(
    ("change", "to", "message"),
    [
        ('attended = ["webinar", "event"]', 'attended = ["webinar", "opera"]', "kind `opera`, which does not exist"),
        ("most_per_30_days = 8", "most_per_30_days = 2", "allows fewer touches in 30 days than in 7"),
    ],
)
def test_limits_that_cannot_be_are_refused(change, to, message):
    with pytest.raises(PlaybookError, match=message):
        parse_playbook(starter_text().replace(change, to))


def test_a_playbook_that_does_not_speak_of_contact_has_the_usual_limits():
    from pathlib import Path

    contact = load_playbook(Path(__file__).parents[3] / "examples" / "bpi2012" / "playbook.toml").contact
    assert (contact.most_per_7_days, contact.most_per_30_days, contact.attended) == (3, 8, [])
