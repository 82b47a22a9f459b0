"""Rows are held against the playbook and the other tables."""

from __future__ import annotations

import pytest

BAD_TOUCHES = {
    "unknown_lead": {"lead_id": "L9"},
    "missing_value": {"lead_id": " "},
    "unknown_kind": {"kind": "fax"},
    "unknown_direction": {"direction": "sideways"},
    "before_lead": {"occurred_at": "2023-12-31T23:59:59Z"},
    "known_before_it_happened": {"known_at": "2024-02-05T09:59:59Z"},
    "future_time": {"known_at": "2026-01-01T00:00:00Z"},
}


@pytest.mark.parametrize(("code", "wrong"), BAD_TOUCHES.items())
def test_a_bad_touch_is_set_aside_with_its_reason_and_costs_no_other(company, code, wrong):
    company.write(
        "touches", [{**company.touch("T1", known_at=""), **wrong}, company.touch("T2", at="2024-02-06T10:00:00Z")]
    )
    result = company.check()
    assert company.reasons() == {"T1": code}
    assert [row["touch_id"] for row in company.kept()] == ["T2"]
    assert [(r.table, r.code, r.rows) for r in result.reasons] == [("touches", code, 1)]


BAD_DEALS = {
    "no_lead_or_account": {"lead_id": ""},
    "unknown_lead": {"lead_id": "L9"},
    "unknown_outcome": {"outcome": "maybe"},
    "outcome_without_end": {"outcome": "won", "closed_at": ""},
    "closed_before_opened": {"outcome": "won", "closed_at": "2024-02-01T00:00:00Z"},
    "future_time": {"outcome": "lost", "closed_at": "2025-02-01T00:00:00Z"},
    "negative_amount": {"amount": "-1"},
}


@pytest.mark.parametrize(("code", "wrong"), BAD_DEALS.items())
def test_a_bad_deal_is_set_aside_with_its_reason(company, code, wrong):
    deal = {"deal_id": "D1", "lead_id": "L1", "opened_at": "2024-03-01T00:00:00Z", "closed_at": "", "outcome": ""}
    company.write("deals", [{**deal, "amount": "", "known_at": "", **wrong}])
    company.check()
    assert company.reasons() == {"D1": code}


def test_the_close_date_of_an_open_deal_is_a_hope_and_not_kept(company):
    company.write("deals", [{"deal_id": "D1", "lead_id": "L1", "opened_at": "2024-03-01T00:00:00Z",
                             "closed_at": "2024-12-01T00:00:00Z", "outcome": ""}])  # fmt: skip
    result = company.check()
    assert company.kept("deals")[0]["closed_at"] is None
    assert result.deals == {"won": 0, "lost": 0, "open": 1}


def test_stages_and_changes_speak_the_playbooks_words(company):
    company.write("stages", [
        {"lead_id": "L1", "stage": "Closed Lost", "entered_at": "2024-02-01T00:00:00Z"},
        {"lead_id": "L1", "stage": "limbo", "entered_at": "2024-02-02T00:00:00Z"},
    ])  # fmt: skip
    company.write("changes", [
        {"lead_id": "L1", "field": "size", "value": "12", "known_at": "2024-02-01T00:00:00Z"},
        {"lead_id": "L1", "field": "industry", "value": "x", "known_at": "2024-02-01T00:00:00Z"},
    ])  # fmt: skip
    result = company.check()
    assert [row["stage"] for row in company.kept("stages")] == ["lost"]
    assert [row["field"] for row in company.kept("changes")] == ["size"]
    assert {r.code for r in result.reasons} == {"unknown_stage", "unknown_field"}


def test_a_touch_at_the_very_instant_of_its_lead_is_kept(company):
    company.write("touches", [company.touch("T1", at="2024-01-01T00:00:00Z")])
    assert not company.check().reasons


def test_visits_older_than_the_lead_can_be_kept_as_known_at_its_creation(company):
    company.playbook_text += 'touches_before_lead = "known_at_creation"\n'
    company.write("touches", [company.touch("T1", at="2023-12-01T00:00:00Z")])
    company.check()
    (row,) = company.kept()
    assert row["known_at"].isoformat() == "2024-01-01T00:00:00+00:00"
    assert row["occurred_at"].isoformat() == "2023-12-01T00:00:00+00:00"


def test_what_a_touch_does_not_say_comes_from_its_kind_and_its_asset(company):
    company.write("assets", [{"asset": "a", "topic": "security"}])
    company.write(
        "touches",
        [
            company.touch("T1", asset="a", topic=""),
            company.touch("T2", asset="a", topic="price", channel="fax", direction="sales"),
        ],
    )
    company.check()
    first, second = company.kept()
    assert (first["channel"], first["topic"], first["direction"]) == ("email", "security", "inbound")
    assert (second["channel"], second["topic"], second["direction"]) == ("fax", "price", "sales")


def test_too_many_bad_rows_stop_the_job_and_leave_the_old_tables_in_place(company):
    company.check()
    before = (company.out / "manifest.json").read_bytes()
    company.playbook_text = company.playbook_text.replace("max_share = 1", "max_share = 0.4")
    company.write("touches", [company.touch("T1", lead="L9"), company.touch("T2")])
    result = company.check()
    assert not result.ok
    assert result.over_limit == {"touches": 0.5}
    assert (company.out / "manifest.json").read_bytes() == before
    refused = company.out.with_name("tables.refused")
    assert sorted(f.name for f in refused.iterdir()) == ["manifest.json", "playbook.json", "quarantine.parquet"]


def test_one_table_can_have_a_limit_of_its_own(company):
    company.playbook_text = company.playbook_text.replace(
        "max_share = 1", "max_share = 0\nmax_share_of = { touches = 0.5 }"
    )
    company.write("touches", [company.touch("T1", lead="L9"), company.touch("T2")])
    assert company.check().ok


def test_messages_hold_no_data(company):
    secret = "jane.doe@example.com"
    company.write("leads", [{"lead_id": secret, "created_at": secret, "industry": secret}])
    company.write("touches", [company.touch("T1", lead=secret, kind=secret, at=secret)])
    result = company.check()
    assert result.reasons
    assert secret not in str(result.to_dict())


def test_shares_of_bad_rows_are_of_what_was_read(company):
    company.playbook_text = company.playbook_text.replace("max_share = 1", "max_share = 0.3")
    at = "2024-05-01T00:00:00Z"
    good = [{"lead_id": "L1", "occurred_at": at, "outcome": "won"}] * 9
    company.write("outcomes", [*good, {"lead_id": "L9", "occurred_at": at, "outcome": "won"}])
    company.write("merges", [
        {"from_lead": "L1", "into_lead": "L2", "merged_at": at},
        {"from_lead": "L3", "into_lead": "L2", "merged_at": at},
        {"from_lead": "L3", "into_lead": "L1", "merged_at": at},
    ])  # fmt: skip
    assert company.check().over_limit == {"merges": pytest.approx(1 / 3)}
