"""Building on disk: killed and resumed, held by another job, pointed at the wrong place, given what cannot be."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from touchline.features import (
    BusyError,
    Catalog,
    CatalogError,
    DataError,
    FeatureSet,
    LocalEngine,
    Tables,
    TrainingSet,
    build_scoring_set,
    build_training_set,
    check_tables,
)
from touchline.features.catalog import Account, Count, DaysSince, Decayed, Distinct, Sum
from touchline.features.sources.simulated import simulate
from touchline.features.tables.publish import locked
from touchline.playbook import Playbook, parse_playbook, starter_playbook, starter_text

START = datetime(2024, 1, 1, tzinfo=UTC)
LEAD = {"lead_id": "L", "created_at": START}
TOUCH = {"lead_id": "L", "occurred_at": START + timedelta(days=3), "kind": "webinar"}


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company")
    simulate(folder / "data", leads=600, seed=2)
    check_tables(starter_playbook(), folder / "data", out=folder / "tables")
    return folder / "tables"


KILLED = """
import os, signal, sys
from touchline.features import LocalEngine, build_training_set
from touchline.features.training import store
from touchline.playbook import starter_playbook

write = store.Store.write
def write_and_die(self, part, rows):
    write(self, part, rows)
    if part == 2:
        os.kill(os.getpid(), signal.SIGKILL)
