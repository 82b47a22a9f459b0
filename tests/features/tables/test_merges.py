"""Merged leads are two before the merge and one after it, as of any time."""

from __future__ import annotations

from datetime import UTC, datetime


def known_touches(company, lead, as_of):
    """What a row of `lead` as of a time may use."""
    return sorted(
        row["touch_id"]
        for row in company.kept()
        if row["lead_id"] == lead and row["occurred_at"] < as_of and row["known_at"] < as_of
    )


def merge(first: str, second: str, day: int) -> dict[str, str]:
    return {"from_lead": first, "into_lead": second, "merged_at": f"2024-03-{day:02d}T00:00:00Z"}


def day(n: int) -> datetime:
    return datetime(2024, 3, n, tzinfo=UTC)


def test_before_the_merge_two_and_after_it_one(company):
    company.write("touches", [company.touch("T1", lead="L1"), company.touch("T2", lead="L2")])
    company.write("merges", [merge("L1", "L2", 10)])
    result = company.check()
    assert known_touches(company, "L2", day(10)) == ["T2"]
    assert known_touches(company, "L1", day(10)) == ["T1"]
    assert known_touches(company, "L2", day(11)) == ["T1", "T2"]
    moved = [row for row in company.kept() if row["merged_from"]]
    assert [(row["lead_id"], row["merged_from"], row["known_at"]) for row in moved] == [("L2", "L1", day(10))]
    assert result.table("touches").from_merges == 1
    assert all(source.adds_up for source in result.sources)
    ended = next(row for row in company.kept("leads") if row["lead_id"] == "L1")
    assert (ended["merged_into"], ended["merged_at"]) == ("L2", day(10))


def test_chains_are_followed_whichever_merge_came_first(company):
    company.write("touches", [company.touch("T1", lead="L1")])
    for first, second in ((5, 20), (20, 5)):
        company.write("merges", [merge("L1", "L2", first), merge("L2", "L3", second)])
        company.check()
        assert known_touches(company, "L3", day(20)) == []
        assert known_touches(company, "L3", day(21)) == ["T1"]


def test_the_journey_and_the_fields_move_along(company):
    company.write("stages", [{"lead_id": "L1", "stage": "lead", "entered_at": "2024-02-01T00:00:00Z"}])
    company.write("changes", [{"lead_id": "L1", "field": "size", "value": "3", "known_at": "2024-02-01T00:00:00Z"}])
    company.write("merges", [merge("L1", "L2", 10)])
    company.check()
    for table in ("stages", "changes"):
        assert {(r["lead_id"], r["known_at"].month) for r in company.kept(table)} == {("L1", 2), ("L2", 3)}


def test_merges_that_cannot_be_are_set_aside(company):
    company.write("merges", [merge("L1", "L2", 5), merge("L2", "L1", 6), merge("L3", "L3", 7), merge("L9", "L1", 8)])
    company.check()
    assert company.reasons() == {
        "L1": "merged_in_a_circle",
        "L2": "merged_in_a_circle",
        "L3": "merged_into_itself",
        "L9": "unknown_lead",
    }
    assert not any(row["merged_from"] for row in company.kept())


def test_a_chain_that_runs_into_a_circle_moves_nothing_twice(company):
    def merge(a: str, b: str, day: int) -> dict[str, str]:
        return {"from_lead": a, "into_lead": b, "merged_at": f"2024-05-0{day}T00:00:00Z"}

    company.write("touches", [company.touch("T1", lead="L1")])
    company.write("merges", [merge("L1", "L2", 1), merge("L2", "L3", 2), merge("L3", "L2", 3)])
    result = company.check()
    assert [(t["lead_id"], t["merged_from"]) for t in company.kept()] == [("L1", None), ("L2", "L1")]
    assert [(r.code, r.rows) for r in result.reasons] == [("merged_in_a_circle", 2)]
