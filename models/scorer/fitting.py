"""Fitting: count the evidence, choose on accounts left out, fit on all, calibrate on what was left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from threadpoolctl import threadpool_limits

from touchline.models.bands import Band, fit_band
from touchline.models.calibration import (
    Beta,
    Calibrator,
    Isotonic,
    Platt,
    fit_beta,
    fit_intercept,
    fit_isotonic,
    fit_platt,
    log_loss,
)
from touchline.models.encoding import Encoder
from touchline.models.scorer.choice import Candidate, Choice, choose
from touchline.models.scorer.crossfit import Crossed, Rows, assign_folds, cross_fit, thinned
from touchline.models.scorer.ladder import Evidence, Rung
from touchline.models.scorer.linear import Linear, fit_linear
from touchline.models.scorer.model import ScoringModel
from touchline.models.scorer.trees import Trees, dataset, grow, settings_of
from touchline.playbook.data import SmallData

Floats = NDArray[np.float64]

_NEW_LEVEL_SD = 0.2
"""How far (log-odds) the base rate of the newest rows is believed to move: 25 deals count as much as the belief."""


@dataclass(frozen=True)
class Fitted:
    """A model, and how it came to be."""

    model: ScoringModel
    choice: Choice


@dataclass(frozen=True)
class Task:
    """What there is to learn from, ready to be fitted.

    Attributes
    ----------
    rows
        The rows; where there is enough to learn from, weighted in won deals.
    encoder
        What the columns of their matrix are.
    evidence, rung
        How much there is, and what may be said after it.
    settings
        LightGBM's parameters that differ from ours: those asked for, seeds, threads, constraints.
    seed
        Of folds and trees.
    """

    rows: Rows
    encoder: Encoder
    evidence: Evidence
    rung: Rung
    settings: dict[str, Any]
    seed: int

    @classmethod
    def prepare(
        cls,
        rows: Rows,
        encoder: Encoder,
        *,
        deals: ArrayLike | None,
        limits: SmallData,
        monotone: Mapping[str, int],
        settings: Mapping[str, Any],
        threads: int,
        seed: int,
    ) -> Task:
        """Count the evidence and weigh the rows; parameters as `LeadScorer` describes them."""
        evidence = Evidence.count(rows.won, rows.group, deals)
        settings = {**settings, **_seeds(seed), "num_threads": threads, **_monotone(encoder, monotone)}
        task = cls(rows, encoder, evidence, evidence.rung(limits), settings, seed)
        return replace(task, rows=_in_deals(rows, evidence.deals)) if task.is_enough else task

    @property
    def is_enough(self) -> bool:
        """Whether there is enough to learn anything of a lead."""
        return self.rung is not Rung.NONE and self.evidence.won_rows < len(self.rows.won)

    def cross_fit(self, changed: Mapping[str, Any] | None = None, known: Crossed | None = None) -> Crossed:
        """Margins of accounts left out, with some settings changed; `known` as `crossfit.cross_fit` takes it."""
        settings = {**self.settings, **(changed or {})}
        with threadpool_limits(1, "blas"):  # sums in the same order on every machine
            return cross_fit(self.rows, self.encoder, self.evidence.deals, settings, self.seed, known)


def fit_model(task: Task, limits: SmallData) -> Fitted:
    """Fit a model as `LeadScorer` describes."""
    rows, encoder, evidence, rung, seed = task.rows, task.encoder, task.evidence, task.rung, task.seed
    facts: dict[str, Any] = {"evidence": asdict(evidence), "seed": seed}
    if not task.is_enough:
        return _base_rate(rows, encoder, rung, facts, limits)
    crossed = task.cross_fit()
    choice, margin = choose(crossed)
    with threadpool_limits(1, "blas"):
        linear, trees = _fit_parts(rows, encoder, choice.chosen, crossed, task.settings)
    seen = crossed.rows
    calibrator, how = _calibrate(choice.chosen, margin, seen, evidence.deals, limits, seed)
    calibrator = _moved_to_newest(calibrator, margin, seen)
    band = fit_band(margin, calibrator(margin), seen.won, seen.weight, seen.group)
    facts |= {"choice": choice.to_dict(), "calibration": how, "rounds": crossed.rounds}
    model = ScoringModel(encoder, rows.base, linear, trees, calibrator, band, rung, facts)
    return Fitted(model, choice)


def fit_halves(task: Task, fitted: ScoringModel, chosen: Candidate) -> tuple[ScoringModel, ScoringModel] | None:
    """Models of the same kind on two halves of the accounts: how much is the luck of which accounts there were.

    Candidate, ridge, rounds and calibrator are those of `fitted`. None if a half has no win, or nothing was found.
    """
    if not fitted.parts:
        return None
    side = np.random.default_rng(task.seed).random(int(task.rows.group.max()) + 1) < 0.5
    found: list[ScoringModel] = []
    for mask in (side[task.rows.group], ~side[task.rows.group]):
        rows = task.rows.take(mask)
        if not rows.won.any() or rows.won.all():
            return None
        nothing = Crossed(rows, np.zeros(0), {}, {}, fitted.facts["rounds"])
        with threadpool_limits(1, "blas"):
            linear, trees = _fit_parts(rows, task.encoder, chosen, nothing, task.settings)
        found.append(replace(fitted, linear=linear, trees=trees, previous=None))
    return found[0], found[1]


def _base_rate(rows: Rows, encoder: Encoder, rung: Rung, facts: dict[str, Any], limits: SmallData) -> Fitted:
    deals = facts["evidence"]["deals"]
    few = f"{deals} won deals are too few to learn from (the playbook asks for {limits.ranks_from})"
    why = few if rung is Rung.NONE else "every row was won, so that nothing tells them apart"
    choice = Choice(
        Candidate("base rate", None, None, float("nan"), 0.0, 0.0),
        (),
        f"{why}: every lead gets the base rate, which is not learned from the lead",
    )
    facts |= {"choice": choice.to_dict(), "calibration": "none"}
    nothing = Band(((0.0, 0.0), (0.0, 0.0)))
    return Fitted(ScoringModel(encoder, rows.base, None, None, Platt(), nothing, rung, facts), choice)


def _in_deals(rows: Rows, deals: int) -> Rows:
    """Weights such that those of won rows add up to the number of deals."""
    wins = float(rows.weight @ rows.won)
    if wins <= 0:
        raise ValueError("all won rows have no weight; there is nothing to learn from")
    return Rows(rows.matrix, rows.won, rows.weight * (deals / wins), rows.group, rows.date)


def _fit_parts(
    rows: Rows, encoder: Encoder, chosen: Candidate, crossed: Crossed, settings: dict[str, Any]
) -> tuple[Linear | None, Trees | None]:
    """The chosen parts, fitted on all rows, unless one hold-out's parts serve."""
    linear, trees = None, None
    if chosen.ridge is not None:
        linear = crossed.kept.get(f"linear {chosen.ridge}")
        if linear is None:
            few = thinned(rows)
            linear = fit_linear(few.matrix, encoder, few.won, few.weight, [chosen.ridge])[0]
    if chosen.kind is not None:
        rounds = crossed.rounds[chosen.kind]
        booster = crossed.kept.get(chosen.kind)
        if booster is None:
            own = settings_of(chosen.kind, settings)
            booster, _ = grow(dataset(rows.matrix, encoder, rows.won, rows.weight, own), own, rounds)
        trees = Trees(_without_threads(booster.model_to_string(num_iteration=rounds)))
    return linear, trees


