"""Rows that may not be in a training set block, and a set that is as it was built does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from touchline.features import Catalog, DataError, TrainingSet, build_scoring_set, build_training_set
from touchline.features.audit import Code

ABOUT_ROWS = (
    Code.LINEAGE, Code.EARLY_ROWS, Code.MERGED_ROWS, Code.CLOSED_ROWS, Code.IMMATURE_ROWS, Code.LABELS,
)  # fmt: skip


def holding(training: TrainingSet, rows: pa.Table) -> TrainingSet:
    """The same set with other rows."""
    return replace(training, held=rows, manifest={**training.manifest, "rows": rows.num_rows})


def as_of_end(company) -> datetime:
    return datetime.fromisoformat(company.tables.manifest["result"]["last"]) - timedelta(days=7)


def labelled(company, rows: pa.Table) -> pa.Table:
    """Rows of a scoring set made to look like rows of a training set, all of them not won."""
    n = rows.num_rows
    made = {"status": pa.array(["not_won"] * n), "won": pa.array([False] * n), "weight": pa.array([1.0] * n)}
    schema = company.training.arrow().schema
    columns = [
        made[f.name] if f.name in made else rows[f.name] if f.name in rows.column_names else pa.nulls(n, f.type)
        for f in schema
    ]
    return pa.table(columns, names=schema.names)


def given(company, leads: list[str], moments: list[datetime]) -> TrainingSet:
    """The company's set, and behind it the named rows, which the room would have left out."""
    parts = [company.training.arrow()]
    for moment in sorted(set(moments)):
        mine = [lead for lead, m in zip(leads, moments, strict=True) if m == moment]
        built = build_scoring_set(company.tables, company.playbook, moment, catalog=company.few, leads=mine)
        parts.append(labelled(company, built.arrow()))
    return holding(company.training, pa.concat_tables(parts).unify_dictionaries())


def test_a_set_as_it_was_built_is_fine(find):
    found = find(*ABOUT_ROWS, Code.REBUILT)
    assert {f.severity for f in found.audit.findings} == {"ok"}
    assert {f.code for f in found.audit.findings} == {*ABOUT_ROWS, Code.REBUILT}


def test_immature_rows_taken_for_lost_ones_block(company, find):
    """The commonest mistake: the latest rows, of which nobody knows yet, are learned from as not won."""
    late = build_scoring_set(company.tables, company.playbook, as_of_end(company), catalog=company.few).arrow()
    both = pa.concat_tables([company.training.arrow(), labelled(company, late)]).unify_dictionaries()
    found = find(*ABOUT_ROWS, training=holding(company.training, both))
    assert found(Code.IMMATURE_ROWS) == {"rows": "block"}
    (finding,) = found.audit.of(Code.IMMATURE_ROWS)
    assert finding.figures["rows"] == late.num_rows > 100
    assert not found(Code.CLOSED_ROWS)
    assert not found(Code.LABELS)


def test_rows_after_the_win_block(company, find):
    deals = company.tables.frame("deals").query("outcome == 'won' and lead_id.notna()").head(20)
    moments = [closed + timedelta(days=3) for closed in deals["closed_at"]]
    found = find(*ABOUT_ROWS, training=given(company, deals["lead_id"].tolist(), moments))
    assert found(Code.CLOSED_ROWS) == {"rows": "block"}
    (finding,) = [f for f in found.audit.of(Code.CLOSED_ROWS) if f.severity == "block"]
    assert finding.figures["rows"] == len(deals)


def test_rows_with_an_open_deal_are_looked_at_where_the_playbook_leaves_them_out(company, find):
    deals = company.tables.frame("deals").query("outcome == 'won' and lead_id.notna()").head(200)
    lasting = deals[deals["closed_at"] - deals["opened_at"] > timedelta(days=9)].drop_duplicates("lead_id").head(10)
    moments = [opened + timedelta(days=1) for opened in lasting["opened_at"]]
    found = find(*ABOUT_ROWS, training=given(company, lasting["lead_id"].tolist(), moments))
    assert found(Code.CLOSED_ROWS) == {"rows": "warn"}


def test_rows_of_a_lead_after_it_was_merged_away_block(company, find):
    """Asked for by name, the room builds them: whom to look at is then up to the user."""
    merged = company.tables.frame("leads").dropna(subset=["merged_at"]).head(15)
    rows = pd.DataFrame({"lead_id": merged["lead_id"], "as_of": merged["merged_at"] + timedelta(days=10)})
    training = build_training_set(company.tables, company.playbook, catalog=company.few, rows=rows)
    found = find(*ABOUT_ROWS, training=training)
    assert found(Code.MERGED_ROWS) == {"rows": "block"}
    (finding,) = found.audit.of(Code.MERGED_ROWS)
    assert finding.figures["rows"] == len(training)


