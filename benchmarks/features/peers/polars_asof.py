"""Polars: running sums over each lead's touches, read by as-of joins at both ends of every window."""

from __future__ import annotations

import polars as pl
from polars import col

from benchmarks.features.feature_set import DAY, HALF_LIFE, KINDS, WINDOWS, Feature
from benchmarks.features.peers import Task, run

_ORIGIN = 1_704_067_200_000_000
"""Decayed sums grow from here on, 2024-01-01 in microseconds, and are faded when read."""


def accumulate(touches: pl.LazyFrame) -> pl.LazyFrame:
    """For each touch what its lead has come to: by kind the count, the last time and a growing sum; value; ends."""
    grown = 2.0 ** ((col.us - _ORIGIN) / (HALF_LIFE * DAY))
    of_kind = {kind: col.kind == kind for kind in KINDS}
    running = [
        *(these.cast(pl.Int32).cum_sum().alias(f"count_{kind}") for kind, these in of_kind.items()),
        *(pl.when(these).then(col.us).forward_fill().alias(f"last_{kind}") for kind, these in of_kind.items()),
        *(
            pl.when(these).then(grown).otherwise(0.0).cum_sum().alias(f"grown_{kind}")
            for kind, these in of_kind.items()
        ),
        col.value.cum_sum(),
        col.channel.first().alias("first_channel"),
    ]
    ordered = touches.sort("lead_id", "us")
    return ordered.select("lead_id", "us", "channel", *(r.over("lead_id") for r in running)).sort("us")


def read(running: pl.LazyFrame, rows: pl.LazyFrame) -> pl.LazyFrame:
    """Rows with what their lead had come to before as_of and, called `_<days>`, before each window."""
    sums = [*(f"count_{kind}" for kind in KINDS), "value"]
    found = _before(rows, running, "as_of")
    for days in WINDOWS:
        earlier = running.select("lead_id", "us", *(col(name).alias(f"{name}_{days}") for name in sums))
        found = _before(found.with_columns(edge=col.as_of - days * DAY).sort("edge"), earlier, "edge").drop("edge")
    return found


def _before(rows: pl.LazyFrame, touches: pl.LazyFrame, moment: str) -> pl.LazyFrame:
    joined = rows.join_asof(
        touches, left_on=moment, right_on="us", by="lead_id", allow_exact_matches=False, check_sortedness=False
    )
    return joined.drop("us", strict=False)


def feature(wanted: Feature) -> pl.Expr:
    """A feature from what was read."""
    kinds = [wanted.kind] if wanted.kind else KINDS

    def gained(name: str) -> pl.Expr:
        return col(name).fill_null(0) - col(f"{name}_{wanted.days}").fill_null(0)

    match wanted.what:
        case "count":
            made = pl.sum_horizontal(gained(f"count_{kind}") for kind in kinds)
        case "sum":
            made = gained("value")
        case "since_last":
            made = (col.as_of - col(f"last_{wanted.kind}")) / DAY
        case "decayed":
            fading = 0.5 ** ((col.as_of - _ORIGIN) / (HALF_LIFE * DAY))
            made = pl.sum_horizontal(col(f"grown_{kind}") for kind in kinds) * fading
        case "first":
            made = col.first_channel
        case _:
            made = col.channel
    return made.alias(wanted.name)


def campaigns(touches: pl.LazyFrame, rows: pl.LazyFrame, wanted: Feature) -> pl.LazyFrame:
    """Different campaigns of each row."""
    pairs = rows.select("lead_id", "as_of").join(touches.select("lead_id", "us", "campaign"), on="lead_id")
    recent = pairs.filter(col.us < col.as_of, col.us >= col.as_of - wanted.days * DAY)
    return recent.group_by("lead_id", "as_of").agg(col.campaign.n_unique().alias(wanted.name))


def accounts(touches: pl.LazyFrame, rows: pl.LazyFrame, wanted: Feature) -> pl.LazyFrame:
    """Touches of each account, by two as-of joins on the running number."""
    ordered = touches.select("account_id", "us").sort("us")
    numbered = ordered.with_columns(n=pl.int_range(1, pl.len() + 1).over("account_id"))
    found = rows.select("account_id", "as_of").unique().sort("as_of").with_columns(edge=col.as_of - wanted.days * DAY)
    for name, moment in (("upto", "as_of"), ("earlier", "edge")):
        joined = found.join_asof(
            numbered.rename({"n": name}), left_on=moment, right_on="us", by="account_id",
            allow_exact_matches=False, check_sortedness=False,
        )  # fmt: skip
        found = joined.drop("us", strict=False)
    gained = col.upto.fill_null(0) - col.earlier.fill_null(0)
    return found.select("account_id", "as_of", gained.alias(wanted.name))


def join_running_sums(task: Task) -> None:
    """Compute all, lazily, in one go."""
    (different,) = (f for f in task.features if f.what == "distinct")
    (of_account,) = (f for f in task.features if f.what == "account_count")
    rest = [f for f in task.features if f not in (different, of_account)]
    keys = pl.col("lead_id", "account_id").cast(pl.Categorical)  # quicker than text
    touches = pl.scan_parquet(task.touches).with_columns(keys, us=col.occurred_at.dt.epoch("us"))
    rows = pl.scan_parquet(task.rows).with_columns(keys, col.as_of.dt.epoch("us")).sort("as_of")
    made = read(accumulate(touches), rows).select("lead_id", "account_id", "as_of", *map(feature, rest))
    made = made.join(campaigns(touches, rows, different), on=["lead_id", "as_of"], how="left")
    made = made.join(accounts(touches, rows, of_account), on=["account_id", "as_of"], how="left")
    zero = [col(f.name).fill_null(0) for f in (different, of_account)]
    named = pl.col("lead_id").cast(pl.String)
    made.with_columns(*zero, named, pl.from_epoch("as_of", "us")).collect().write_parquet(task.result)


if __name__ == "__main__":
    run(join_running_sums)
