"""A source's path may be many things, and one path may feed many tables."""

from __future__ import annotations

import pytest

from touchline.features import DataError

EVENTS = [
    {"who": "L1", "what": "Open Email", "when": "2024-02-01T10:00:00Z"},
    {"who": "L1", "what": "deal won", "when": "2024-03-01T10:00:00Z"},
    {"who": "L2", "what": "contract signed", "when": "2024-03-01T09:00:00Z"},
    {"who": "L2", "what": "deal lost", "when": "2024-03-01T10:00:00Z"},
    {"who": "L2", "what": "noise", "when": "2024-03-01T10:00:00Z"},
    {"who": "L3", "what": "surprise", "when": "2024-03-01T10:00:00Z"},
]
ROUTES = """
[[sources]]
table = "leads"
path = "leads.csv"

[[sources]]
table = "touches"
path = "events.csv"
only = { what = ["Open Email", "click"] }
columns = { lead_id = "who", occurred_at = "when", kind = "what" }

[[sources]]
table = "outcomes"
path = "events.csv"
only = { what = ["deal won", "deal lost", "contract signed"] }
[sources.columns]
lead_id = "who"
occurred_at = "when"
outcome = { column = "what", map = { "deal won" = "won", "deal lost" = "lost" } }

[[sources]]
table = "ignored"
path = "events.csv"
only = { what = ["noise"] }
"""


def test_one_log_feeds_touches_and_outcomes_and_every_event_is_accounted_for(company):
    company.playbook_text += ROUTES
    company.write("events", EVENTS)
    result = company.check()
    log = next(s for s in result.sources if s.path == "events.csv")
    assert log.read == 6
    assert log.kept == {"touches": 1, "outcomes": 3}
    assert (log.ignored, log.quarantined) == (1, 1)
    assert log.adds_up
    assert [r.code for r in result.reasons] == ["unrouted"]
    deals = {row["deal_id"]: row for row in company.kept("deals")}
    assert {k: d["outcome"] for k, d in deals.items()} == {"L1": "won", "L2": "lost"}
    assert deals["L2"]["closed_at"].hour == 10  # events without an outcome only belong to the end
    assert company.kept()[0]["kind"] == "open"


def test_rows_that_feed_two_tables_are_counted_once_as_read(company):
    company.playbook_text += """
[[sources]]
table = "leads"
path = "forms.csv"
columns = { lead_id = "who", created_at = "when", industry = { value = "unknown" } }
[[sources]]
table = "touches"
path = "forms.csv"
columns = { lead_id = "who", occurred_at = "when", kind = { value = "open" } }
"""
    company.write("forms", [{"who": "L1", "when": "2024-02-01T10:00:00Z"}])
    (log,) = company.check().sources
    assert (log.read, log.used_twice, log.kept) == (1, 1, {"leads": 1, "touches": 1})
    assert log.adds_up
    assert company.kept()[0]["touch_id"].startswith("touch-")


def test_a_log_that_says_won_and_lost_is_noted_and_its_last_word_counts(company):
    company.playbook_text += ROUTES
    company.write(
        "events", [*EVENTS[:1], EVENTS[1], {**EVENTS[1], "what": "deal lost", "when": "2024-04-01T10:00:00Z"}]
    )
    result = company.check()
    assert "won_and_lost" in [note.code for note in result.notes]
    assert company.kept("deals")[0]["outcome"] == "lost"


def test_files_of_a_folder_and_of_a_pattern_are_one_table(company):
    rows = [company.touch(f"T{n}", at=f"2024-02-0{n}T10:00:00Z") for n in (1, 2, 3)]
    (company.folder / "touches.csv").unlink()
    (company.folder / "touches").mkdir()
    for n, row in enumerate(rows):
        company.write(f"touches/part{n}", [dict(reversed(row.items())) if n else row])
    result = company.check()
    assert [row["touch_id"] for row in company.kept()] == ["T1", "T2", "T3"]
    company.playbook_text += """
[[sources]]
table = "leads"
path = "leads.csv"
[[sources]]
table = "touches"
path = "touches/part[12].csv"
"""
    assert company.check().table("touches").rows == 2
    assert result.table("touches").rows == 3


def test_excel_exports_are_read_in_their_own_encoding_and_delimiter(company):
    company.playbook_text += """
[[sources]]
table = "leads"
path = "leads.csv"
encoding = "cp1252"
[[sources]]
table = "touches"
path = "touches.csv"
"""
    lines = [
        "lead_id;created_at;industry",
        'L1;2024-01-01T00:00:00Z;"sidérurgie; métaux"',
        'L2;2024-01-01T00:00:00Z;"a',
        'b"',
    ]
    (company.folder / "leads.csv").write_bytes("\r\n".join(lines).encode("cp1252"))
    result = company.check()
    assert not [r for r in result.reasons if r.table == "leads"]
    assert [row["industry"] for row in company.kept("leads")] == ["sidérurgie; métaux", "a\nb"]


@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_lines_are_counted_whatever_the_files_end(company, end):
    path = company.folder / "touches.csv"
    path.write_text(path.read_text().rstrip("\n") + end)
    account = next(s for s in company.check().sources if s.path == "touches.csv")
    assert (account.read, account.kept) == (3, {"touches": 3})


def test_environment_variables_stand_in_addresses_and_are_never_shown(company, monkeypatch):
    company.playbook_text += """
[[sources]]
table = "leads"
path = "postgresql://sales:${TOUCHLINE_TEST_PASSWORD}@127.0.0.1:1/crm"
relation = "public.leads"
[[sources]]
table = "touches"
path = "touches.csv"
"""
    with pytest.raises(DataError, match="TOUCHLINE_TEST_PASSWORD is not set"):
        company.check()
    monkeypatch.setenv("TOUCHLINE_TEST_PASSWORD", "hunter2")
    with pytest.raises(DataError) as caught:
        company.check()
    assert "hunter2" not in str(caught.value)
