"""Judging: a model beside what people use today, on rows that came later than anything it saw.

Two models are fitted. The twin sees only rows whose windows were over before the test begins, and is judged on the
test; the other sees every mature row, and is what goes to work. The twin is kept: a later challenger is compared with
it on rows that neither saw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from touchline.features import DataError, TrainingSet
from touchline.models.baselines import Baseline
from touchline.models.calibration import fit_platt
from touchline.models.encoding import Encoder
from touchline.models.evaluation import Comparison, compare
from touchline.models.reasons.steadiness import steadiness
from touchline.models.scale import Standing
from touchline.models.scorer import Choice, LeadScorer, ScoringModel
from touchline.models.scorer.fitting import fit_halves
from touchline.models.scorer.linear import fit_linear
from touchline.models.scorer.model import probability
from touchline.models.splits import AsOfSplit
from touchline.playbook import Playbook

Floats = NDArray[np.float64]

OURS = "Touchline"
"""The scorer's name in comparisons."""
_MOST_LABELS = 12
"""Values of an attribute up to which it is a segment of its own table."""
_RIDGE = 100.0


@dataclass(frozen=True)
class Judged:
    """A scorer, how good it is, and what that stands on.

    Attributes
    ----------
    model
        Fitted on every mature row; what goes to work.
    twin
        Fitted on rows whose windows were over at `test_from`.
    choice
        Among what the model was chosen, and why.
    comparison
        The twin beside the baselines, on rows from `test_from` on.
    test
        The rows of the test: `lead_id`, `as_of`, `won`, and the twin's `probability`.
    test_from
        First as-of date of the test.
    notes
        What a reader must know of a model in the comparison (that it looks into the future, say), by its name.
    """

    model: ScoringModel
    twin: ScoringModel
    choice: Choice
    comparison: Comparison
    test: pd.DataFrame
    test_from: datetime
    notes: Mapping[str, str]


def judge(
    training: TrainingSet,
    playbook: Playbook,
    *,
    features: Sequence[str] | None = None,
    baselines: Sequence[Baseline] = (),
    scorer: LeadScorer | None = None,
    before: tuple[ScoringModel, ScoringModel] | None = None,
    test_from: datetime | None = None,
    draws: int = 1000,
    progress: Callable[[str], None] = lambda step: None,
) -> Judged:
    """Fit a scorer and judge it on later rows, beside baselines.

    Parameters
    ----------
    training
        Mature rows, with the features of the scorer and those the baselines need.
    playbook
        Says how long windows are, what sales can take on, and from how many deals what may be said.
    features
        What the scorer looks at; all of the set's features by default.
    baselines
        Fitted on the same earlier rows. Those that only give points are turned into chances by Platt's method there.
    scorer
        The estimator, not fitted; by default one with the playbook's limits. The catalogue's constraints (`monotone` of
        a feature) are added to its own.
    before
        The champion and its twin, to steady the model and its twin by: half of the log-odds are theirs.
    test_from
        First as-of date of the test; by default the newest fifth of the dates.
    draws
        Of the bootstrap.

    Raises
    ------
    DataError
        If there are too few dates for an earlier and a later part.
    """
    names = list(features) if features is not None else training.names
    scorer = scorer or LeadScorer(small_data=playbook.small_data)
    early, late = split_by_time(training, test_from)
    progress("fitting on earlier rows")
    twin = _fit(scorer, early, names).model_
    progress("fitting baselines")
    twin = twin.steadied(before[1]) if before else twin
    scores = {OURS: twin.probability(late.X)}
    scores["Logistic regression"] = logistic_chances(early, late, names)
    notes: dict[str, str] = {}
    for baseline in baselines:
        scores[baseline.name] = as_chances(baseline, early, late)
        if baseline.leaks:
            notes[baseline.name] = baseline.leaks
    progress("comparing on later rows")
    comparison = compare(
        scores,
        late.y,
        groups=late.groups,
        as_of=late.as_of,
        leads=late.arrow(["lead_id"])["lead_id"].to_numpy(zero_copy_only=False),
        capacity=capacity_per_date(playbook, late.as_of),
        reference=OURS,
        segments=_segments(early, late),
        draws=draws,
    )
    progress("fitting on all rows")
    final = _fit(scorer, training, names)
    model = final.model_.steadied(before[0]) if before else final.model_
    progress("explaining")
    families = {feature["name"]: feature["family"] for feature in training.manifest["features"]}
    model = replace(model, facts={
        **model.facts,
        "reasons": steadiness(model, _halves(final, training, names), late.X[names], families),
        "standing": _standing(model, training, names, before[0] if before else None),
    })  # fmt: skip
    test = late.arrow(["lead_id", "as_of", "won"]).to_pandas().assign(probability=scores[OURS])
    return Judged(model, twin, final.choice_, comparison, test, late.as_of.min().to_pydatetime(), notes)


