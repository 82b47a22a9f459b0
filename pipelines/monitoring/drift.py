"""Drift: how the scores are distributed now and before, and how much each family of features says."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from touchline.features import Catalog, build_scoring_set
from touchline.features.audit.drift import jensen_shannon
from touchline.features.audit.ranks import bins
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Progress
from touchline.models.explainer import Explainer
from touchline.models.reasons import Grouping
from touchline.models.scorer.model import ScoringModel
from touchline.pipelines.monitoring.findings import Code, Finding, found
from touchline.playbook import Playbook

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

_PARTS = 10
_ENOUGH_LEADS = 200
"""On either side: with fewer, chance alone moves a tenth of the leads about."""
_EXPLAINED = 20_000
"""Leads that are explained on either side; a mean over more is no other."""
_WEIGHT = 0.05
"""Share of all contributions below which a family is not worth a word."""


@dataclass(frozen=True)
class ScoreDrift:
    """How scores moved.

    Attributes
    ----------
    since
        As of when the other batch is.
    new_model
        Whether another version scored then.
    leads
        Of the smaller batch.
    psi
        Population stability index over tenths of the earlier scores.
    jensen_shannon
        Divergence to the base 2: 0 for the same distribution, 1 for nothing in common.
    """

    since: datetime
    new_model: bool
    leads: int
    psi: float
    jensen_shannon: float


@dataclass(frozen=True)
class FamilyDrift:
    """How much a family says: the mean, over leads, of its contribution's size, in points of the score."""

    family: str
    words: str
    before: float
    now: float

    @property
    def change(self) -> float:
        """Relative to before; infinite for a family that said nothing."""
        if self.before > 0:
            return self.now / self.before - 1
        return np.inf if self.now > 0 else 0.0


def psi(before: Floats, now: Floats) -> float:
    """Population stability index, sum (q - p) ln(q / p) over tenths of the earlier values.

    Tenths end at earlier values, found by whole numbers, so that no rounding makes a part of its own. One that is empty
    on a side counts as half a row there, one that is empty on both not at all. By custom 0.1 is a small shift and 0.25
    a large one (Siddiqi 2006).

    Examples
    --------
    >>> psi(np.arange(10.0), np.arange(10.0))
    0.0
    """
    last = -(-np.arange(1, _PARTS) * len(before) // _PARTS) - 1
    edges = np.unique(np.sort(before)[last])
    counts = np.stack([_counts(values, edges) for values in (before, now)])
    filled = np.maximum(counts[:, counts.any(axis=0)], 0.5)
    p, q = filled[0] / len(before), filled[1] / len(now)
    return float(((q - p) * np.log(q / p)).sum())


def _counts(values: Floats, edges: Floats) -> NDArray[np.int64]:
    """How many values lie in each part; a value at an edge belongs below it."""
    return np.bincount(np.searchsorted(edges, values, "left"), minlength=len(edges) + 1)


def score_drift(before: Floats, now: Floats, since: datetime, *, new_model: bool) -> ScoreDrift:
    """How log-odds moved from one batch to another."""
    code, size = bins(np.concatenate([before, now]))
    one, other = (np.bincount(c, minlength=size) / len(c) for c in (code[: len(before)], code[len(before) :]))
    return ScoreDrift(since, new_model, min(len(before), len(now)), psi(before, now), jensen_shannon(one, other))


def family_drift(
    tables: Tables,
    playbook: Playbook,
    model: ScoringModel,
    catalog: Catalog,
    *,
    before: datetime,
    now: datetime,
    points: float,
    memory: str,
    progress: Progress,
) -> tuple[FamilyDrift, ...]:
    """What each family says of the leads of two dates, by the same model.

    Parameters
    ----------
    tables, playbook, catalog
        What the scores of both dates were made from; `catalog` has the model's features.
    model
        That of today.
    points
        Of the score, for one unit of log-odds.

    Raises
    ------
    CatalogError
        If the catalogue lacks a feature of the model.
    """
    names = model.encoder.names
    if not names:
        return ()
    needed = Catalog(playbook, [catalog[name] for name in names])
    grouping = Grouping.of(needed, names)
    explainer = Explainer(model)

    def said(at: datetime) -> Floats:
        progress(f"explaining the leads of {at:%Y-%m-%d}")
        with tempfile.TemporaryDirectory(prefix="touchline-monitor-") as scratch:
            rows = build_scoring_set(tables, playbook, at, catalog=needed, out=Path(scratch) / "set", memory=memory)
            parts = explainer.explain(_some(rows.X)).of_features
        return points * np.abs(grouping.by_family(grouping.by_subject(parts))).mean(axis=0)

    language = "en" if "en" in playbook.languages else playbook.languages[0]
    sizes = zip(grouping.families, said(before), said(now), strict=True)
    drifts = [FamilyDrift(f, needed.family_words(f, language), float(a), float(b)) for f, a, b in sizes]
    return tuple(sorted(drifts, key=lambda d: -d.now))


def _some(features: pd.DataFrame) -> pd.DataFrame:
    return features if len(features) <= _EXPLAINED else features.sample(_EXPLAINED, random_state=0)


def judge_scores(drifts: list[ScoreDrift], limit: float) -> list[Finding]:
    """SCORE_DRIFT."""
    findings: list[Finding] = []
    for drift in drifts:
        if drift.psi > limit and drift.leads >= _ENOUGH_LEADS:
            told = f"PSI is {drift.psi:.2f} since {drift.since:%Y-%m-%d %H:%M}; {limit:g} is the limit"
            if drift.new_model:
                told += "; another version scored then"
            findings.append(found(Code.SCORE_DRIFT, "note" if drift.new_model else "warn", "scores", told))
    return findings


def judge_families(drifts: tuple[FamilyDrift, ...], limit: float) -> list[Finding]:
    """FAMILY_DRIFT."""
    whole = max(sum(d.before for d in drifts), sum(d.now for d in drifts))
    findings: list[Finding] = []
    for d in drifts:
        if max(d.before, d.now) >= _WEIGHT * whole and abs(d.change) > limit:
            told = f"it moves a score by {d.now:.1f} points in the mean; it was {d.before:.1f} at the reference batch"
            findings.append(found(Code.FAMILY_DRIFT, "warn", d.words, told))
    return findings
