"""The best Spark SQL we know of: cut time wherever any window of any as-of date begins or ends.

As in `duckdb_tiles`, all touches between two neighbouring cuts are in the same windows, so that they are added up once,
in a tile, and rows are joined with tiles instead of touches. Exact for as-of dates that many rows share, and at
midnight. Channels travel as numbers, beside their times: text would have Spark aggregate by sorting.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession

from benchmarks.features.feature_set import CHANNELS, DAY, HALF_LIFE, KINDS, WINDOWS, Feature
from benchmarks.features.peers import Task, run
from benchmarks.features.peers.spark_session import begin, note_peak

_CHANNELS = f"array({', '.join(map(repr, CHANNELS))})"
_ROOM = len(CHANNELS) + 1
_PLACED = f"us * {_ROOM} + array_position({_CHANNELS}, channel)"
"""A touch's time and channel as one number, in order of time."""
_DECAY = float(HALF_LIFE * DAY)
_AGES = f"explode(array(0, {', '.join(map(str, WINDOWS))}))"
_SPANS = f"""
    WITH dates AS (SELECT DISTINCT as_of div {DAY} AS day FROM rows),
    cuts AS (SELECT DISTINCT day - w AS cut FROM dates, LATERAL {_AGES} AS (w)),
    days AS (SELECT explode(sequence((SELECT min(us) div {DAY} FROM touches), (SELECT max(day) - 1 FROM dates))) AS day)
    SELECT day, coalesce(max(cut) FILTER (WHERE cut <= day), 0) * {DAY} AS begins,
        min(cut) FILTER (WHERE cut > day) * {DAY} AS ends
    FROM days CROSS JOIN cuts GROUP BY day
"""
"""For each day of touches the tile it is in; touches after the last as-of date are in none."""
_TOUCHES = f"(SELECT /*+ BROADCAST(spans) */ t.*, begins, ends FROM touches t JOIN spans ON day = us div {DAY})"


def of_tile() -> str:
    """What is added up in a tile. Decayed sums are kept as of its end."""
    columns = ["sum(value) AS value", f"min({_PLACED}) AS first", f"max({_PLACED}) AS last"]
    for kind in KINDS:
        these = f"FILTER (WHERE kind = '{kind}')"
        columns.append(f"count(*) {these} AS count_{kind}")
        columns.append(f"max(us) {these} AS last_{kind}")
        columns.append(f"coalesce(sum(pow(0.5D, (ends - us) / {_DECAY}D)) {these}, 0) AS decayed_{kind}")
    return ", ".join(columns)


def of_row(feature: Feature) -> str:
    """SQL for a feature over the tiles before a row; `age` is that of a tile's begin."""
    kinds = [feature.kind] if feature.kind else KINDS
    recent = f"FILTER (WHERE {within(feature.days)})"
    return {
        "count": f"coalesce(sum({' + '.join(f'count_{k}' for k in kinds)}) {recent}, 0)",
        "sum": f"coalesce(sum(value) {recent}, 0)",
        "since_last": f"(as_of - max(last_{feature.kind})) / {float(DAY)}D",
        "decayed": f"sum(({' + '.join(f'decayed_{k}' for k in kinds)}) * fading)",
        "first": f"element_at({_CHANNELS}, int(min(first) % {_ROOM}))",
        "last": f"element_at({_CHANNELS}, int(max(last) % {_ROOM}))",
    }[feature.what]


def within(days: int, age: str = "age") -> str:
    """Whether an age in microseconds is within a window."""
    return f"{age} <= {days * DAY}"


def read(session: SparkSession, task: Task) -> None:
    """Views of touches and rows, whose times are in microseconds, and of spans."""
    views = {
        "touches": f"SELECT lead_id, account_id, unix_micros(occurred_at) AS us, kind, channel, campaign, value "
        f"FROM parquet.`{task.touches}`",
        "rows": f"SELECT lead_id, account_id, unix_micros(as_of) AS as_of FROM parquet.`{task.rows}`",
        "spans": _SPANS,
    }
    for name, query in views.items():
        session.sql(query).createOrReplaceTempView(name)
    session.table("spans").cache()


def combined(session: SparkSession, task: Task) -> DataFrame:
    """The tiles before each row; of campaigns and accounts what is counted apart."""
    (different,) = (f for f in task.features if f.what == "distinct")
    (of_account,) = (f for f in task.features if f.what == "account_count")
    columns = ", ".join(f"{of_row(f)} AS {f.name}" for f in task.features if f not in (different, of_account))
    return session.sql(f"""
        WITH tiles AS (SELECT lead_id, begins, ends, {of_tile()} FROM {_TOUCHES} GROUP BY lead_id, begins, ends),
        campaigns AS (SELECT DISTINCT lead_id, begins, ends, campaign FROM {_TOUCHES}),
        accounts AS (
            SELECT account_id, begins, ends, count(*) AS touches FROM {_TOUCHES} GROUP BY account_id, begins, ends
        ),
        pairs AS (
            SELECT r.as_of, r.as_of - t.begins AS age, pow(0.5D, (r.as_of - t.ends) / {_DECAY}D) AS fading, t.*
            FROM rows r JOIN tiles t ON t.lead_id = r.lead_id AND t.ends <= r.as_of
        ),
        leads AS (SELECT lead_id, as_of, {columns} FROM pairs GROUP BY lead_id, as_of),
        many AS (
            SELECT r.lead_id, r.as_of, count(DISTINCT c.campaign) AS {different.name}
            FROM rows r JOIN campaigns c ON c.lead_id = r.lead_id AND c.ends <= r.as_of
            AND {within(different.days, "r.as_of - c.begins")} GROUP BY r.lead_id, r.as_of
        ),
        people AS (
            SELECT r.account_id, r.as_of, sum(a.touches) AS {of_account.name}
            FROM (SELECT DISTINCT account_id, as_of FROM rows) r JOIN accounts a ON a.account_id = r.account_id
            AND a.ends <= r.as_of AND {within(of_account.days, "r.as_of - a.begins")} GROUP BY r.account_id, r.as_of
        )
        SELECT r.lead_id, timestamp_micros(r.as_of) AS as_of, l.* EXCEPT (lead_id, as_of),
            coalesce(m.{different.name}, 0) AS {different.name}, coalesce(p.{of_account.name}, 0) AS {of_account.name}
        FROM rows r LEFT JOIN leads l ON l.lead_id = r.lead_id AND l.as_of = r.as_of
        LEFT JOIN many m ON m.lead_id = r.lead_id AND m.as_of = r.as_of
        LEFT JOIN people p ON p.account_id = r.account_id AND p.as_of = r.as_of
    """)


def cut_and_combine(task: Task) -> None:
    """Lay tiles, and combine those before each row."""
    session = begin(task)
    read(session, task)
    combined(session, task).write.parquet(str(task.result))
    note_peak(task)


if __name__ == "__main__":
    run(cut_and_combine)