def _halves(final: LeadScorer, training: TrainingSet, names: list[str]) -> tuple[ScoringModel, ScoringModel] | None:
    task = final.prepare(training.X[names], training.y, **training.fit_parameters)
    return fit_halves(task, final.model_, final.choice_.chosen)


def _standing(
    model: ScoringModel, training: TrainingSet, names: Sequence[str], before: ScoringModel | None
) -> list[float]:
    """Floors of the stars that a lead has against a frozen population: that of the first model's newest date."""
    if before is not None and "standing" in before.facts:
        return before.facts["standing"]
    newest = training.take((training.as_of == training.as_of.max()).to_numpy())
    return list(Standing.among(model.log_odds(newest.X[list(names)])).floors)


def split_by_time(training: TrainingSet, test_from: datetime | None = None) -> tuple[TrainingSet, TrainingSet]:
    """The rows that a model to be judged may see, and the later ones that it is judged on.

    Windows of the earlier rows are over before the later ones begin.

    Raises
    ------
    DataError
        If there are too few dates for an earlier and a later part.
    """
    windows = training.manifest["windows"]
    purge = timedelta(days=windows["gap_days"] + windows["horizon_days"])
    try:
        earlier, later = next(AsOfSplit(training.as_of, purge=purge, test_from=test_from).split())
    except ValueError as error:
        raise DataError(
            "the training set", f"is too short to be split by time: {error}", "bring more history, or shorten `horizon`"
        ) from None
    early, late = (training.take(_mask(part, len(training))) for part in (earlier, later))
    return early, late


def bound(scorer: LeadScorer, training: TrainingSet, names: Sequence[str]) -> LeadScorer:
    """The estimator, not fitted, with the catalogue's constraints on these features; its own go before them."""
    from sklearn.base import clone

    declared = {name: direction for name, direction in training.monotone.items() if name in names}
    monotone = {**declared, **(scorer.monotone or {})}
    return cast("LeadScorer", clone(scorer)).set_params(monotone=monotone)


def capacity_per_date(playbook: Playbook, as_of: pd.Series[Any]) -> float:
    """Leads that sales can call on each as-of date; a tenth of them, as a share, with a hand-over by threshold."""
    capacity = playbook.handoff.capacity
    if capacity is None:
        return 0.1
    dates = np.unique(as_of.to_numpy("datetime64[us]"))
    apart = np.median(np.diff(dates)) / np.timedelta64(7, "D") if len(dates) > 1 else 1.0
    return max(1, round(capacity.people * capacity.per_person_per_week * float(apart)))


def _fit(scorer: LeadScorer, training: TrainingSet, names: Sequence[str]) -> LeadScorer:
    return bound(scorer, training, names).fit(training.X[list(names)], training.y, **training.fit_parameters)


def logistic_chances(early: TrainingSet, late: TrainingSet, names: Sequence[str]) -> Floats:
    """Chances of ridge logistic regression on the same features."""
    encoder = Encoder.learn(early.X[list(names)])
    deals = len({deal for deal in early.deals if deal is not None})
    weight = np.full(len(early), max(deals, 1) / max(int(early.y.sum()), 1))
    part = fit_linear(encoder.encode(early.X), encoder, early.y, weight, [_RIDGE])[0]
    return probability(part.margin(encoder.encode(late.X)))


def as_chances(baseline: Baseline, early: TrainingSet, late: TrainingSet) -> Floats:
    """A baseline's scores as chances, by Platt's method on the rows that it was fitted on."""
    learned: Baseline = baseline.fit(early)
    before, after = learned.score(early), learned.score(late)
    mean, scale = float(before.mean()), float(before.std()) or 1.0
    platt = fit_platt((before - mean) / scale, early.y, np.ones(len(early)), slope_sd=1e3)
    return probability(platt((after - mean) / scale))


def _segments(early: TrainingSet, late: TrainingSet) -> dict[str, NDArray[np.object_]]:
    """Known and new accounts, and each attribute with few values: where a model may be unfair."""
    known = np.isin(late.groups.astype(str), np.unique(early.groups.astype(str)))
    found: dict[str, NDArray[np.object_]] = {"account": np.where(known, "known", "new").astype(object)}
    for feature in late.manifest["features"]:
        if feature["declaration"]["type"] != "Attribute":
            continue
        column = late.arrow([feature["name"]]).to_pandas()[feature["name"]]
        if isinstance(column.dtype, pd.CategoricalDtype) and len(column.cat.categories) <= _MOST_LABELS:
            found[feature["name"]] = column.astype(object).where(column.notna(), "unknown").to_numpy(object)
    return found


def _mask(places: NDArray[np.intp], size: int) -> NDArray[np.bool_]:
    mask = np.zeros(size, bool)
    mask[places] = True
    return mask
