"""Deals, and the log of events that ends them."""

from __future__ import annotations


def test_a_log_of_outcomes_completes_the_deals(company):
    company.write("deals", [
        {"deal_id": "D1", "lead_id": "L1", "closed_at": "2024-04-01T00:00:00Z", "outcome": "won", "opened_at": ""},
        {"deal_id": "D2", "lead_id": "L2", "closed_at": "", "outcome": "", "opened_at": "2024-03-01T00:00:00Z"},
    ])  # fmt: skip
    company.write("outcomes", [
        {"deal_id": "D1", "lead_id": "L1", "occurred_at": "2024-05-01T00:00:00Z", "outcome": "lost"},
        {"deal_id": "D2", "lead_id": "L2", "occurred_at": "2024-05-02T00:00:00Z", "outcome": "won"},
        {"deal_id": "D3", "lead_id": "L3", "occurred_at": "2024-05-03T00:00:00Z", "outcome": "lost"},
    ])  # fmt: skip
    result = company.check()
    deals = {d["deal_id"]: (d["outcome"], d["closed_at"].day, d["known_at"].day) for d in company.kept("deals")}
    assert deals == {"D1": ("won", 1, 1), "D2": ("won", 2, 2), "D3": ("lost", 3, 3)}
    assert "table_against_log" in [note.code for note in result.notes]
    assert all(source.adds_up for source in result.sources)


def test_what_the_log_says_does_not_depend_on_its_order(company):
    events = [
        {"deal_id": "D9", "lead_id": "L1", "occurred_at": "2024-05-01T00:00:00Z", "outcome": "won", "amount": amount}
        for amount in ("5", "7", "6")
    ]
    company.write("outcomes", events)
    first = company.check().data_digest
    company.write("outcomes", events[::-1])
    assert company.check().data_digest == first


def test_an_open_deal_is_known_from_its_opening_whatever_people_hope(company):
    company.write("deals", [
        {"deal_id": "D1", "lead_id": "L1", "opened_at": "2024-03-01T00:00:00Z", "closed_at": "2026-01-01T00:00:00Z"},
        {"deal_id": "D2", "lead_id": "L1", "opened_at": "2024-03-01T00:00:00Z", "closed_at": "2026-01-01T00:00:00Z",
         "known_at": "2024-03-02T00:00:00Z"},
        {"deal_id": "D3", "lead_id": "L1", "opened_at": "2024-03-01T00:00:00Z", "closed_at": "1970-01-01T00:00:00Z"},
    ])  # fmt: skip
    result = company.check()
    assert not result.reasons
    assert [d["known_at"].day for d in company.kept("deals")] == [1, 2, 1]
