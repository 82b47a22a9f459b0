"""The monitoring job: what came of published scores, whether anything drifts, and how both teams pass leads on.

Nothing is changed, and no lead is named. Findings say what a person should look at, and what to do.
"""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from touchline.features import Catalog
from touchline.features.snapshots.credits import create_credits
from touchline.features.snapshots.draw import Windows, open_leads, windows
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Progress, Workspace, connect
from touchline.models.errors import ModelError
from touchline.models.judging import capacity_per_date
from touchline.pipelines.monitoring.drift import (
    FamilyDrift,
    ScoreDrift,
    family_drift,
    judge_families,
    judge_scores,
)
from touchline.pipelines.monitoring.findings import Finding, worst_first
from touchline.pipelines.monitoring.nights import (
    Night,
    Volumes,
    judge_age,
    judge_volumes,
    log_odds_of,
    moved,
    nights_of,
    published,
    volumes_of,
)
from touchline.pipelines.monitoring.outcomes import Together, find_fates, judge_outcomes, together, weekly
from touchline.pipelines.monitoring.teams import Teams, judge_teams, look_at_teams
from touchline.pipelines.monitoring.touches import Touches, judge_touches, look_at_touches
from touchline.playbook import Playbook
from touchline.serve.store import Batch, Store, StoreError

if TYPE_CHECKING:
    from touchline.models.registry import Registry

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_US = timedelta(microseconds=1)


@dataclass(frozen=True)
class Monitoring:
    """What the job found.

    Attributes
    ----------
    model
        The registered model's name.
    data_end
        Where the tables end.
    nights
        Batches, the newest first.
    outcomes
        What came of the batches whose windows are over, together; None if there is none.
    reference
        As of when the reference batch is: the newest whose outcomes are known, or else the oldest looked at.
    drift
        Of scores since the reference batch; None if there is only one batch.
    families
        What each family of features says, now and at the reference batch; empty without one, or without the model.
    volumes, touches, teams
        Tiers, touches by kind, figures of both teams.
    findings
        The worst first.
    """

    model: str
    data_end: datetime
    nights: tuple[Night, ...]
    outcomes: Together | None
    reference: datetime | None
    drift: ScoreDrift | None
    families: tuple[FamilyDrift, ...]
    volumes: Volumes
    touches: Touches
    teams: Teams
    findings: tuple[Finding, ...]

    @property
    def needs_attention(self) -> bool:
        """Whether a finding is a warning, or worse."""
        return any(finding.severity != "note" for finding in self.findings)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON; times in ISO 8601, what is not known as None."""
        return {"ok": not self.needs_attention, **cast("dict[str, Any]", _plain(self))}


def monitor(
    tables: Tables,
    playbook: Playbook,
    store: Store,
    registry: Registry,
    *,
    batches: int = 14,
    catalog: Catalog | None = None,
    draws: int = 1000,
    memory: str = "2GB",
    now: datetime | None = None,
    progress: Progress = lambda step: None,
) -> Monitoring:
    """Look at the newest batches, at the newest whose outcomes are known, at the touches and at both teams' figures.

    Parameters
    ----------
    tables, playbook
        What is known, and what was agreed on; limits are those of `[monitor]`.
    store, registry
        Where scores and models are.
    batches
        How many of the newest batches, and how many of those whose windows are over.
    catalog
        The features that the model was trained with, if not the playbook's default ones.
    draws
        Of the bootstrap over all batches together.
    memory
        What the SQL engine may use, and building features.
    now
        Quarters of hand-offs end here; by default the clock's time.

    Raises
    ------
    StoreError
        If nothing is published.
    CatalogError
        If the catalogue lacks a feature of the model.
    """
    with tempfile.TemporaryDirectory(prefix="touchline-monitor-") as folder:
        con = connect(Path(folder), memory)
        try:
            w = Workspace(con, playbook, Path(folder), now or datetime.now(UTC), progress)
            scored = _look_at_scores(w, tables, store, batches, draws)
            return _look_around(w, tables, store, registry, catalog or Catalog.default(playbook), scored, memory)
        finally:
            con.close()


@dataclass(frozen=True)
class _Scored:
    """What the store's batches say, and what became of their leads."""

    newest: Batch
    reference: Batch | None
    spans: Windows
    nights: tuple[Night, ...]
    told: list[Batch]
    """Those that `outcomes` are of."""
    outcomes: Together | None
    drift: ScoreDrift | None
    volumes: Volumes


