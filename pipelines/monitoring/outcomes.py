"""What came of the scores: expected beside realised wins, for batches whose windows are over.

Labels are those of training sets: each (lead, as_of) of a batch is drawn as a snapshot and told by the same code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from touchline.features.snapshots.draw import Windows, create_snapshots
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace
from touchline.models.evaluation import Interval, bootstrap, calibration_by_segment, decile_table
from touchline.models.evaluation.metrics import logistic
from touchline.pipelines.monitoring.findings import Code, Finding, found
from touchline.serve.store import Batch, Store

_US = timedelta(microseconds=1)
_OURS = "score"
_FEWEST_DRAWS = 200
_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Realised:
    """Wins that came of one batch, or of several together.

    Attributes
    ----------
    dates, rows
        Batches, and leads of them whose outcome is known.
    left_out
        Leads that are no longer in the tables, or whose deal was open or over when they were scored.
    won, expected
        Rows won, and the sum of their chances.
    observed_expected
        Won by expected; the interval redraws accounts.
    capture
        Share of the wins among the leads that sales could call in a week.
    """

    dates: int
    rows: int
    left_out: int
    won: int
    expected: float
    observed_expected: Interval
    capture: Interval


@dataclass(frozen=True)
class Together:
    """Several batches together, about a week apart: nightly ones tell nearly the same.

    Attributes
    ----------
    realised
        As of one batch; a lead counts once for each of them.
    slope, intercept
        Of calibration on the log-odds; 1 and 0 are best.
    deciles
        Tenths of the leads, the best first, as `decile_table` gives them.
    """

    realised: Realised
    slope: Interval
    intercept: Interval
    deciles: tuple[dict[str, float], ...]


def find_fates(
    w: Workspace, tables: Tables, spans: Windows, store: Store, batches: Sequence[Batch]
) -> dict[int, pd.DataFrame]:
    """Chances and outcomes of the leads of batches whose windows are over.

    The workspace needs the view `leads`; it has the tables `snapshots` and `credits` afterwards.

    Returns
    -------
    dict
        Batch -> a row per lead whose outcome is known: `probability`, `won`, `account` and `as_of`.
    """
    scored = pa.concat_tables([_scored(store, batch) for batch in batches])
    w.con.register("scored", scored)
    w.con.execute(
        "CREATE OR REPLACE TEMP TABLE drawn AS SELECT lead_id, as_of FROM scored SEMI JOIN leads USING (lead_id)"
    )
    create_snapshots(w, tables, spans)
    frame: pd.DataFrame = w.con.execute(
        "SELECT s.batch, s.log_odds, f.status = 'won' AS won, make_timestamp(s.as_of) AS as_of, "
        "coalesce('account ' || l.account_id, 'lead ' || s.lead_id) AS account FROM scored s "
        "JOIN snapshots f ON f.lead_id = s.lead_id AND f.as_of = s.as_of JOIN leads l ON l.lead_id = s.lead_id "
        "WHERE f.status IN ('won', 'not_won') ORDER BY s.as_of DESC, s.lead_id"
    ).df()
    w.con.unregister("scored")
    frame["probability"] = logistic(frame.pop("log_odds").to_numpy(np.float64))
    nobody = frame.iloc[:0]
    by_batch: dict[int, pd.DataFrame] = {int(number): of for number, of in frame.groupby("batch")}  # pyright: ignore
    return {batch.id: by_batch.get(batch.id, nobody) for batch in batches}


def _scored(store: Store, batch: Batch) -> pa.Table:
    numbers = store.numbers(batch.id)
    size = numbers.num_rows
    at = round(batch.lineage.as_of.timestamp() * 1e6)
    columns: dict[str, Any] = {
        "batch": np.full(size, batch.id, np.int64),
        "lead_id": numbers["lead_id"],
        "as_of": np.full(size, at, np.int64),
        "log_odds": numbers["log_odds"],
    }
    return pa.table(columns)


def realised(fates: Sequence[pd.DataFrame], leads: int, capacity: float, *, draws: int = _FEWEST_DRAWS) -> Realised:
    """What came of the leads of one or more batches.

    Parameters
    ----------
    fates
        As `find_fates` gives them, one or more.
    leads
        How many leads the batches hold.
    capacity
        Leads that sales can call in a week, or (a float) their share.
    draws
        Of the bootstrap.
    """
    return _judge(fates, leads, capacity, draws)[0]


def together(fates: Sequence[pd.DataFrame], leads: int, capacity: float, *, draws: int = 1000) -> Together:
    """What came of the leads of several batches, with calibration and deciles."""
    one, slope, intercept = _judge(fates, leads, capacity, draws)
    rows = pd.concat(fates, ignore_index=True)
    table = decile_table(rows["won"], rows["probability"], probability=rows["probability"])
    deciles: Any = table.reset_index().to_dict("records")
    return Together(one, slope, intercept, tuple(deciles))


def _judge(
    fates: Sequence[pd.DataFrame], leads: int, capacity: float, draws: int
) -> tuple[Realised, Interval, Interval]:
    rows = pd.concat(fates, ignore_index=True)
    won, chance = rows["won"].to_numpy(bool), rows["probability"].to_numpy(np.float64)
    drawn = bootstrap(
        {_OURS: chance}, won, rows["account"], capacity=capacity, as_of=rows["as_of"].to_numpy("datetime64[us]"),
        draws=draws,
    )  # fmt: skip
    ratio = drawn.interval(_OURS, "observed_expected")
    if not won.any():  # every draw says 0, and would be certain of it
        table = calibration_by_segment(won, chance, rows["account"], np.zeros(len(rows)))
        ratio = Interval(0.0, float(table["oe_low"].iloc[0]), float(table["oe_high"].iloc[0]))
    one = Realised(
        dates=len(fates),
        rows=len(rows),
        left_out=leads - len(rows),
        won=int(won.sum()),
        expected=float(chance.sum()),
        observed_expected=ratio,
        capture=drawn.interval(_OURS, "capture"),
    )
    return one, drawn.interval(_OURS, "calibration_slope"), drawn.interval(_OURS, "calibration_intercept")


def weekly(batches: Sequence[Batch]) -> list[Batch]:
    """The newest batch, and of those before it each that is a week or more older than the last one taken."""
    taken: list[Batch] = []
    for batch in batches:
        if not taken or taken[-1].lineage.as_of - batch.lineage.as_of >= _WEEK:
            taken.append(batch)
    return taken


def mature_on(as_of: datetime, spans: Windows) -> datetime:
    """When the outcomes of a batch will be known."""
    return as_of + (spans.gap + spans.horizon + spans.lag) * _US


def judge_outcomes(
    whole: Together | None, next_on: datetime, agreed: tuple[float, float], *, same_model: bool, ranks_only: bool
) -> list[Finding]:
    """OBSERVED_EXPECTED, NOT_MATURE; a model that only ranks has promised no wins.

    Parameters
    ----------
    whole
        All batches whose outcomes are known, if there are any.
    next_on
        How far the data must reach for the first to be known.
    agreed
        The range that the interval must reach into.
    same_model
        Whether the version that scores now is among those that were judged.
    ranks_only
        Whether it does not say chances.
    """
    if whole is None:
        told = f"no batch's window is over; the first outcomes are known when the data reaches {next_on:%Y-%m-%d}"
        return [found(Code.NOT_MATURE, "note", "batches", told)]
    of, ratio = whole.realised, whole.realised.observed_expected
    if ranks_only or not (ratio.high < agreed[0] or ratio.low > agreed[1]):
        return []
    told = (
        f"{of.won:,} wins came where {of.expected:.1f} were expected: {ratio.value:.2f} of them (95 %: {ratio.low:.2f} "
        f"to {ratio.high:.2f}); agreed are {agreed[0]:g} to {agreed[1]:g}"
    )
    if same_model:
        return [found(Code.OBSERVED_EXPECTED, "alarm", "chances", told)]
    told += "; earlier versions scored then"
    advice = "see whether the version that scores now was trained on these outcomes; if not, retrain"
    return [found(Code.OBSERVED_EXPECTED, "warn", "chances", told, advice)]
