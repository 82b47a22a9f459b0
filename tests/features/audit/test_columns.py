"""A field that was filled because of the outcome is found, whatever its form; honest ones are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from touchline.features.audit import Code

WON = "(SELECT lead_id FROM deals WHERE outcome = 'won' AND lead_id IS NOT NULL)"


def test_a_field_that_sales_fills_after_the_win_blocks(company, declared, with_attributes, find, check, tmp_path):
    """The simulator's own leak: 90 % of the won and 12 % of the others, declared as fixed at creation."""
    playbook = declared(phone_filled=("leads", "boolean"))
    assert playbook.attributes["phone_filled"].known == "creation"
    tables = check(company.raw, tmp_path / "tables", playbook)
    found = find(
        Code.SINGLE_AUC,
        Code.MISSING_TELLS,
        Code.GOLDEN_FEATURE,
        tables=tables,
        playbook=playbook,
        catalog=with_attributes(playbook, "phone_filled"),
    )
    assert found(Code.MISSING_TELLS) == {"phone_filled": "block"}
    assert found(Code.SINGLE_AUC) == {"phone_filled": "warn"}
    assert found(Code.GOLDEN_FEATURE) == {"phone_filled": "warn"}
    (finding,) = [f for f in found.audit.findings if f.code is Code.MISSING_TELLS]
    assert finding.figures["filled_won"] > 0.8
    assert finding.figures["filled_other"] < 0.2
    assert "never" in finding.advice


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("avg((lead_id IN won)::DOUBLE)", "number", {Code.SINGLE_AUC: "block", Code.GOLDEN_FEATURE: "warn"}),
        ("CASE WHEN max((lead_id IN won)::INTEGER) = 1 THEN 'customer' ELSE 'prospect' END", "text",
         {Code.SINGLE_AUC: "block"}),
        ("CASE WHEN max((lead_id IN won)::INTEGER) = 1 THEN 50 ELSE hash(account_id) % 100 END", "number",
         {Code.SINGLE_AUC: "block"}),
    ],
    ids=["rate of the account", "status", "a number that is telling in the middle only"],
)  # fmt: skip
def test_an_account_attribute_made_from_outcomes_blocks(
    company, declared, with_attributes, find, spoilt, value, kind, expected
):
    playbook = declared(fit_score=("accounts", kind))
    made = f"SELECT account_id, {value.replace('IN won', f'IN {WON}')} AS fit_score FROM leads GROUP BY 1"
    tables = spoilt(
        company.tables, accounts=f"SELECT a.*, fit_score FROM accounts a LEFT JOIN ({made}) USING (account_id)"
    )
    catalog = with_attributes(playbook, "fit_score")
    found = find(*expected, tables=tables, playbook=playbook, catalog=catalog)
    assert {code: found(code) for code in expected} == {code: {"fit_score": s} for code, s in expected.items()}


def test_a_field_that_is_emptied_because_a_lead_was_won_is_looked_at(company, declared, with_attributes, find, spoilt):
    """A reason for losing: half of the others have one, of the won nobody. Its AUC is no more than 0.75."""
    playbook = declared(lost_reason=("leads", "text"))
    filled = f"CASE WHEN lead_id NOT IN {WON} AND hash(lead_id) % 2 = 0 THEN 'price' END"
    tables = spoilt(company.tables, leads=f"SELECT *, {filled} AS lost_reason FROM leads")
    found = find(Code.MISSING_TELLS, tables=tables, playbook=playbook, catalog=with_attributes(playbook, "lost_reason"))
    assert found(Code.MISSING_TELLS) == {"lost_reason": "warn"}


def test_a_value_that_only_won_leads_have_is_looked_at_though_most_do_not_have_it(
    company, declared, with_attributes, find, spoilt
):
    """One in three of the won: AUC and correlation are far below their limits."""
    playbook = declared(segment=("leads", "text"))
    told = f"CASE WHEN lead_id IN {WON} AND hash(lead_id) % 3 = 0 THEN 'gold' ELSE 'tin' END"
    tables = spoilt(company.tables, leads=f"SELECT *, {told} AS segment FROM leads")
    catalog = with_attributes(playbook, "segment")
    found = find(Code.TELLING_VALUE, Code.SINGLE_AUC, tables=tables, playbook=playbook, catalog=catalog)
    assert found(Code.SINGLE_AUC) == {}
    assert found(Code.TELLING_VALUE) == {"segment": "block"}


def test_the_label_under_another_name_blocks(company, find):
    """Columns of a given set that are the label itself: as a number, as a category, and by being missing."""
    won = company.training.y
    held = company.training.arrow()
    columns = {
        "as_number": pa.array(won.astype(np.float32) * 7 + 1),
        "as_category": pa.array(np.where(won, "yes", "no")).dictionary_encode(),
        "as_missing": pa.array(np.where(won, 3.0, np.nan).astype(np.float32)),
    }
    for name, column in columns.items():
        held = held.append_column(name, column)
    entry = company.training.manifest["features"][0]
    more = [{**entry, "name": name} for name in columns]
    manifest = {**company.training.manifest, "features": [*company.training.manifest["features"], *more]}
    training = replace(company.training, manifest=manifest, held=held)
    found = find(Code.CORRELATION, Code.CRAMERS_V, Code.MISSING_TELLS, training=training)
    assert found(Code.CORRELATION) == {"as_number": "block"}
    assert found(Code.CRAMERS_V) == {"as_category": "block"}
    assert found(Code.MISSING_TELLS) == {"as_missing": "block"}


def test_too_few_wins_are_said_and_not_judged(company, find):
    """With wins of four accounts any feature may look golden by chance."""
    training = company.training
    few = np.unique(training.groups[training.y])[:4]
    kept = ~training.y | np.isin(training.groups, few)
    small = replace(training, held=training.arrow().filter(pa.array(kept)))
    found = find(Code.SINGLE_AUC, Code.GOLDEN_FEATURE, training=small)
    assert {f.severity for f in found.audit.findings} == {"note"}
    assert all("4 accounts" in f.message for f in found.audit.findings)
