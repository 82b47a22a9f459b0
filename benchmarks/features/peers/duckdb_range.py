"""The query anybody would write first: join every row with all touches before it, then aggregate with filters."""

from __future__ import annotations

from benchmarks.features.feature_set import DAY, HALF_LIFE, Feature
from benchmarks.features.peers import Task, run
from benchmarks.features.peers.duckdb_views import connect, only, within, write


def aggregate(feature: Feature) -> str:
    """SQL for a feature over the pairs of rows and touches; `age` is in microseconds."""
    recent = within(feature.days)
    return {
        "count": f"count(*){only(feature, recent)}",
        "sum": f"coalesce(sum(value){only(feature, recent)}, 0)",
        "since_last": f"min(age){only(feature)} / {float(DAY)}",
        "decayed": f"coalesce(sum(weight){only(feature)}, 0)",
        "distinct": f"count(DISTINCT {feature.of}){only(feature, recent)}",
        "first": f"arg_max({feature.of}, age)",
        "last": f"arg_min({feature.of}, age)",
    }[feature.what]


def join_and_aggregate(task: Task) -> None:
    """Compute all in one query; the account's touches are joined by themselves."""
    (of_account,) = (f for f in task.features if f.what == "account_count")
    of_lead = [f for f in task.features if f is not of_account]
    columns = ", ".join(f"{aggregate(f)} AS {f.name}" for f in of_lead)
    with connect(task) as con:
        query = f"""
            WITH pairs AS (
                SELECT r.lead_id, r.as_of, r.as_of - t.us AS age, t.kind, t.channel, t.campaign, t.value,
                    pow(0.5, (r.as_of - t.us) / {float(HALF_LIFE * DAY)}) AS weight
                FROM rows r JOIN touches t ON t.lead_id = r.lead_id AND t.us < r.as_of
            ),
            leads AS (SELECT lead_id, as_of, {columns} FROM pairs GROUP BY lead_id, as_of),
            accounts AS (
                SELECT account_id, as_of, count(*) AS {of_account.name}
                FROM (SELECT DISTINCT account_id, as_of FROM rows) r JOIN touches t USING (account_id)
                WHERE t.us < r.as_of AND {within(of_account.days, "r.as_of - t.us")}
                GROUP BY account_id, as_of
            )
            SELECT r.lead_id, r.as_of, l.* EXCLUDE (lead_id, as_of),
                coalesce(a.{of_account.name}, 0) AS {of_account.name}
            FROM rows r LEFT JOIN leads l ON l.lead_id = r.lead_id AND l.as_of = r.as_of
            LEFT JOIN accounts a ON a.account_id = r.account_id AND a.as_of = r.as_of
        """
        write(con, task, query)


if __name__ == "__main__":
    run(join_and_aggregate)
