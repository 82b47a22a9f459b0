# ruff: noqa: PD010  # unstack is what people write
"""pandas, as it is written by hand: one as-of date after the other, what came before it, grouped window by window."""

from __future__ import annotations

import pandas as pd

from benchmarks.features.feature_set import HALF_LIFE, KINDS, SPAN, WINDOWS
from benchmarks.features.peers import Task, run

Frame = pd.DataFrame


def snapshot(touches: Frame, rows: Frame, as_of: pd.Timestamp) -> Frame:
    """All features of the rows of one as-of date."""
    leads = pd.Index(rows["lead_id"])
    before = touches[touches["occurred_at"] < as_of]
    own = before[before["lead_id"].isin(leads)]
    made = {**windows(own, leads, as_of), **decayed(own, leads, as_of)}
    last = own.groupby(["lead_id", "kind"])["occurred_at"].max().unstack()
    last = last.reindex(index=leads, columns=KINDS)
    for kind in KINDS:
        made[f"since_last_{kind}"] = ((as_of - last[kind]) / pd.Timedelta(days=1)).to_numpy()
    channels = own.groupby("lead_id")["channel"]
    made["first_channel"] = channels.first().reindex(leads).to_numpy()
    made["last_channel"] = channels.last().reindex(leads).to_numpy()
    recent = before[before["occurred_at"] >= as_of - pd.Timedelta(days=SPAN)]
    by_account = recent.groupby("account_id").size()
    made[f"account_count_any_{SPAN}d"] = by_account.reindex(rows["account_id"], fill_value=0).to_numpy()
    return pd.DataFrame({"lead_id": leads, "as_of": as_of, **made})


def windows(own: Frame, leads: pd.Index, as_of: pd.Timestamp) -> dict[str, object]:
    """Counts, sums and different campaigns."""
    made: dict[str, object] = {}
    for days in WINDOWS:
        recent = own[own["occurred_at"] >= as_of - pd.Timedelta(days=days)]
        by_kind = recent.groupby(["lead_id", "kind"]).size().unstack(fill_value=0)
        by_kind = by_kind.reindex(index=leads, columns=KINDS, fill_value=0)
        for kind in KINDS:
            made[f"count_{kind}_{days}d"] = by_kind[kind].to_numpy()
        by_lead = recent.groupby("lead_id")
        made[f"count_any_{days}d"] = by_lead.size().reindex(leads, fill_value=0).to_numpy()
        made[f"sum_any_{days}d"] = by_lead["value"].sum().reindex(leads, fill_value=0).to_numpy()
        if days == SPAN:
            made[f"distinct_campaign_{days}d"] = by_lead["campaign"].nunique().reindex(leads, fill_value=0).to_numpy()
    return made


def decayed(own: Frame, leads: pd.Index, as_of: pd.Timestamp) -> dict[str, object]:
    """Decayed sums, of all touches and by kind."""
    weight = 0.5 ** ((as_of - own["occurred_at"]) / pd.Timedelta(days=HALF_LIFE))
    by_kind = weight.groupby([own["lead_id"], own["kind"]]).sum().unstack(fill_value=0)
    by_kind = by_kind.reindex(index=leads, columns=KINDS, fill_value=0)
    made: dict[str, object] = {f"decayed_{kind}_{HALF_LIFE}d": by_kind[kind].to_numpy() for kind in KINDS}
    made[f"decayed_any_{HALF_LIFE}d"] = weight.groupby(own["lead_id"]).sum().reindex(leads, fill_value=0).to_numpy()
    return made


def loop_over_dates(task: Task) -> None:
    """Compute date after date."""
    columns = ["lead_id", "account_id", "occurred_at", "kind", "channel", "campaign", "value"]
    touches = pd.read_parquet(task.touches, columns=columns).sort_values("occurred_at")
    rows = pd.read_parquet(task.rows)
    made = [snapshot(touches, group, as_of) for as_of, group in rows.groupby("as_of")]
    pd.concat(made, ignore_index=True).to_parquet(task.result)


if __name__ == "__main__":
    run(loop_over_dates)
