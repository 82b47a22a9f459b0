"""Batches as the monitor sees them: which to look at, what each expected, and the newest one's tiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from touchline.features.snapshots.draw import Windows
from touchline.models.evaluation.metrics import logistic
from touchline.models.scale import TIERS, Scale
from touchline.pipelines.monitoring.drift import ScoreDrift, score_drift
from touchline.pipelines.monitoring.findings import Code, Finding, found
from touchline.pipelines.monitoring.outcomes import Realised, mature_on, realised
from touchline.playbook import Playbook
from touchline.serve.store import Batch, Store

_STALE = timedelta(days=8)
"""Further behind the data not even a weekly job falls."""
LogOdds = Mapping[int, NDArray[np.float64]]
"""Batch -> log-odds of its leads."""


@dataclass(frozen=True)
class Night:
    """A published batch.

    Attributes
    ----------
    batch, as_of, version, leads
        Which one, by which model, of how many leads.
    expected
        Wins that its chances add up to.
    known_on
        How far the data must reach for its outcomes to be known.
    drift
        Against the batch before it; None if that is not looked at.
    realised
        What came of it; None until its window is over.
    """

    batch: int
    as_of: datetime
    version: str
    leads: int
    expected: float
    known_on: datetime
    drift: ScoreDrift | None
    realised: Realised | None


@dataclass(frozen=True)
class Volumes:
    """Leads of the newest batch by tier, and what sales can call in a week or, with a threshold, who is above it."""

    tiers: dict[str, int]
    capacity: int | None
    above_threshold: int | None


def published(store: Store, most: int, model: str | None = None, before: datetime | None = None) -> list[Batch]:
    """The newest batches of one model's name, each as of another instant; by default of the newest batch's model."""
    found: list[Batch] = []
    while len(found) < most and (batch := store.latest(model, before=before)) is not None:
        found.append(batch)
        model, before = batch.lineage.model, batch.lineage.as_of
    return found


def log_odds_of(store: Store, batches: Sequence[Batch]) -> LogOdds:
    """The log-odds of every lead of every batch."""
    return {number: store.numbers(number)["log_odds"].to_numpy() for number in {batch.id for batch in batches}}


def moved(now: Batch, before: Batch, log_odds: LogOdds) -> ScoreDrift:
    """How scores moved from one batch to another."""
    return score_drift(
        log_odds[before.id], log_odds[now.id], before.lineage.as_of,
        new_model=before.lineage.version != now.lineage.version,
    )  # fmt: skip


def nights_of(
    newest: Sequence[Batch],
    most: int,
    mature: Sequence[Batch],
    log_odds: LogOdds,
    fates: Mapping[int, pd.DataFrame],
    spans: Windows,
    capacity: float,
) -> tuple[Night, ...]:
    """Every batch that is looked at, the newest first.

    Parameters
    ----------
    newest
        The newest batches, one after the other; against each but the first something is held.
    most
        How many of them to give.
    mature
        Batches whose windows are over.
    log_odds, fates
        Of all of them; of those that are mature.
    spans, capacity
        Lengths of time, and leads that sales can call in a week.
    """
    before = {one.id: other for one, other in pairwise(newest)}
    together = {batch.id: batch for batch in [*newest[:most], *mature]}
    nights: list[Night] = []
    for batch in together.values():
        rows = fates.get(batch.id)
        nights.append(
            Night(
                batch=batch.id,
                as_of=batch.lineage.as_of,
                version=batch.lineage.version,
                leads=batch.rows,
                expected=float(logistic(log_odds[batch.id]).sum()),
                known_on=mature_on(batch.lineage.as_of, spans),
                drift=moved(batch, before[batch.id], log_odds) if batch.id in before else None,
                realised=realised([rows], batch.rows, capacity) if rows is not None and len(rows) else None,
            )
        )
    return tuple(nights)


def volumes_of(batch: Batch, log_odds: LogOdds, playbook: Playbook) -> Volumes:
    """Tiers of a batch beside what sales can take."""
    mine, handoff = log_odds[batch.id], playbook.handoff
    tiers = Scale(**batch.lineage.meta.get("scale", {})).tier(mine)
    capacity, above = None, None
    if handoff.capacity is not None:
        capacity = round(handoff.capacity.people * handoff.capacity.per_person_per_week)
    if handoff.threshold is not None:
        above = int((logistic(mine) >= handoff.threshold).sum())
    return Volumes({tier: int((tiers == tier).sum()) for tier in TIERS}, capacity, above)


def judge_age(newest: Night, data_end: datetime) -> list[Finding]:
    """STALE."""
    if data_end - newest.as_of <= _STALE:
        return []
    told = f"the newest is as of {newest.as_of:%Y-%m-%d}, and the data reaches to {data_end:%Y-%m-%d}"
    return [found(Code.STALE, "warn", "batches", told)]


def judge_volumes(volumes: Volumes) -> list[Finding]:
    """CAPACITY."""
    worth = volumes.tiers["A"] + volumes.tiers["B"]
    if volumes.capacity is None or worth >= volumes.capacity:
        return []
    told = f"{worth:,} leads are A or B, and sales can call {volumes.capacity:,} in a week"
    return [found(Code.CAPACITY, "note", "tiers", told)]
