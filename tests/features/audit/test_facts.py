"""Facts that are part of winning, made by machines, imported in bulk, or not known when they say: all are found."""

from __future__ import annotations

import pytest

from touchline.features import Catalog, build_training_set
from touchline.features.audit import Code
from touchline.playbook import parse_playbook, starter_text

WON = (
    "(SELECT lead_id, min(closed_at) AS closed_at FROM deals WHERE outcome = 'won' AND lead_id IS NOT NULL GROUP BY 1)"
)
CONTRACT = """
[kinds.contract_sent]
family = "sales"
direction = "sales"
engagement = false
words = { en = "was sent the contract", fr = "a reçu le contrat" }

[channels]"""
VERBAL = """
[[stages]]
name = "verbal"
role = "opportunity"
owner = "sales"
words = { en = "Said yes", fr = "Accord verbal" }

[[stages]]
name = "won"
"""


def contract_at(when: str) -> str:
    """All touches, and one of kind contract_sent for each won lead."""
    return (
        "FROM touches UNION ALL BY NAME SELECT 'C' || lead_id AS touch_id, lead_id, t AS occurred_at, t AS known_at, "
        "'contract_sent' AS kind, 'sales' AS direction, false AS machine "
        f"FROM (SELECT lead_id, {when} AS t FROM {WON})"
    )


@pytest.mark.parametrize(
    ("when", "twin"),
    [
        ("closed_at - INTERVAL 2 HOUR", {"contract_sent": "warn"}),
        ("closed_at - to_days(1 + (hash(lead_id) % 60)::INTEGER)", {}),
    ],
    ids=["just before the win", "backdated by weeks"],
)
def test_a_touch_that_only_the_won_have_blocks(company, find, spoilt, when, twin):
    playbook = parse_playbook(starter_text().replace("[channels]", CONTRACT.lstrip("\n"), 1))
    tables = spoilt(company.tables, touches=contract_at(when))
    found = find(Code.IMPLIES_OUTCOME, Code.OUTCOME_TWIN, tables=tables, playbook=playbook)
    assert found(Code.IMPLIES_OUTCOME) == {"contract_sent": "block"}
    assert found(Code.OUTCOME_TWIN) == twin


def test_a_touch_on_the_day_of_winning_that_others_have_too_is_a_twin(company, find, spoilt):
    """A call comes with most wins, and with many that are not won: it implies nothing, but belongs to the end."""
    closing = (
        "FROM touches UNION ALL BY NAME SELECT 'C' || lead_id AS touch_id, lead_id, t AS occurred_at, t AS known_at, "
        "'webinar' AS kind, 'inbound' AS direction, false AS machine FROM "
        f"(SELECT lead_id, closed_at - INTERVAL 3 HOUR AS t FROM {WON})"
    )
    found = find(Code.IMPLIES_OUTCOME, Code.OUTCOME_TWIN, tables=spoilt(company.tables, touches=closing))
    assert found(Code.IMPLIES_OUTCOME) == {}
    assert found(Code.OUTCOME_TWIN) == {"webinar": "warn"}


def test_a_stage_that_implies_the_outcome_blocks(company, find, spoilt):
    """Sales logs the verbal yes two days before the win; the playbook calls it an opportunity."""
    text = starter_text().replace('[[stages]]\nname = "won"\n', VERBAL.lstrip("\n"))
    verbal = (
        "FROM stages UNION ALL BY NAME SELECT lead_id, 'verbal' AS stage, t AS entered_at, t AS known_at "
        f"FROM (SELECT lead_id, closed_at - INTERVAL 2 DAY AS t FROM {WON})"
    )
    found = find(Code.IMPLIES_OUTCOME, tables=spoilt(company.tables, stages=verbal), playbook=parse_playbook(text))
    assert found(Code.IMPLIES_OUTCOME) == {"verbal": "block"}


def test_scanners_that_nobody_named_are_looked_at(company, find, check, tmp_path):
    """Without `[scanners]` in the playbook opens and clicks within seconds of a send pass for people's."""
    text = starter_text()
    begin, end = text.index("[scanners]"), text.index("# --- The data")
    playbook = parse_playbook(text[:begin] + text[end:])
    found = find(Code.MACHINE_TOUCHES, tables=check(company.raw, tmp_path / "tables", playbook), playbook=playbook)
    assert found(Code.MACHINE_TOUCHES) == {"email_open": "warn", "email_click": "warn"}
    named = find(Code.MACHINE_TOUCHES)
    assert named(Code.MACHINE_TOUCHES) == {}


def test_an_import_is_looked_at(company, find, spoilt):
    tables = spoilt(
        company.tables,
        leads="SELECT * REPLACE (CASE WHEN hash(lead_id) % 10 = 0 AND created_at < TIMESTAMPTZ '2023-06-01' "
        "THEN TIMESTAMPTZ '2023-01-01' ELSE created_at END AS created_at) FROM leads",
    )
    assert find(Code.MASS_IMPORT, tables=tables, training=company.training)(Code.MASS_IMPORT) == {}
    tables = spoilt(
        company.tables,
        leads="SELECT * REPLACE (CASE WHEN hash(lead_id) % 10 = 0 THEN TIMESTAMPTZ '2023-01-01' ELSE created_at END "
        "AS created_at) FROM leads",
    )
    assert find(Code.MASS_IMPORT, tables=tables, training=company.training)(Code.MASS_IMPORT) == {"leads": "warn"}


def test_leads_that_get_their_account_when_won_are_looked_at(company, find, spoilt):
    """As in a CRM whose leads are converted: before, they belong to no account."""
    kept = f"lead_id IN (SELECT lead_id FROM {WON}) OR hash(lead_id) % 10 = 0"
    tables = spoilt(
        company.tables, leads=f"SELECT * REPLACE (CASE WHEN {kept} THEN account_id END AS account_id) FROM leads"
    )
    found = find(Code.ACCOUNT_FILLED, tables=tables)
    assert found(Code.ACCOUNT_FILLED) == {"account_id": "warn"}


def test_late_kinds_are_told_and_those_that_never_are(company, find):
    findings = {f.subject: f for f in find(Code.LATE_FACTS).audit.findings}
    late = company.tables.frame("touches")
    late = late[late["merged_from"].isna()]
    days = (late["known_at"] - late["occurred_at"]).dt.total_seconds() / 86_400
    for kind in ("webinar", "event"):
        assert findings[kind].figures["share_late"] == round(float((days[late["kind"] == kind] >= 1).mean()), 4) > 0.5
    assert "web_visit" in findings["known_at"].message
    assert "webinar" not in findings["known_at"].message


def test_sales_activity_is_told_and_can_be_dropped_as_it_says(company, find):
    whole = Catalog.default(company.playbook)
    asked = whole.keep("*sales*", "age")
    training = build_training_set(company.tables, company.playbook, catalog=asked)
    (finding,) = find(Code.SALES_ACTIVITY, catalog=asked, training=training).audit.findings
    touches = company.tables.frame("touches", ["kind", "machine", "merged_from"])
    touches = touches[~touches["machine"] & touches["merged_from"].isna()]
    assert finding.figures["share_of_touches"] == round(float((touches["kind"] == "sales_call").mean()), 4)
    asked = finding.message.split("catalog.drop(")[1].split(")")[0]
    left = whole.drop(*(pattern.strip(' "') for pattern in asked.split(",")))
    assert finding.figures["features"] == len(whole) - len(left)
    assert not [name for name in left.names if "sales" in name]
