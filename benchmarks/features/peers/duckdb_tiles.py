"""The best SQL we know of: cut time wherever any window of any as-of date begins or ends.

All touches between two neighbouring cuts are in the same windows, so that they are added up once, in a tile, and rows
are joined with tiles instead of touches. Exact for as-of dates that many rows share, and at midnight.
"""

from __future__ import annotations

import duckdb

from benchmarks.features.feature_set import DAY, HALF_LIFE, KINDS, WINDOWS, Feature
from benchmarks.features.peers import Task, run
from benchmarks.features.peers.duckdb_views import connect, within, write

_SPANS = f"""
    CREATE TEMP TABLE spans AS
    WITH cuts AS (
        SELECT DISTINCT as_of // {DAY} - unnest({[0, *WINDOWS]}) AS cut FROM (SELECT DISTINCT as_of FROM rows)
    )
    SELECT day, coalesce(max(cut) FILTER (WHERE cut <= day), 0) * {DAY} AS begins,
        min(cut) FILTER (WHERE cut > day) * {DAY} AS ends
    FROM range((SELECT min(us) // {DAY} FROM touches), (SELECT max(as_of) // {DAY} FROM rows)) r(day), cuts
    GROUP BY day
"""
"""For each day of touches the tile it is in; touches after the last as-of date are in none."""
_TOUCHES = f"(SELECT t.*, begins, ends FROM touches t JOIN spans ON day = us // {DAY})"
_DECAY = float(HALF_LIFE * DAY)


def of_tile() -> str:
    """What is added up in a tile. Decayed sums are kept as of its end."""
    columns = ["sum(value) AS value", "min(us) AS first_us", "max(us) AS last_us"]
    columns += ["arg_min(channel, us) AS first_channel", "arg_max(channel, us) AS last_channel"]
    for kind in KINDS:
        these = f"FILTER (WHERE kind = '{kind}')"
        columns.append(f"count(*) {these} AS count_{kind}")
        columns.append(f"max(us) {these} AS last_{kind}")
        columns.append(f"coalesce(sum(pow(0.5, (ends - us) / {_DECAY})) {these}, 0) AS decayed_{kind}")
    return ", ".join(columns)


def of_row(feature: Feature) -> str:
    """SQL for a feature over the tiles before a row; `age` is that of a tile's begin."""
    kinds = [feature.kind] if feature.kind else KINDS
    recent = f"FILTER (WHERE {within(feature.days)})"
    return {
        "count": f"coalesce(sum({' + '.join(f'count_{k}' for k in kinds)}) {recent}, 0)::BIGINT",
        "sum": f"coalesce(sum(value) {recent}, 0)",
        "since_last": f"(as_of - max(last_{feature.kind})) / {float(DAY)}",
        "decayed": f"sum(({' + '.join(f'decayed_{k}' for k in kinds)}) * fading)",
        "first": f"arg_min(first_{feature.of}, first_us)",
        "last": f"arg_max(last_{feature.of}, last_us)",
    }[feature.what]


def lay_tiles(con: duckdb.DuckDBPyConnection) -> None:
    """Create the tiles, and of campaigns and accounts what is counted apart."""
    con.execute(_SPANS)
    con.execute(f"CREATE TEMP TABLE tiles AS SELECT lead_id, begins, ends, {of_tile()} FROM {_TOUCHES} GROUP BY ALL")
    con.execute(f"CREATE TEMP TABLE campaigns AS SELECT DISTINCT lead_id, begins, ends, campaign FROM {_TOUCHES}")
    con.execute(
        "CREATE TEMP TABLE accounts AS SELECT account_id, begins, ends, count(*) AS touches "
        f"FROM {_TOUCHES} GROUP BY ALL"
    )


def cut_and_combine(task: Task) -> None:
    """Lay tiles, and combine those before each row."""
    (different,) = (f for f in task.features if f.what == "distinct")
    (of_account,) = (f for f in task.features if f.what == "account_count")
    rest = [f for f in task.features if f not in (different, of_account)]
    columns = ", ".join(f"{of_row(f)} AS {f.name}" for f in rest)
    with connect(task) as con:
        lay_tiles(con)
        query = f"""
            WITH pairs AS (
                SELECT r.as_of, r.as_of - t.begins AS age, pow(0.5, (r.as_of - t.ends) / {_DECAY}) AS fading, t.*
                FROM rows r JOIN tiles t ON t.lead_id = r.lead_id AND t.ends <= r.as_of
            ),
            leads AS (SELECT lead_id, as_of, {columns} FROM pairs GROUP BY lead_id, as_of),
            many AS (
                SELECT r.lead_id, r.as_of, count(DISTINCT c.campaign) AS {different.name}
                FROM rows r JOIN campaigns c ON c.lead_id = r.lead_id AND c.ends <= r.as_of
                AND {within(different.days, "r.as_of - c.begins")} GROUP BY ALL
            ),
            people AS (
                SELECT r.account_id, r.as_of, sum(a.touches)::BIGINT AS {of_account.name}
                FROM (SELECT DISTINCT account_id, as_of FROM rows) r JOIN accounts a ON a.account_id = r.account_id
                AND a.ends <= r.as_of AND {within(of_account.days, "r.as_of - a.begins")} GROUP BY ALL
            )
            SELECT r.lead_id, r.as_of, l.* EXCLUDE (lead_id, as_of),
                coalesce(m.{different.name}, 0) AS {different.name},
                coalesce(p.{of_account.name}, 0) AS {of_account.name}
            FROM rows r LEFT JOIN leads l ON l.lead_id = r.lead_id AND l.as_of = r.as_of
            LEFT JOIN many m ON m.lead_id = r.lead_id AND m.as_of = r.as_of
            LEFT JOIN people p ON p.account_id = r.account_id AND p.as_of = r.as_of
        """
        write(con, task, query)


if __name__ == "__main__":
    run(cut_and_combine)