def test_rows_before_the_lead_was_known_block(company, find):
    leads = company.tables.frame("leads").nlargest(12, "created_at")
    training = given(company, leads["lead_id"].tolist(), [leads["created_at"].min() - timedelta(days=100)] * 12)
    found = find(*ABOUT_ROWS, training=training)
    assert found(Code.EARLY_ROWS) == {"rows": "block"}


def test_labels_that_deals_do_not_bear_out_block(company, find):
    held = company.training.arrow()
    won = company.training.y.copy()
    won[np.flatnonzero(won)[:5]] = False
    held = held.set_column(held.column_names.index("won"), "won", pa.array(won))
    found = find(*ABOUT_ROWS, training=holding(company.training, held))
    assert found(Code.LABELS) == {"rows": "block"}
    (finding,) = found.audit.of(Code.LABELS)
    assert finding.figures["rows"] == 5


def test_rows_that_stand_twice_block_and_other_tables_are_named(company, find, spoilt):
    held = company.training.arrow()
    twice = holding(company.training, pa.concat_tables([held, held.slice(0, 7)]))
    found = find(Code.LINEAGE, training=twice)
    assert found(Code.LINEAGE) == {"rows": "block"}
    (finding,) = found.audit.of(Code.LINEAGE)
    assert finding.figures["rows_twice"] == 7
    fewer = spoilt(company.tables, leads="FROM leads WHERE hash(lead_id) % 2 = 0")
    found = find(Code.LINEAGE, tables=fewer, training=company.training)
    assert found(Code.LINEAGE) == {"rows": "block", "data": "warn"}


def test_a_feature_that_was_changed_after_the_set_was_built_blocks(company, find):
    """For example a column overwritten in a notebook with a value of today."""
    held = company.training.arrow()
    changed = pa.array(held["decayed_web_visit_14d"].to_numpy() + np.float32(1e-3))
    held = held.set_column(held.column_names.index("decayed_web_visit_14d"), "decayed_web_visit_14d", changed)
    found = find(Code.REBUILT, training=holding(company.training, held))
    assert found(Code.REBUILT) == {"decayed_web_visit_14d": "block"}


def test_features_of_another_catalogue_are_named_as_not_built_again(company, find):
    found = find(Code.REBUILT, catalog=Catalog(company.playbook, list(company.few)[:5]), training=company.training)
    others = [f for f in found.audit.findings if f.severity == "note"]
    assert [f.figures["features"] for f in others] == [len(company.training.names) - 5]


@pytest.mark.parametrize("order", ["lead_id", "order of rows"])
def test_an_order_by_outcome_is_looked_at(company, find, spoilt, order):
    """Ids that customers get first; and rows that were sorted by what became of them."""
    if order == "lead_id":
        won = "lead_id IN (SELECT lead_id FROM deals WHERE outcome = 'won')"
        ids = (
            f"(SELECT lead_id, 'P' || lpad((row_number() OVER (ORDER BY {won} DESC, hash(lead_id)))::VARCHAR, 6, '0') "
            "AS id FROM leads)"
        )
        renamed = {
            t: f"SELECT x.* REPLACE (coalesce(i.id, x.lead_id) AS lead_id) FROM {t} x LEFT JOIN {ids} i USING (lead_id)"
            for t in ("leads", "touches", "deals", "stages", "changes")
        }
        renamed["leads"] = (
            f"SELECT x.* REPLACE (i.id AS lead_id, j.id AS merged_into) FROM leads x JOIN {ids} i USING (lead_id) "
            f"LEFT JOIN {ids} j ON j.lead_id = x.merged_into"
        )
        found = find(Code.ID_OR_ORDER, tables=spoilt(company.tables, **renamed))
    else:
        turn = np.argsort(~company.training.y, kind="stable")
        found = find(
            Code.ID_OR_ORDER, training=holding(company.training, company.training.arrow().take(pa.array(turn)))
        )
    assert found(Code.ID_OR_ORDER) == {order: "warn"}


def test_the_share_of_known_accounts_is_told(company, find):
    (finding,) = find(Code.SAME_ACCOUNT).audit.findings
    frame = company.training.frame.sort_values("as_of")
    dates = np.unique(company.training.as_of)
    late = frame[frame["as_of"] >= dates[int(len(dates) * 0.8)]]
    early = frame[frame["as_of"] < dates[int(len(dates) * 0.8)]]
    assert finding.severity == "note"
    assert finding.figures["share_known"] == round(late["account_id"].isin(early["account_id"]).mean(), 4)


def test_nothing_to_learn_from_is_said_by_the_room_itself(company, find):
    with pytest.raises(DataError, match="no row to learn from"):
        find(Code.LINEAGE, tables=company.tables, playbook=company.playbook.model_copy(
            update={"outcome": company.playbook.outcome.model_copy(update={"horizon": timedelta(days=5000)})}
        ))  # fmt: skip
