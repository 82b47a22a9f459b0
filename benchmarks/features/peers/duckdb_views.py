"""What the peers in SQL share: a connection with views of whole numbers and names, and how results are written."""

from __future__ import annotations

import duckdb

from benchmarks.features.feature_set import DAY, Feature
from benchmarks.features.peers.task import Task


def connect(task: Task) -> duckdb.DuckDBPyConnection:
    """A connection with DuckDB's own limits, and views `touches` and `rows` whose times are in microseconds."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'; SET preserve_insertion_order = false; SET enable_progress_bar = false")
    con.execute(f"SET temp_directory = '{task.result}.spill'")
    con.execute(
        "CREATE VIEW touches AS SELECT lead_id, account_id, epoch_us(occurred_at) AS us, kind, channel, campaign, "
        f"value FROM read_parquet('{task.touches}')"
    )
    con.execute(
        f"CREATE VIEW rows AS SELECT lead_id, account_id, epoch_us(as_of) AS as_of FROM read_parquet('{task.rows}')"
    )
    return con


def only(feature: Feature, *conditions: str) -> str:
    """A FILTER clause for a feature's kind and further conditions; nothing if there are none."""
    asked = [f"kind = '{feature.kind}'"] * bool(feature.kind) + list(conditions)
    return f" FILTER (WHERE {' AND '.join(asked)})" if asked else ""


def within(days: int, age: str = "age") -> str:
    """Whether an age in microseconds is within a window."""
    return f"{age} <= {days * DAY}"


def write(con: duckdb.DuckDBPyConnection, task: Task, query: str) -> None:
    """Write a query's result, whose as_of is in microseconds."""
    con.execute(f"COPY (SELECT * REPLACE (make_timestamp(as_of) AS as_of) FROM ({query})) TO '{task.result}'")
