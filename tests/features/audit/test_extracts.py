"""What is said to be fixed must be the same in an earlier extract, and what is said to be known must stand in it."""

from __future__ import annotations

import duckdb
import pytest

from touchline.features.audit import Code
from touchline.playbook import parse_playbook, starter_text

THEN = "TIMESTAMPTZ '2025-03-01'"


@pytest.fixture
def earlier(company, spoilt):
    """What an honest extract of March would have held: all that was known by then, and nothing else."""

    def make(**other: str):
        queries = {
            "leads": f"SELECT * REPLACE (CASE WHEN merged_at < {THEN} THEN merged_into END AS merged_into, "
            f"CASE WHEN merged_at < {THEN} THEN merged_at END AS merged_at) FROM leads WHERE known_at < {THEN}",
            "accounts": f"FROM accounts WHERE known_at < {THEN}",
            **{t: f"FROM {t} WHERE known_at < {THEN}" for t in ("touches", "stages", "changes")},
        }
        return spoilt(company.tables, **{**queries, **other})

    return make


def test_an_honest_earlier_extract_raises_no_alarm(find, earlier):
    found = find(Code.CHANGED_SINCE, Code.BACKFILLED, earlier=earlier())
    assert {f.severity for f in found.audit.findings} == {"ok"}
    assert {f.code for f in found.audit.findings} == {Code.CHANGED_SINCE, Code.BACKFILLED}


@pytest.mark.parametrize(
    ("field", "table", "before"), [("role", "leads", "'unknown'"), ("industry", "accounts", "NULL")]
)
def test_a_field_that_was_overwritten_since_blocks(find, earlier, field, table, before):
    key = "lead_id" if table == "leads" else "account_id"
    other = f"SELECT * REPLACE (CASE WHEN hash({key}) % 20 = 0 THEN {before} ELSE {field} END AS {field}) FROM {table}"
    found = find(Code.CHANGED_SINCE, earlier=earlier(**{table: f"{other} WHERE known_at < {THEN}"}))
    assert found(Code.CHANGED_SINCE) == {field: "block"}
    (finding,) = [f for f in found.audit.findings if f.subject == field]
    assert 0.02 < finding.figures["share"] < 0.08
    assert (finding.figures["filled_since"] == finding.figures["changed"]) is (before == "NULL")


def test_a_correction_of_one_lead_among_thousands_does_not_block(company, find, earlier):
    one = "SELECT * REPLACE (CASE WHEN row_number() OVER (ORDER BY lead_id) = 1 THEN 'other' ELSE role END AS role)"
    found = find(Code.CHANGED_SINCE, earlier=earlier(leads=f"{one} FROM leads WHERE known_at < {THEN}"))
    assert found(Code.CHANGED_SINCE) == {"role": "warn"}


def test_leads_that_got_their_account_since_block(find, earlier):
    some = "SELECT * REPLACE (CASE WHEN hash(lead_id) % 10 > 0 THEN account_id END AS account_id) FROM leads"
    found = find(Code.CHANGED_SINCE, earlier=earlier(leads=f"{some} WHERE known_at < {THEN}"))
    assert found(Code.CHANGED_SINCE) == {"account_id": "block"}


def test_facts_whose_known_at_is_not_true_block(company, find, earlier, spoilt):
    """Today's extract says of every webinar that it was known at once; in March a part of them was not there yet."""
    lying = "SELECT * REPLACE (CASE WHEN kind = 'webinar' THEN occurred_at ELSE known_at END AS known_at) FROM touches"
    tables = spoilt(company.tables, touches=lying)
    late = (
        f"FROM touches WHERE known_at < {THEN} AND NOT (kind = 'webinar' AND occurred_at > {THEN} - INTERVAL 200 DAY)"
    )
    found = find(Code.BACKFILLED, tables=tables, training=company.training, earlier=earlier(touches=late))
    assert found(Code.BACKFILLED) == {"webinar": "block"}


def test_a_field_whose_changes_were_set_aside_is_looked_at(company, find, check, tmp_path):
    """The source has a history of it, and the playbook says that it never changes."""
    data = tmp_path / "data"
    data.mkdir()
    for file in company.raw.iterdir():
        if file.name != "changes.parquet":
            (data / file.name).symlink_to(file)
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(
            f"COPY (SELECT lead_id, 'role' AS field, v AS value, created_at + to_days(d) AS known_at FROM "
            f"'{company.raw}/leads.parquet', (VALUES ('user', 0), ('decision', 40)) t(v, d) "
            f"WHERE hash(lead_id) % 8 = 0) TO '{data}/changes.parquet'"
        )
    tables = check(data, tmp_path / "tables", company.playbook)
    found = find(Code.HAS_HISTORY, tables=tables)
    assert found(Code.HAS_HISTORY) == {"role": "warn"}
    text = starter_text().replace('[attributes.role]\ntable = "leads"\nknown = "creation"',
                                  '[attributes.role]\ntable = "leads"\nknown = "history"')  # fmt: skip
    playbook = parse_playbook(text)
    assert playbook.attributes["role"].known == "history"
    tables = check(data, tmp_path / "with-history", playbook)
    assert find(Code.HAS_HISTORY, tables=tables, playbook=playbook)(Code.HAS_HISTORY) == {}


def test_without_an_earlier_extract_it_is_said_that_nothing_was_looked_at(find):
    findings = find(Code.CHANGED_SINCE, Code.BACKFILLED).audit.findings
    assert [f.severity for f in findings] == ["note", "note"]
    assert all("earlier" in f.message for f in findings)
