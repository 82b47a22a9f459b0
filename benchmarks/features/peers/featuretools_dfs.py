"""Featuretools: deep feature synthesis with cutoff times, once per window and once over all of history.

It has no decayed sums, and no roll-up of an account's touches to its leads without a third table; the rest is the same.
"""

from __future__ import annotations

import warnings

import featuretools as ft
import pandas as pd

from benchmarks.features.feature_set import KINDS, SPAN, WINDOWS
from benchmarks.features.peers import Task, run

SECONDS = 86_400


def entities(touches: pd.DataFrame, rows: pd.DataFrame) -> ft.EntitySet:
    """Leads and their touches."""
    leads = pd.DataFrame({"lead_id": sorted({*touches["lead_id"], *rows["lead_id"]})})
    found = ft.EntitySet("benchmark")
    found.add_dataframe(dataframe_name="leads", dataframe=leads, index="lead_id")
    found.add_dataframe(
        dataframe_name="touches",
        dataframe=touches,
        index="touch",
        time_index="occurred_at",
        logical_types=dict.fromkeys(("kind", "channel", "campaign"), "Categorical"),
    )
    found.add_relationship("leads", "lead_id", "touches", "lead_id")
    found.add_interesting_values(dataframe_name="touches", values={"kind": list(KINDS)})
    return found


def synthesize(task: Task) -> None:
    """Run every pass and join them."""
    warnings.filterwarnings("ignore")
    columns = ["lead_id", "occurred_at", "kind", "channel", "campaign", "value"]
    touches = pd.read_parquet(task.touches, columns=columns).assign(touch=lambda t: range(len(t)))
    rows = pd.read_parquet(task.rows, columns=["lead_id", "as_of"])
    touches["occurred_at"] = touches["occurred_at"].dt.tz_localize(None)
    cutoffs = rows.assign(time=rows["as_of"].dt.tz_localize(None)).drop(columns="as_of").sort_values("time")
    asked = {
        "entityset": entities(touches, rows),
        "target_dataframe_name": "leads",
        "cutoff_time": cutoffs,
        "cutoff_time_in_index": True,
        "include_cutoff_time": False,
        "trans_primitives": [],
        "max_depth": 2,
    }
    made = [of_window(asked, days) for days in WINDOWS] + [of_history(asked)]
    joined = pd.concat(made, axis=1).reset_index(names=["lead_id", "as_of"])
    joined.to_parquet(task.result)


def of_window(asked: dict[str, object], days: int) -> pd.DataFrame:
    """Counts, sums, and in one window different campaigns."""
    unused = ["channel"] if days == SPAN else ["channel", "campaign"]
    made, _ = ft.dfs(
        **asked,
        agg_primitives=["count", "sum", *(["num_unique"] if days == SPAN else [])],
        where_primitives=["count"],
        training_window=f"{days} days",
        ignore_columns={"touches": unused},
    )
    called = {f"COUNT(touches WHERE kind = {kind})": f"count_{kind}_{days}d" for kind in KINDS}
    called |= {"COUNT(touches)": f"count_any_{days}d", "SUM(touches.value)": f"sum_any_{days}d"}
    called |= {"NUM_UNIQUE(touches.campaign)": f"distinct_campaign_{days}d"} if days == SPAN else {}
    return made[list(called)].rename(columns=called).astype(float).fillna(0)


def of_history(asked: dict[str, object]) -> pd.DataFrame:
    """Days since the last touch of each kind; first and last channel."""
    made, _ = ft.dfs(
        **asked,
        agg_primitives=["time_since_last", "first", "last"],
        where_primitives=["time_since_last"],
        ignore_columns={"touches": ["campaign", "value"]},
    )
    since = {f"TIME_SINCE_LAST(touches.occurred_at WHERE kind = {kind})": f"since_last_{kind}" for kind in KINDS}
    ends = {"FIRST(touches.channel)": "first_channel", "LAST(touches.channel)": "last_channel"}
    days = made[list(since)].rename(columns=since).astype(float) / SECONDS
    return pd.concat([days, made[list(ends)].rename(columns=ends).astype(str)], axis=1)


if __name__ == "__main__":
    run(synthesize)
