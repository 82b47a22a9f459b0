"""The real event log: every event has one place, and the outcome never leaks into the touches."""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path

import pytest

from touchline.features import Tables, check_tables
from touchline.playbook import load_playbook

EXAMPLE = Path(__file__).parents[2] / "examples" / "bpi2012" / "playbook.toml"
OUTCOME = {"A_APPROVED", "A_REGISTERED", "A_ACTIVATED", "O_ACCEPTED", "A_DECLINED", "A_CANCELLED", "O_DECLINED"}


def test_the_example_playbook_is_good():
    assert load_playbook(EXAMPLE).outcome.horizon.days == 30


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    return tmp_path_factory.mktemp("bpi2012") / "tables"


def test_every_event_is_accounted_for(real_data, out):
    data = real_data("bpi2012")
    result = check_tables(load_playbook(EXAMPLE), data, out=out)
    assert result.ok
    assert not result.reasons
    assert result.table("leads").rows == 13_087
    assert result.deals == {"won": 2_246, "lost": 10_442, "open": 0}
    log = next(s for s in result.sources if s.path == "events.csv.gz")
    assert log.adds_up
    assert log.used_twice == 0

    # The oracle reads the file line by line and knows nothing of playbooks.
    with gzip.open(data / "events.csv.gz", "rt", encoding="utf-8") as file:
        activities = Counter(row["activity"] for row in csv.DictReader(file))
    outcomes = sum(n for activity, n in activities.items() if activity in OUTCOME)
    stages = sum(n for activity, n in activities.items() if activity.startswith("A_") and activity not in OUTCOME)
    touches = sum(activities.values()) - outcomes - stages
    assert log.read == sum(activities.values()) == 262_200
    assert log.kept == {"stages": stages, "outcomes": outcomes, "touches": touches}

    tables = Tables.open(out)
    assert tables.rows("touches") == touches
    assert tables.rows("stages") == stages
