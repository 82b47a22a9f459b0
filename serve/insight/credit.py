"""What won leads had met, and how much of their score was laid to it: an association, beside plain counts."""

from __future__ import annotations

from typing import Literal

import duckdb
import pyarrow as pa

from touchline.features.sources.sql import column

By = Literal["campaign", "asset", "channel", "kind", "topic"]
CREDIT_SCHEMA = pa.schema(
    [
        ("name", pa.string()),  # missing: touches that have none
        ("log_odds", pa.float64()),
        ("share", pa.float64()),
        ("leads", pa.int64()),
        ("touches", pa.int64()),
        ("share_of_touches", pa.float64()),
        ("per_lead", pa.float64()),
        ("per_touch", pa.float64()),
    ],
    metadata={"meaning": "association of touches with the scores of won leads; no proof of an effect"},
)
"""Columns of a credit table; log-odds are sums or means of the amounts given."""


def credit_table(touched: pa.Table, by: By = "campaign") -> pa.Table:
    """Add up the amounts that were laid to the touches of won leads.

    Credit says what won leads had met before they won, weighed by the model: what is often sent to leads that would
    have bought anyway has credit, too. It is an association, and no proof of an effect.

    Parameters
    ----------
    touched
        One row per won lead, touch and group of features: `lead_id` (whose row it is), `touch_id`, `amount` in
        log-odds, and the column `by`; such as `touchline.features.trace` lays them. Which leads, and as of when, is the
        caller's choice: leave out those whose win was not known yet.
    by
        What to add up by.

    Returns
    -------
    pyarrow.Table
        `CREDIT_SCHEMA`, the most credit first: `name` (missing for touches without one); `log_odds`, their sum;
        `share`, the sum over the sum of all names' absolute sums, with its sign; `leads` and `touches`, how many
        different ones; `share_of_touches`, what a plain count would say (a touch that several leads have in common
        counts for each); `per_lead` and `per_touch`, means over pairs of both.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    refuse_incomplete(touched, by)
    with duckdb.connect() as con:
        con.register("touched", touched)
        table = con.sql(
            f"WITH pairs AS (SELECT {column(by)} AS name, lead_id, touch_id, sum(amount) AS amount FROM touched "
            "GROUP BY ALL), "
            "named AS (SELECT name, sum(amount) AS log_odds, count(DISTINCT lead_id) AS leads, "
            "count(DISTINCT touch_id) AS touches, count(*) AS pairs FROM pairs GROUP BY name) "
            "SELECT name, log_odds, coalesce(log_odds / nullif(sum(abs(log_odds)) OVER (), 0), 0) AS share, leads, "
            "touches, pairs / sum(pairs) OVER () AS share_of_touches, log_odds / leads AS per_lead, "
            "log_odds / pairs AS per_touch FROM named ORDER BY log_odds DESC, name NULLS LAST"
        ).to_arrow_table()
    return table.select(CREDIT_SCHEMA.names).cast(CREDIT_SCHEMA)


def refuse_incomplete(touched: pa.Table, *names: str) -> None:
    """Check that apportioned touches have what they need.

    Raises
    ------
    ValueError
        If a column is missing.
    """
    missing = sorted({"lead_id", "touch_id", "amount", *names} - set(touched.column_names))
    if missing:
        raise ValueError(
            f"the apportioned touches have no column {', '.join(missing)}; give one row per won lead and touch, with "
            "lead_id, touch_id, amount, campaign, asset, channel, kind and topic"
        )