def _look_at_scores(w: Workspace, tables: Tables, store: Store, most: int, draws: int) -> _Scored:
    """Batches and their outcomes; leaves the view `leads` and the table `credits` in the workspace."""
    newest = published(store, most + 1)
    if not newest:
        raise StoreError("nothing is published yet; run `touchline score` first")
    w.progress("looking for what came of the scores")
    open_leads(w, tables)
    spans = windows(w, tables)
    mature = published(store, most, newest[0].lineage.model, spans.mature_until + _US)
    capacity = capacity_per_date(w.playbook, pd.Series([newest[0].lineage.as_of]))  # of a week
    fates: dict[int, pd.DataFrame] = {}
    if mature:
        fates = find_fates(w, tables, spans, store, mature)
    else:
        create_credits(w, tables)
    told = [batch for batch in weekly(mature) if len(fates[batch.id])]
    rows = sum(batch.rows for batch in told)
    w.progress("looking at scores")
    log_odds = log_odds_of(store, [*newest, *mature])
    reference = next((b for b in mature if b != newest[0]), newest[-1] if len(newest) > 1 else None)
    return _Scored(
        newest=newest[0],
        reference=reference,
        spans=spans,
        nights=nights_of(newest, most, mature, log_odds, fates, spans, capacity),
        told=told,
        outcomes=together([fates[b.id] for b in told], rows, capacity, draws=draws) if told else None,
        drift=moved(newest[0], reference, log_odds) if reference else None,
        volumes=volumes_of(newest[0], log_odds, w.playbook),
    )


def _look_around(
    w: Workspace, tables: Tables, store: Store, registry: Registry, catalog: Catalog, scored: _Scored, memory: str
) -> Monitoring:
    """Families, touches and teams; and what to make of it all."""
    playbook, limits = w.playbook, w.playbook.monitor
    families = _families(w, tables, registry, catalog, scored, memory)
    w.progress("looking at touches and at both teams")
    end = (scored.spans.data_end - _EPOCH) // _US + 1
    first = (datetime.fromisoformat(tables.manifest["result"]["first"]) - _EPOCH) // _US
    touches = look_at_touches(w, tables, end, first)
    teams = look_at_teams(w, tables, store, end, w.now)
    newest = scored.newest.lineage
    drifts = [d for d in dict.fromkeys((scored.nights[0].drift, scored.drift)) if d is not None]
    findings = [
        *judge_outcomes(
            scored.outcomes, scored.nights[-1].known_on, limits.observed_expected,
            same_model=any(batch.lineage.version == newest.version for batch in scored.told),
            ranks_only=newest.meta.get("rung") == "ranks",
        ),
        *judge_age(scored.nights[0], scored.spans.data_end),
        *judge_scores(drifts, limits.psi),
        *judge_families(families, limits.contribution_change),
        *judge_touches(touches, playbook),
        *judge_volumes(scored.volumes),
        *judge_teams(teams),
    ]  # fmt: skip
    return Monitoring(
        model=newest.model,
        data_end=scored.spans.data_end,
        nights=scored.nights,
        outcomes=scored.outcomes,
        reference=scored.reference.lineage.as_of if scored.reference else None,
        drift=scored.drift,
        families=families,
        volumes=scored.volumes,
        touches=touches,
        teams=teams,
        findings=worst_first(findings),
    )


def _families(
    w: Workspace, tables: Tables, registry: Registry, catalog: Catalog, scored: _Scored, memory: str
) -> tuple[FamilyDrift, ...]:
    if scored.reference is None:
        return ()
    newest = scored.newest.lineage
    try:
        model = registry.load(int(newest.version))
    except ModelError:
        return ()  # it was deleted: what its features say can no longer be told
    return family_drift(
        tables, w.playbook, model.model, catalog, before=scored.reference.lineage.as_of, now=newest.as_of,
        points=float(model.scale.points(np.array(1.0))), memory=memory, progress=w.progress,
    )  # fmt: skip


def _plain(value: Any) -> Any:  # noqa: PLR0911  # a table
    """As JSON knows it: objects by their fields, instants as text, NaN and infinity as None."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {str(key): _plain(of) for key, of in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple):
        return [_plain(of) for of in cast("list[Any]", value)]
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
