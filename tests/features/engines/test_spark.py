"""The same bits from Spark: however it is cut, wherever it runs, whatever the session's settings are."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from touchline.features import DataError, FeatureSet, Tables, build_scoring_set, build_training_set
from touchline.features.engines import spark_facts
from touchline.features.engines.spark import SparkEngine

# PySpark 4.3 says so at every frame it makes; what we give it is Arrow, and pandas has no part in it.
pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")
AS_OF = datetime(2024, 9, 16, tzinfo=UTC)
LOCAL, CLUSTER = "local[2]", "local-cluster[2,1,1024]"
QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Most of the time here is Java starting up."""
HOSTILE = {
    "spark.sql.session.timeZone": "America/New_York",
    "spark.sql.timestampType": "TIMESTAMP_NTZ",
    "spark.sql.ansi.enabled": "false",
    "spark.sql.caseSensitive": "true",
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "97",
    "spark.sql.execution.arrow.useLargeVarTypes": "true",
    "spark.sql.parquet.datetimeRebaseModeInRead": "LEGACY",
    "spark.sql.legacy.timeParserPolicy": "LEGACY",
}


@pytest.fixture(scope="module")
def spark(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator:
    """A session in a zone that is not ours; on a cluster of processes if a test asks for it."""
    import pyspark
    from pyspark.sql import SparkSession

    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        pytest.skip("Spark needs Java: install a JDK, 17 or later")
    folder = tmp_path_factory.mktemp("spark")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYSPARK_PYTHON", sys.executable)
        environment.setenv("SPARK_HOME", str(Path(pyspark.__file__).parent))
        environment.setenv("SPARK_LOCAL_IP", "127.0.0.1")
        builder = SparkSession.builder.master(getattr(request, "param", LOCAL)).appName("touchline-tests")
        for name, value in {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
            "spark.local.dir": str(folder),
            "spark.sql.warehouse.dir": str(folder / "warehouse"),
            "spark.sql.session.timeZone": "America/New_York",
            "spark.driver.extraJavaOptions": QUICK,
            "spark.executor.extraJavaOptions": QUICK,
        }.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        yield session
        left = Path(pyspark.__file__).parent / "work" / session.sparkContext.applicationId
        session.stop()
        shutil.rmtree(left, ignore_errors=True)  # executors of a local cluster log there


def training(given, engine: SparkEngine, **more) -> FeatureSet:
    return build_training_set(given.tables, given.playbook, catalog=given.catalog, engine=engine, **more)


@pytest.mark.parametrize("partitions", [1, 3, 7])
def test_partitions_change_nothing(spark, given, bits, partitions):
    made = training(given, SparkEngine(spark, partitions=partitions))
    assert made.arrow().schema == given.local.arrow().schema
    assert bits(made.arrow()) == bits(given.local.arrow())
    assert made.digest == given.local.digest
    assert made.features.equals(given.local.features)


def test_settings_change_nothing_and_are_left_as_they_were(spark, given, bits, monkeypatch):
    monkeypatch.setattr(spark_facts, "_BROADCAST", -1)
    before = {name: spark.conf.get(name) for name in HOSTILE}
    try:
        for name, value in HOSTILE.items():
            spark.conf.set(name, value)
        settings = dict(spark.conf.getAll)
        made = training(given, SparkEngine(spark, partitions=2))
        assert dict(spark.conf.getAll) == settings
        assert not spark.catalog.listTables()
    finally:
        for name, value in before.items():
            spark.conf.set(name, value)
    assert bits(made.arrow()) == bits(given.local.arrow())


def test_a_scoring_set_is_the_same(spark, given, bits):
    local = build_scoring_set(given.tables, given.playbook, AS_OF, catalog=given.catalog)
    made = build_scoring_set(given.tables, given.playbook, AS_OF, catalog=given.catalog, engine=SparkEngine(spark))
    assert bits(made.arrow()) == bits(local.arrow())


def test_a_job_that_was_stopped_goes_on_where_it_stopped(spark, given, bits, tmp_path):
    """Rows are fetched part by part, in order; parts that are there are not computed again."""
    engine = SparkEngine(spark, memory=given.local.arrow().nbytes, partitions=2)
    steps: list[str] = []

    def stop_at_the_second(step: str) -> None:
        if "part 2" in step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        training(given, engine, out=tmp_path / "set", progress=stop_at_the_second)
    training(given, engine, out=tmp_path / "set", progress=steps.append)
    assert [s for s in steps if "computing" in s] == ["computing part 2 of 2 on Spark"]
    assert bits(FeatureSet.open(tmp_path / "set").arrow()) == bits(given.local.arrow())


def test_a_frame_stays_in_spark_and_holds_the_same(spark, given, bits):
    asked = (given.tables, given.playbook)
    made = SparkEngine(spark).frame(build_training_set, *asked, catalog=given.catalog)
    assert made.manifest["digest"] == given.local.digest
    local = given.local.arrow()
    collected = made.frame.toArrow().sort_by([("lead_id", "ascending"), ("as_of", "ascending")])
    expected = local.sort_by([("lead_id", "ascending"), ("as_of", "ascending")])
    for i, field in enumerate(expected.schema):
        if pa.types.is_dictionary(field.type):
            expected = expected.set_column(i, field.name, pc.cast(expected[field.name], pa.string()))
    assert bits(collected) == bits(expected)


def test_a_frame_takes_no_place_to_write_to(spark, given):
    with pytest.raises(TypeError, match=r"write it with `\.frame\.write`"):
        SparkEngine(spark).frame(build_training_set, given.tables, given.playbook, out="set")


def test_rows_of_ones_own_are_the_same_and_spark_may_find_the_tables_elsewhere(spark, given, bits, tmp_path):
    """Rows from before their lead was known included."""
    shutil.copytree(given.tables.folder, tmp_path / "elsewhere")
    engine = SparkEngine(spark, tables_at=(tmp_path / "elsewhere").as_uri())
    leads = given.tables.arrow("leads")
    as_of = pc.add(leads["created_at"], pa.scalar(30 * 86_400_000_000, pa.duration("us")))
    rows = pa.table({"lead_id": leads["lead_id"], "as_of": as_of})
    local = build_training_set(given.tables, given.playbook, catalog=given.catalog, rows=rows)
    assert bits(training(given, engine, rows=rows).arrow()) == bits(local.arrow())


@pytest.mark.parametrize("when", ["drawing snapshots", "on Spark"])
def test_tables_that_spark_cannot_read_are_said_so(spark, given, tmp_path, when):
    copied = shutil.copytree(given.tables.folder, tmp_path / "tables")
    tables = Tables.open(copied)
    there = tmp_path / "there"
    shutil.copytree(copied, there)

    def lose(step: str) -> None:
        if when in step:
            shutil.rmtree(there)

    engine = SparkEngine(spark, tables_at=there.as_uri())
    with pytest.raises(DataError, match=r"executors: cannot read the tables in .*put them where all machines"):
        build_training_set(tables, given.playbook, engine=engine, progress=lose)


def test_without_pyspark_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark.sql.functions", None)
    with pytest.raises(ImportError, match=r'pip install "touchline\[spark\]"'):
        SparkEngine(None)


@pytest.mark.parametrize("spark", [CLUSTER], indirect=True)
def test_executors_of_their_own_give_the_same(spark, given, bits):
    assert bits(training(given, SparkEngine(spark, partitions=5)).arrow()) == bits(given.local.arrow())
