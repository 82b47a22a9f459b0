"""Rows that are there twice: one stays, whatever the order of the input."""

from __future__ import annotations

import random

STORY = {"channel": "", "campaign": "", "asset": "a"}


def test_a_touch_delivered_twice_is_kept_once_as_known_first(company):
    late = company.touch("T1", known_at="2024-02-07T00:00:00Z")
    soon = company.touch("T1", known_at="2024-02-06T00:00:00Z")
    company.write("touches", [late, soon, late])
    result = company.check()
    (row,) = company.kept()
    assert row["known_at"].day == 6
    assert [(r.code, r.rows) for r in result.reasons] == [("duplicate_delivery", 2)]


def test_deliveries_of_the_same_touch_do_not_count_towards_the_limit(company):
    company.playbook_text = company.playbook_text.replace("max_share = 1", "max_share = 0")
    company.write("touches", [company.touch("T1"), company.touch("T1")])
    assert company.check().ok


def test_another_story_under_the_same_id_is_a_conflict(company):
    company.write("touches", [
        company.touch("T1", lead="L2", known_at="2024-02-06T00:00:00Z"),
        company.touch("T1", lead="L1", known_at="2024-02-05T12:00:00Z"),
    ])  # fmt: skip
    company.check()
    assert [row["lead_id"] for row in company.kept()] == ["L1"]
    assert company.reasons() == {"T1": "conflicting_duplicate"}


def test_the_same_story_under_another_id_is_kept_once(company):
    company.write(
        "touches", [company.touch("T2"), company.touch("T1", kind="Open Email"), company.touch("T3", asset="b")]
    )
    company.check()
    assert [row["touch_id"] for row in company.kept()] == ["T1", "T3"]
    assert company.reasons() == {"T2": "duplicate_content"}


def test_a_bad_row_never_displaces_a_good_one_with_the_same_id(company):
    company.write("touches", [company.touch("T1", at="2023-01-01T00:00:00Z"), company.touch("T1")])
    company.check()
    assert [row["occurred_at"].year for row in company.kept()] == [2024]


def test_touches_without_ids_get_the_same_ids_in_every_order(company):
    rows = [company.touch("", at=f"2024-02-05T10:00:{s:02d}Z") for s in range(20)]
    for row in rows:
        del row["touch_id"]
    company.write("touches", rows)
    first = company.check()
    ids = [row["touch_id"] for row in company.kept()]
    random.Random(1).shuffle(rows)
    company.write("touches", rows)
    second = company.check()
    assert len(set(ids)) == 20
    assert [row["touch_id"] for row in company.kept()] == ids
    assert first.data_digest == second.data_digest


def test_leads_that_disagree_keep_the_one_known_first(company):
    company.write("leads", [
        {"lead_id": "L1", "created_at": "2024-01-05T00:00:00Z", "industry": "late"},
        {"lead_id": "L1", "created_at": "2024-01-01T00:00:00Z", "industry": "soon"},
    ])  # fmt: skip
    company.write("touches", [company.touch("T1")])
    company.check()
    assert [row["industry"] for row in company.kept("leads")] == ["soon"]
    assert company.reasons() == {"L1": "conflicting_duplicate"}


def test_stages_written_in_two_words_are_repeats(company):
    at = "2024-03-01T00:00:00Z"
    company.write("stages", [
        {"lead_id": "L1", "stage": "Closed Lost", "entered_at": at},
        {"lead_id": "L1", "stage": "Closed Lost", "entered_at": at},
        {"lead_id": "L1", "stage": "lost", "entered_at": at},
    ])  # fmt: skip
    result = company.check()
    assert result.table("stages").rows == 1
    assert [(r.code, r.rows) for r in result.reasons] == [("duplicate_delivery", 2)]
