"""Rows to score that are not of the kind that was learned from are found; ordinary later rows are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from touchline.features import build_scoring_set
from touchline.features.audit import Code

DRIFT = (Code.ADVERSARIAL, Code.DIVERGENCE, Code.FILL_SHIFT)


@pytest.fixture(scope="module")
def scoring(company):
    moment = datetime(2025, 11, 10, tzinfo=UTC)
    return build_scoring_set(company.tables, company.playbook, moment, catalog=company.few)


def changed(scoring, name: str, change):
    held = scoring.arrow()
    return replace(scoring, held=held.set_column(held.column_names.index(name), name, change(held[name])))


def test_ordinary_later_rows_raise_no_alarm(find, scoring):
    for found in (find(*DRIFT), find(*DRIFT, scoring=scoring)):
        assert {f.severity for f in found.audit.findings} == {"ok"}
        assert {f.code for f in found.audit.findings} == set(DRIFT)


def test_a_field_that_is_not_filled_any_more_is_looked_at(find, scoring):
    emptied = changed(scoring, "size", lambda c: pa.nulls(len(c), pa.float32()))
    found = find(*DRIFT, scoring=emptied)
    assert found(Code.FILL_SHIFT) == {"size": "warn"}
    assert found(Code.ADVERSARIAL) == {"size": "warn"}


def test_a_field_in_another_unit_is_looked_at(find, scoring):
    """Employees by the thousand since the last release of the CRM."""
    rescaled = changed(scoring, "size", lambda c: pa.array(c.to_numpy() / 1000 - 1000))
    found = find(*DRIFT, scoring=rescaled)
    assert found(Code.DIVERGENCE) == {"size": "warn"}
    assert found(Code.FILL_SHIFT) == {}


def test_a_category_whose_words_changed_is_looked_at(find, scoring):
    renamed = changed(scoring, "industry", lambda c: pa.array([f"{v}!" for v in c.to_pylist()]).dictionary_encode())
    assert find(*DRIFT, scoring=renamed)(Code.DIVERGENCE) == {"industry": "warn"}


def test_another_time_of_day_is_named(company, find):
    """Days since something have fractions: at noon they are other than at midnight, as rows to learn from are."""
    noon = datetime(2025, 11, 10, 12, tzinfo=UTC)
    scoring = build_scoring_set(company.tables, company.playbook, noon, catalog=company.few)
    (finding,) = find(Code.ADVERSARIAL, scoring=scoring).audit.findings
    assert "another time of day" in finding.message


def test_the_same_seed_gives_the_same_figures(find, scoring):
    one, other = (find(Code.ADVERSARIAL, scoring=scoring).audit.to_dict() for _ in range(2))
    assert one == other
    assert one != find(Code.ADVERSARIAL, scoring=scoring, seed=5).audit.to_dict()


def test_age_and_calendar_are_left_out(company, find, scoring):
    """They differ on other dates in any case: alone they tell the two apart, and nobody is alarmed."""
    later = changed(scoring, "age", lambda c: pa.array(c.to_numpy() + np.float32(10_000)))
    found = find(*DRIFT, scoring=later)
    assert found(Code.ADVERSARIAL) == found(Code.DIVERGENCE) == {}
