"""What to share next: in the lead's language, unseen by anybody of the account, and always with its reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from touchline.serve.insight import SHARE_SCHEMA, next_to_share

AS_OF = datetime(2025, 6, 11, tzinfo=UTC)


def asset(name: str, topic: str = "security", language: str | None = "en", **more: Any) -> dict[str, Any]:
    return {"asset": name, "title": name.upper(), "topic": topic, "language": language,
            "address": f"https://example.com/{name}", "shareable": True, **more}  # fmt: skip


def visit(topic: str, ago: float = 10, lead: str = "L1", **more: Any) -> dict[str, Any]:
    return {"lead_id": lead, "ago": ago, "kind": "web_visit", "topic": topic, **more}


def wins(asset_name: str | None, leads: range, amount: float = 1.0) -> list[dict[str, Any]]:
    return [{"lead_id": f"W{i}", "touch_id": f"{asset_name}-{i}", "asset": asset_name, "amount": amount} for i in leads]


@pytest.fixture
def share(write, playbook):
    def find(touches, assets, *, leads=None, accounts=(), credit=None, ask="L1", **options):
        described = leads or [{"lead_id": "L1", "language": "en"}]
        tables = write(touches, leads=described, assets=assets, accounts=list(accounts))
        given = pa.Table.from_pylist(credit) if credit else None
        table = next_to_share(tables, playbook, AS_OF, [ask], credit=given, **options)
        assert table.schema == SHARE_SCHEMA
        return table.to_pylist()

    return find


def names(found: list[dict[str, Any]]) -> list[str]:
    return [row["asset"] for row in found]


def test_interest_in_a_topic_speaks_for_its_assets(share):
    touches = [visit("pricing"), visit("pricing", 11), visit("security")]
    found = share(touches, [asset("s"), asset("p", "pricing"), asset("o", "support")])
    assert [(r["rank"], r["asset"], r["reason"], r["count"], r["score"]) for r in found] == [
        (1, "p", "topic_interest", 2, 0.5),
        (2, "s", "topic_interest", 1, 0.25),
    ]
    assert (found[0]["title"], found[0]["address"]) == ("P", "https://example.com/p")


def test_old_interest_does_not_speak(share):
    assert names(share([visit("security", 181.9)], [asset("a")])) == ["a"]
    assert share([visit("security", 182.1)], [asset("a")]) == []


def test_nothing_is_suggested_that_nothing_speaks_for(share):
    assert share([visit("pricing")], [asset("a")], credit=wins("a", range(9), -1.0)) == []


def test_what_sales_may_not_share_is_not_suggested(share):
    assets = [asset("a"), asset("b", shareable=False), asset("c", shareable=None)]
    assert names(share([visit("security")], assets)) == ["a"]


def test_what_anybody_of_the_account_was_sent_or_read_is_left_out(share):
    leads = [{"lead_id": n, "account_id": "A", "language": "en"} for n in ("L1", "L2")] + [{"lead_id": "X"}]
    touches = [visit("security"), {"lead_id": "L1", "ago": 500, "kind": "email_sent", "asset": "mine"},
               {"lead_id": "L2", "ago": 400, "kind": "content_download", "asset": "ours"},
               {"lead_id": "X", "ago": 3, "kind": "webinar", "asset": "theirs"}]  # fmt: skip
    assert names(share(touches, [asset(n) for n in ("mine", "ours", "theirs")], leads=leads)) == ["theirs"]


def test_what_came_with_a_merge_is_left_out(share):
    leads = [{"lead_id": "L1", "account_id": "A", "language": "en"}, {"lead_id": "L2", "account_id": "B"}]
    copy = {"lead_id": "L1", "ago": 40, "kind": "webinar", "asset": "a", "merged_from": "L2"}
    assert names(share([visit("security"), copy], [asset("a"), asset("b")], leads=leads)) == ["b"]


@pytest.mark.parametrize(
    ("spoken", "suggested", "fallback"),
    [("fr", "french", False), ("fr-CA", "french", False), ("FR", "french", False), ("en", "english", False),
     ("de", "english", True), (None, "english", True)],
)  # fmt: skip
def test_assets_are_in_the_leads_language_or_say_that_they_are_not(share, spoken, suggested, fallback):
    assets = [asset("english"), asset("french", language="fr_FR")]
    found = share([visit("security")], assets, leads=[{"lead_id": "L1", "language": spoken}])
    assert [(r["asset"], r["fallback"]) for r in found] == [(suggested, fallback)]


def test_an_asset_without_a_language_is_in_the_playbooks_first(share):
    (found,) = share([visit("security")], [asset("a", language=None)])
    assert (found["language"], found["fallback"]) == ("en", False)


def test_credit_speaks_for_assets_that_won_leads_had_met(share):
    credit = [*wins("a", range(6)), *wins("b", range(3)), *wins("few", range(2), 9.0), *wins(None, range(9), 9.0)]
    found = share([], [asset("a"), asset("b"), asset("few")], credit=credit,
                  leads=[{"lead_id": "L1", "language": "en"}, *({"lead_id": f"W{i}"} for i in range(9))])  # fmt: skip
    assert [(r["asset"], r["reason"], r["count"], r["worked"], r["similar"]) for r in found] == [
        ("a", "worked_for", 6, 1.0, False),
        ("b", "worked_for", 3, 0.5, False),
    ]


def test_credit_and_interest_count_alike(share):
    credit = [*wins("a", range(4)), *wins("b", range(8)), *wins("c", range(6))]
    touches = [visit("pricing"), visit("pricing"), visit("security")]
    found = share(touches, [asset("a", "pricing"), asset("b", "support"), asset("c")], credit=credit)
    assert [(r["asset"], r["reason"], r["score"]) for r in found] == [
        ("a", "topic_interest", 0.75),
        ("c", "worked_for", 0.625),
        ("b", "worked_for", 0.5),
    ]


@pytest.mark.parametrize(("similar_wins", "first"), [(10, "steel"), (9, "food")])
def test_won_leads_of_the_same_segment_speak_if_there_are_enough(share, similar_wins, first):
    accounts = [{"account_id": "S", "industry": "steel"}, {"account_id": "F", "industry": "food"}]
    leads = [{"lead_id": "L1", "account_id": "S", "language": "en"}]
    leads += [{"lead_id": f"W{i}", "account_id": "S" if i < similar_wins else "F"} for i in range(40)]
    credit = [*wins("steel", range(similar_wins)), *wins("food", range(similar_wins, 40))]
    given = {"leads": leads, "accounts": accounts, "credit": credit}
    found = share([], [asset("steel"), asset("food")], segment="industry", **given)
    assert found[0]["asset"] == first
    assert found[0]["similar"] is (first == "steel")
    assert share([], [asset("steel"), asset("food")], **given)[0]["asset"] == "food"


def test_only_attributes_fixed_at_creation_are_segments(share):
    with pytest.raises(ValueError, match="'phone_filled' is no attribute fixed at creation; use one of: industry, "):
        share([], [], segment="phone_filled")


@pytest.mark.parametrize("sends", [2, 3])
def test_under_pressure_it_is_flagged_and_still_told(share, sends):
    pressing = [{"lead_id": "L1", "ago": i + 1, "kind": "email_sent"} for i in range(sends)]
    (found,) = share([visit("security"), *pressing], [asset("a")])
    assert found["too_much"] is (sends == 3)


def test_at_most_three_and_each_asset_once(share):
    assets = [asset(n) for n in "dcba"]
    assert names(share([visit("security")], assets)) == ["a", "b", "c"]
    assert names(share([visit("security")], assets, most=1)) == ["a"]


def test_credit_without_assets_is_refused(share):
    with pytest.raises(ValueError, match="have no column asset; give"):
        share([], [], credit=[{"lead_id": "W", "touch_id": "T", "amount": 1.0}])
