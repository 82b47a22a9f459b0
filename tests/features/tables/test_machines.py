"""Link scanners are marked and kept; people are left alone."""

from __future__ import annotations


def marks(company):
    return {row["touch_id"]: row["machine"] for row in company.kept()}


def at(second: float) -> str:
    return f"2024-02-05T10:00:{second:09.6f}Z"


def test_opens_within_the_time_after_a_send_are_machines_at_both_ends(company):
    send = company.touch("S", at=at(10), kind="send")
    rows = [company.touch(f"T{n}", at=at(s)) for n, s in enumerate([9.999999, 10, 12, 15, 15.000001, 30])]
    company.write("touches", [send, *rows])
    company.check()
    assert marks(company) == {"S": False, "T0": False, "T1": True, "T2": True, "T3": True, "T4": False, "T5": False}


def test_a_send_to_somebody_else_makes_no_machine(company):
    company.write("touches", [company.touch("S", at=at(10), kind="send"), company.touch("T", lead="L2", at=at(11))])
    company.check()
    assert not any(marks(company).values())


def test_many_links_within_a_second_are_a_machines(company):
    rows = [
        company.touch(f"T{n}", at=at(s), kind="click", asset=str(n)) for n, s in enumerate([1, 1.5, 2, 2.5, 9, 9.5])
    ]
    company.write("touches", rows)
    company.check()
    # T0-T2 fall within one second, and so do T1-T3
    assert [n for n, machine in marks(company).items() if machine] == ["T0", "T1", "T2", "T3"]


def test_one_click_delivered_many_times_is_no_burst(company):
    company.write("touches", [company.touch("T1", at=at(1), kind="click")] * 5)
    company.check()
    assert marks(company) == {"T1": False}


def test_a_machine_that_the_source_itself_found_stays_one(company):
    company.write("touches", [company.touch("T1", machine="true"), company.touch("T2", machine="", asset="b")])
    result = company.check()
    assert marks(company) == {"T1": True, "T2": False}
    assert result.table("touches").machine == 1


def test_without_scanner_rules_nothing_is_marked(company):
    start = company.playbook_text.index("[scanners]")
    end = company.playbook_text.index("[attributes.industry]")
    company.playbook_text = company.playbook_text[:start] + company.playbook_text[end:]
    company.write("touches", [company.touch("S", at=at(10), kind="send"), company.touch("T", at=at(11))])
    company.check()
    assert not any(marks(company).values())
