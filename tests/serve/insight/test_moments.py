"""Interesting moments: each kind as it is meant, few of them, newest first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from touchline.playbook import parse_playbook, starter_text
from touchline.serve.insight import MOMENTS, MOMENTS_SCHEMA, find_moments

AS_OF = datetime(2025, 6, 11, tzinfo=UTC)
VISITS = [{"lead_id": "crowd", "ago": 100 + i, "kind": "web_visit"} for i in range(40)]
"""What makes visits common, and all else rare."""


def visit(ago: float, lead: str = "L1", **more: Any) -> dict[str, Any]:
    return {"lead_id": lead, "ago": ago, "kind": "web_visit", **more}


@pytest.fixture
def moments(write, playbook):
    def find(touches, lead="L1", **options):
        leads = options.pop("described", None)
        tables = write([*touches, *VISITS], leads=[*leads, {"lead_id": "crowd"}] if leads else None)
        found = find_moments(tables, options.pop("book", playbook), AS_OF, [lead], **options)
        assert found.schema == MOMENTS_SCHEMA
        return found.to_pylist()

    return find


def told(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(m["moment"], m["kind"]) for m in found]


def test_without_credit_rare_kinds_are_high_intent(moments):
    found = moments([visit(50), visit(2), {"lead_id": "L1", "ago": 1, "kind": "demo_request"}])
    assert told(found) == [("high_intent", "demo_request"), ("first_time", "demo_request")]


def test_with_credit_the_kinds_of_most_credit_per_touch_are_high_intent(moments):
    def credit(kind, amount, leads):
        return [{"lead_id": f"W{i}", "touch_id": f"{kind}{i}", "kind": kind, "amount": amount} for i in range(leads)]

    given = [*credit("web_visit", 0.4, 9), *credit("webinar", 0.9, 4), *credit("pricing_page", 0.3, 9),
             *credit("email_open", 0.2, 9), *credit("email_click", 0.1, 9), *credit("email_sent", 2.0, 9),
             *credit("demo_request", -1.0, 9)]  # fmt: skip
    kinds = ("web_visit", "webinar", "pricing_page", "email_open", "email_click", "email_sent", "demo_request")
    touches = [{"lead_id": "L1", "ago": i + 1, "kind": kind} for i, kind in enumerate(kinds)]
    found = moments(touches, credit=pa.Table.from_pylist(given), limit=100)
    high = [(m["kind"], m["strength"]) for m in found if m["moment"] == "high_intent"]
    # Too few had a webinar, a click comes fourth, a send is no sign of interest, a demonstration counts against.
    assert high == [
        ("web_visit", pytest.approx(6.0)),
        ("pricing_page", pytest.approx(5.75)),
        ("email_open", pytest.approx(5.5)),
    ]


def test_credit_that_favours_nothing_leaves_the_rule_of_rare_kinds(moments):
    against = [{"lead_id": f"W{i}", "touch_id": f"t{i}", "kind": "web_visit", "amount": -1.0} for i in range(9)]
    touches = [{"lead_id": "L1", "ago": 1, "kind": "demo_request"}]
    assert moments(touches, credit=pa.Table.from_pylist(against)) == moments(touches)


@pytest.mark.parametrize(("silent", "returns"), [(59.99, False), (60, True), (75.5, True)])
def test_a_return_needs_sixty_days_of_silence(moments, silent, returns):
    found = [m for m in moments([visit(5 + silent), visit(5)]) if m["moment"] == "return"]
    assert [m["silent_days"] for m in found] == ([int(silent)] if returns else [])


def test_the_very_first_sign_of_interest_is_no_return(moments):
    assert told(moments([visit(5)])) == [("first_time", "web_visit")]


def test_what_we_send_does_not_break_silence(moments):
    sends = [{"lead_id": "L1", "ago": ago, "kind": "email_sent"} for ago in range(10, 90, 10)]
    assert ("return", "web_visit") in told(moments([visit(95), *sends, visit(5)]))


def test_a_new_person_is_told_to_every_colleague_but_the_person(moments):
    described = [{"lead_id": name, "account_id": "A"} for name in ("L1", "L2", "L3")]
    touches = [visit(200, "L1"), visit(190, "L2"), visit(3, "L3", touch_id="new")]
    for lead in ("L1", "L2"):
        (found,) = moments(touches, lead, described=described)
        assert (found["moment"], found["person"], found["touch_ids"]) == ("new_person", "L3", ["new"])
    assert "new_person" not in [m["moment"] for m in moments(touches, "L3", described=described)]


def test_a_person_known_under_another_name_is_not_new(moments):
    merged = {"merged_into": "L2", "merged_at": AS_OF - timedelta(days=2)}
    touches = [visit(200, "L1"), visit(190, "L2"), visit(3, "L3"),
               visit(3, "L2", known_at=merged["merged_at"], merged_from="L3")]  # fmt: skip
    people = [{"lead_id": name, "account_id": "A"} for name in ("L1", "L2")]
    assert moments(touches, described=[*people, {"lead_id": "L3", "account_id": "A", **merged}]) == []
    unmerged = moments(touches, described=[*people, {"lead_id": "L3", "account_id": "A", **merged, "merged_at": AS_OF}])
    assert [m["moment"] for m in unmerged] == ["new_person"]


def test_what_a_merge_brought_from_elsewhere_makes_nobody_new(moments):
    merged = {"merged_into": "L2", "merged_at": AS_OF - timedelta(days=2)}
    described = [*({"lead_id": name, "account_id": "A"} for name in ("L1", "L2")), {"lead_id": "L3", **merged}]
    touches = [visit(200, "L1"), visit(3, "L3"), visit(3, "L2", known_at=merged["merged_at"], merged_from="L3")]
    assert moments(touches, described=described) == []
    assert [m["moment"] for m in moments(touches, "L2", described=described)] == ["first_time"]


@pytest.mark.parametrize(
    ("earlier", "now", "surges"),
    [
        (0, 3, True),  # one sign of interest nine weeks ago: a third of one each three weeks
        (0, 2, False),  # fewer than three are no surge
        (8, 3, True),  # one a week is usual
        (9, 3, False),  # a little more than one is
    ],
)
def test_a_surge_is_three_times_the_usual_and_at_least_three(moments, earlier, now, surges):
    usual = [visit(65)] + [visit(16 + 5.5 * i) for i in range(earlier)]  # the oldest stands in the ninth week before
    week = [visit(1 + i / 10, touch_id=f"now{i}") for i in range(now)]
    found = [m for m in moments(usual + week) if m["moment"] == "surge"]
    assert bool(found) is surges
    for moment in found:
        assert moment["touches"] == now
        assert moment["usual"] == pytest.approx((earlier + 1) / 9)
        assert moment["touch_ids"] == [f"now{i}" for i in reversed(range(now))]


def test_the_first_week_of_a_lead_is_no_surge(moments):
    assert told(moments([visit(1 + i / 10) for i in range(9)])) == [("first_time", "web_visit")]


def test_a_day_has_one_moment_of_a_kind_with_all_its_evidence(moments):
    day = [{"lead_id": "L1", "ago": 1.5 + i / 100, "kind": "demo_request", "touch_id": f"d{i}"} for i in range(2)]
    found = [m for m in moments(day) if m["moment"] == "high_intent"]
    assert [(m["touches"], m["touch_ids"]) for m in found] == [(2, ["d1", "d0"])]
    assert found[0]["occurred_at"] == AS_OF - timedelta(days=1.5)


def test_days_are_those_of_the_playbooks_zone(moments):
    late = [{"lead_id": "L1", "ago": ago, "kind": "demo_request"} for ago in (1.05, 0.95)]  # about midnight UTC
    assert len([m for m in moments(late) if m["moment"] == "high_intent"]) == 2
    paris = parse_playbook(starter_text().replace("# time_zone", "time_zone", 1))
    assert len([m for m in moments(late, book=paris) if m["moment"] == "high_intent"]) == 1


def test_only_the_last_days_are_told_and_the_edge_belongs_to_them(moments):
    asked = [{"lead_id": "L1", "ago": ago, "kind": "demo_request"} for ago in (30, 30.01)]
    found = [m for m in moments(asked) if m["moment"] == "high_intent"]
    assert [m["occurred_at"] for m in found] == [AS_OF - timedelta(days=30)]
    assert len(moments(asked, days=31)) > len(moments(asked))


def test_the_strongest_are_kept_and_the_newest_come_first(moments):
    touches = [visit(100), visit(20), *({"lead_id": "L1", "ago": ago, "kind": "demo_request"} for ago in (19, 3))]
    found = moments(touches, limit=3)
    assert told(found) == [("high_intent", "demo_request"), ("high_intent", "demo_request"), ("return", "web_visit")]
    assert [m["occurred_at"] for m in found] == sorted((m["occurred_at"] for m in found), reverse=True)


def test_there_are_five_kinds_of_moments():
    assert len(MOMENTS) == len(set(MOMENTS)) == 5