store.Store.write = write_and_die
build_training_set(sys.argv[1], starter_playbook(), out=sys.argv[2], engine=LocalEngine(partitions=6))
"""


def test_a_killed_job_goes_on_where_it_stopped(simulated, tmp_path):
    out = tmp_path / "set"
    process = subprocess.run([sys.executable, "-c", KILLED, str(simulated), str(out)], check=False)
    assert process.returncode == -signal.SIGKILL
    assert not out.exists()
    half = tmp_path / ".set.building"
    before = {file.name: file.stat().st_ino for file in half.glob("part-*")}
    assert set(before) == {"part-00000.parquet", "part-00001.parquet", "part-00002.parquet"}
    resumed = build_training_set(simulated, starter_playbook(), out=out, engine=LocalEngine(partitions=6))
    after = {file.name: file.stat().st_ino for file in out.glob("part-*")}
    assert len(after) == 6
    assert before.items() <= after.items()
    assert [file.name for file in tmp_path.iterdir()] == ["set"]
    whole = build_training_set(simulated, starter_playbook(), engine=LocalEngine(partitions=6))
    pd.testing.assert_frame_equal(resumed.frame, whole.frame)


def test_another_recipe_starts_anew(simulated, tmp_path):
    subprocess.run([sys.executable, "-c", KILLED, str(simulated), str(tmp_path / "set")], check=False)
    playbook = starter_playbook()
    other = Catalog(playbook, [Count(7)])
    made = build_training_set(
        simulated, playbook, catalog=other, out=tmp_path / "set", engine=LocalEngine(partitions=6)
    )
    assert made.names == ["count_any_7d"]
    assert made.arrow().num_rows == len(made)


def test_a_stopped_command_leaves_the_old_set_and_can_be_run_again(simulated, tmp_path):
    playbook = tmp_path / "playbook.toml"
    program = "from touchline.pipelines.cli import main; main()"
    subprocess.run([sys.executable, "-c", program, "playbook", "new", str(playbook)], check=True, capture_output=True)
    command = [
        sys.executable,
        "-c",
        program,
        "build",
        "-p",
        playbook,
        "-t",
        simulated,
        "-o",
        tmp_path / "set",
        "--json",
    ]
    first = subprocess.run(command, check=True, capture_output=True, text=True)
    digest = json.loads(first.stdout)["digest"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not (tmp_path / ".set.scratch").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode in (143, 0)
    assert FeatureSet.open(tmp_path / "set").digest == digest
    assert json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)["digest"] == digest


def test_two_jobs_do_not_write_to_one_place(simulated, tmp_path):
    with locked(tmp_path / "set"), pytest.raises(BusyError, match="another job"):
        build_training_set(simulated, starter_playbook(), out=tmp_path / "set")


def test_what_is_not_a_set_is_left_alone(simulated, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    for place in (tmp_path / "mine", simulated):
        with pytest.raises(DataError, match="holds something else"):
            build_training_set(simulated, starter_playbook(), out=place)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_set_opens_as_it_was_built(simulated, tmp_path):
    made = build_training_set(simulated, starter_playbook(), out=tmp_path / "set")
    opened = FeatureSet.open(tmp_path / "set")
    assert isinstance(opened, TrainingSet)
    assert len(opened.y) == len(opened.weights) == len(opened.groups) == len(opened.as_of) == len(opened.X) == len(made)
    assert opened.y.mean() == pytest.approx(opened.base_rate)
    assert list(opened.X.columns) == opened.names == list(opened.features["name"])
    assert opened.X["stage"].dtype == "category"
    assert opened.lineage["data"] == Tables.open(simulated).digest
    with pytest.raises(DataError, match="holds no feature set"):
        FeatureSet.open(tmp_path)


def test_a_set_shows_what_one_asks_first(simulated):
    made = build_training_set(simulated, starter_playbook())
    shown = made._repr_html_()
    for word in (f"{len(made):,} of", "immature", "Base rate by as_of", "Buying group", "days after as_of"):
        assert word in shown
    assert "<script" not in shown


def test_one_lead_with_a_million_touches(playbook: Playbook, write):
    rng = np.random.default_rng(1)
    seconds = np.sort(rng.integers(0, 300 * 86_400, 1_000_000))
    many = len(seconds)
    times = pa.array(seconds * 1_000_000 + int(START.timestamp()) * 1_000_000, pa.timestamp("us", "UTC"))
    touches = pa.table({
        "lead_id": pa.repeat("L", many), "occurred_at": times, "known_at": times, "kind": pa.repeat("web_visit", many),
        "direction": pa.repeat("inbound", many), "machine": pa.repeat(False, many),
    })  # fmt: skip
    tables = write(leads=[LEAD, {"lead_id": "M", "created_at": START}], touches=touches)
    as_of = START + timedelta(days=200)
    catalog = Catalog(playbook, [Count(30), DaysSince(), Distinct(91, of="day"), Account(Count(None)), Decayed()])
    row = build_scoring_set(tables, playbook, as_of, catalog=catalog, leads=["L", "M"]).frame.set_index("lead_id")
    ages = 200 * 86_400 - seconds[seconds < 200 * 86_400]
    assert row.loc["L", "count_any_30d"] == (ages <= 30 * 86_400).sum()
    assert row.loc["L", "days_since_any"] == pytest.approx(ages.min() / 86_400)
    assert row.loc["L", "distinct_day_91d"] == 91
    assert row.loc["L", "account_count_any_ever"] == len(ages)
    assert row.loc["L", "decayed_any_14d"] == pytest.approx((0.5 ** (ages / 86_400 / 14)).sum(), rel=1e-6)
    assert row.loc["M", ["count_any_30d", "account_count_any_ever"]].tolist() == [0, 0]


def test_as_of_before_any_data_sees_nothing(playbook: Playbook, write):
    tables = write(leads=[LEAD], touches=[TOUCH])
    early = START - timedelta(days=400)
    frame = build_scoring_set(tables, playbook, early, catalog=Catalog.default(playbook), leads=["L"]).frame
    assert frame["count_webinar_364d"].tolist() == [0]
    assert frame["days_since_webinar"].isna().all()
    with pytest.raises(DataError, match="no lead to score"):
        build_scoring_set(tables, playbook, early)


def test_a_horizon_longer_than_the_data_is_said(playbook: Playbook, write):
    tables = write(until=START + timedelta(days=60), leads=[LEAD], touches=[TOUCH])
    with pytest.raises(DataError, match=r"the last as_of is 2023-12-01.*shorten `horizon`"):
        build_training_set(tables, playbook)


def test_no_touch_at_all_is_said(playbook: Playbook, write):
    with pytest.raises(DataError, match="no row to learn from"):
        build_training_set(write(leads=[LEAD]), playbook)


GIVEN = pd.DataFrame({"lead_id": ["L"], "as_of": [pd.Timestamp("2024-02-01", tz="UTC")]})


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (GIVEN.drop(columns="as_of"), "no column as_of"),
        (GIVEN.assign(lead_id="stranger"), "leads that do not exist, in 1 rows"),
        (GIVEN.assign(as_of=pd.Timestamp("2024-02-01")), "give instants with a zone"),
        (GIVEN.assign(lead_id=None), "1 rows without lead_id"),
        (pd.concat([GIVEN, GIVEN]), "1 rows twice"),
    ],
    ids=["no as_of", "strangers", "no zone", "no lead", "twice"],
)
def test_rows_of_ones_own_are_checked(playbook: Playbook, write, rows, said):
    with pytest.raises(DataError, match=said) as error:
        build_training_set(write(leads=[LEAD], touches=[TOUCH]), playbook, rows=rows)
    assert "stranger" not in str(error.value)


def test_rows_of_ones_own_may_be_dates(playbook: Playbook, write):
    tables = write(leads=[LEAD], touches=[TOUCH])
    rows = pd.DataFrame({"lead_id": ["L"], "as_of": [date(2024, 2, 1)]})
    made = build_training_set(tables, playbook, rows=rows, catalog=Catalog(playbook, [Count(30)]))
    assert made.frame["as_of"].tolist() == [pd.Timestamp("2024-02-01", tz="UTC")]
    assert made.frame["count_any_30d"].tolist() == [1]


def test_rows_of_many_instants_are_counted_by_month(playbook: Playbook, write):
    tables = write(leads=[LEAD], touches=[TOUCH])
    as_of = pd.date_range("2024-02-01", periods=1_500, freq="h", tz="UTC")
    rows = pd.DataFrame({"lead_id": "L", "as_of": as_of})
    made = build_training_set(tables, playbook, rows=rows, catalog=Catalog(playbook, [Count(30)]))
    assert [(c["as_of"][:10], c["not_won"]) for c in made.manifest["counts"]] == [
        ("2024-02-01", 29 * 24), ("2024-03-01", 31 * 24), ("2024-04-01", 1_500 - 60 * 24),
    ]  # fmt: skip


def test_a_naive_as_of_is_refused(playbook: Playbook, write):
    with pytest.raises(DataError, match="has no time zone"):
        build_scoring_set(write(leads=[LEAD], touches=[TOUCH]), playbook, datetime(2024, 2, 1))


def test_tables_of_another_playbook_are_refused(write):
    strange = write(leads=[LEAD], touches=[TOUCH | {"kind": "carrier_pigeon"}])
    with pytest.raises(DataError, match="does not know carrier_pigeon"):
        build_scoring_set(strange, starter_playbook(), START + timedelta(days=9), leads=["L"])


def test_values_too_large_to_be_summed_are_refused(playbook: Playbook, write):
    tables = write(leads=[LEAD], touches=[TOUCH | {"value": 1e13}])
    with pytest.raises(DataError, match="in a larger unit"):
        build_scoring_set(tables, playbook, START + timedelta(days=9), leads=["L"], catalog=Catalog(playbook, [Sum(7)]))


def test_an_attribute_that_was_not_read_is_said(write):
    known = 'type = "boolean"\nknown = "{}"'.format
    assert known("never") in starter_text()
    playbook = parse_playbook(starter_text().replace(known("never"), known("creation")))
    with pytest.raises(DataError, match="has no attribute phone_filled"):
        build_scoring_set(write(leads=[LEAD], touches=[TOUCH]), playbook, START + timedelta(days=9), leads=["L"])


@pytest.mark.parametrize(
    ("feature", "said"),
    [
        (lambda: Count(7, kind="webnar"), "did you mean 'webinar'"),
        (lambda: Count(0), "must be more than 0"),
        (lambda: Decayed(half_life=-1), "must be more than 0"),
        (lambda: Distinct(None, of="day"), "give a number"),
        (lambda: Account(Account(Count(7))), "takes one feature of touches"),
        (lambda: Count(7, name="won"), "cannot be a feature's name"),
        (lambda: Count(7, name="count any"), "cannot be a feature's name"),
        (lambda: "count_any_7d", "not str"),
    ],
)
def test_features_that_cannot_be_are_refused(feature, said):
    with pytest.raises(CatalogError, match=said):
        Catalog(starter_playbook(), [feature()])


def test_catalogues_are_added_to_dropped_from_and_grouped():
    catalog = Catalog.default(starter_playbook())
    assert 100 <= len(catalog) <= 200
    assert catalog.add(Count(14)).names == [*catalog.names, "count_any_14d"]
    assert catalog.add(*catalog).names == catalog.names
    assert not any(name.endswith("_7d") for name in catalog.drop("*_7d").names)
    assert catalog.keep("age").names == ["age"]
    grouped = catalog.group("late", "count_webinar_*", "age")
    assert {f.name for f in grouped if f.family == "late"} >= {"age", "count_webinar_7d"}
    assert grouped.digest != catalog.digest
    assert Catalog.default(starter_playbook()).digest == catalog.digest
    with pytest.raises(CatalogError, match="two different features"):
        Catalog(starter_playbook(), [Count(7, name="same"), Count(8, name="same")])
    with pytest.raises(CatalogError, match="no feature is called"):
        catalog.drop("nothing_like_it")


def test_every_feature_has_words_in_every_language():
    catalog = Catalog.default(starter_playbook())
    table = catalog.table()
    assert table["name"].is_unique
    for language in ("en", "fr"):
        assert table[language].is_unique
        assert not table[language].str.contains("{").any()
    assert (table["en"] != table["fr"]).mean() > 0.95