def _without_threads(text: str) -> str:
    """LightGBM's text writes down how many threads there were; the model does not depend on it."""
    return re.sub(r"^\[num_threads: \d+\]$", "[num_threads: 0]", text, flags=re.MULTILINE)


def _calibrate(
    chosen: Candidate, margin: Floats, rows: Rows, deals: int, limits: SmallData, seed: int
) -> tuple[Calibrator, str]:
    """Platt with a prior for few deals, beta beyond, isotonic if it is better on accounts left out."""
    won, weight = rows.won, rows.weight
    if chosen.ridge is None and chosen.kind is None:
        return Platt(), "the base rate needs none"
    if deals < limits.probabilities_from:
        return fit_platt(margin, won, weight), "Platt with a prior on the slope: few deals"
    beta = fit_beta(margin, won, weight)
    if deals < limits.isotonic_from:
        return beta, "beta"
    folds = assign_folds(rows, 5, seed + 1)
    losses = {"beta": 0.0, "isotonic": 0.0}
    for fold in range(5):
        out = folds == fold
        for name, fit in (("beta", fit_beta), ("isotonic", fit_isotonic)):
            calibrator = fit(margin[~out], won[~out], weight[~out])
            losses[name] += log_loss(calibrator(margin[out]), won[out], weight[out]) * float(weight[out].sum())
    if losses["isotonic"] < losses["beta"]:
        return fit_isotonic(margin, won, weight), "isotonic: better than beta on accounts left out"
    return beta, "beta: better than isotonic on accounts left out"


def _moved_to_newest(calibrator: Calibrator, margin: Floats, rows: Rows) -> Calibrator:
    """The calibrator with its level moved to the newest quarter of the as-of dates, as far as their deals bear it."""
    last = int(rows.date.max())
    if last == 0:
        return calibrator
    newest = rows.date > last - max(1, (last + 1) // 4)
    shift = fit_intercept(calibrator(margin[newest]), rows.won[newest], rows.weight[newest], sd=_NEW_LEVEL_SD)
    return shifted(calibrator, shift)


def shifted(calibrator: Calibrator, shift: float) -> Calibrator:
    """The calibrator with `shift` added to its log-odds."""
    if isinstance(calibrator, Platt):
        return replace(calibrator, intercept=calibrator.intercept + shift)
    if isinstance(calibrator, Beta):
        return replace(calibrator, c=calibrator.c + shift)
    assert isinstance(calibrator, Isotonic)
    return replace(calibrator, log_odds=tuple(x + shift for x in calibrator.log_odds))


def _seeds(seed: int) -> dict[str, int]:
    return {"seed": seed, "bagging_seed": seed + 1, "feature_fraction_seed": seed + 2, "data_random_seed": seed + 3}


def _monotone(encoder: Encoder, monotone: Mapping[str, int]) -> dict[str, Any]:
    """LightGBM's constraints for named features."""
    unknown = sorted(set(monotone) - set(encoder.names))
    if unknown:
        raise ValueError(f"monotone names features that are not there: {', '.join(unknown)}")
    if not monotone:
        return {}
    return {"monotone_constraints": [int(monotone.get(name, 0)) for name in encoder.names]}
