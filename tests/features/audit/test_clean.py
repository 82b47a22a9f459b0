"""Where there is no leak, no alarm is raised: whole audits of companies that have late facts, merges and scanners."""

from __future__ import annotations

from datetime import timedelta

import pytest

from touchline.features import build_scoring_set, build_training_set
from touchline.features.audit import Code, audit
from touchline.features.snapshots.grid import as_of_dates
from touchline.playbook import starter_playbook

PROOFS = {Code.FUTURE_POISON, Code.TRUNCATION, Code.DEAD_PIPELINE, Code.REBUILT}


@pytest.mark.parametrize(("leads", "seed"), [(1_500, 21), (2_000, 22), (3_000, 23)])
def test_a_clean_company_raises_no_alarm(make, tmp_path, leads, seed):
    _, tables = make(tmp_path, leads=leads, seed=seed)
    playbook = starter_playbook()
    training = build_training_set(tables, playbook)
    latest = as_of_dates(training.as_of.max(), training.as_of.max() + timedelta(days=80), "week")[-1]
    scoring = build_scoring_set(tables, playbook, latest)
    only = set(Code) - (PROOFS if leads > 1_500 else set())
    result = audit(tables, playbook, training=training, scoring=scoring, only=only, sample_leads=300)
    assert not result.worse_than("note"), result.worse_than("note")
    assert not result.blocked
    assert {f.code for f in result.findings} == only
