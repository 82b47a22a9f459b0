"""Models side by side on the same rows: metrics with intervals, each model against the reference, and pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from touchline.models.evaluation import tables
from touchline.models.evaluation.catalog import METRICS
from touchline.models.evaluation.draws import once, places_of_dates
from touchline.models.evaluation.inputs import Ranks, capacity_of, codes, dates
from touchline.models.evaluation.intervals import Difference, Interval, bootstrap_sample, count_interval
from touchline.models.evaluation.ranking import limit_of_dates
from touchline.models.evaluation.sample import Sample, model_scores, sample

if TYPE_CHECKING:
    from touchline.models.evaluation.plot import Plots


@dataclass(frozen=True)
class Basis:
    """What a comparison stands on: distinct counts, not weights."""

    rows: int
    leads: int | None
    """None where `compare` was not told the leads."""
    accounts: int
    won_rows: int
    won_leads: int | None
    won_accounts: int
    dates: int
    first: str
    last: str
    capacity: float
    """Leads per as-of date (int) or their share (float)."""
    called: float
    """The share of places that the capacity covers."""
    weighted: bool
    draws: int
    seed: int


@dataclass(frozen=True)
class Comparison:
    """Models on the same rows; what `compare` returns. Intervals are of 95 %, from whole accounts redrawn."""

    reference: str
    basis: Basis
    base_rate: Interval
    metrics: pd.DataFrame
    """Model x (metric, value / low / high)."""
    paired: pd.DataFrame
    """(model, metric) -> difference to the reference: `value`, `low`, `high`, and `better`, the share of draws in which
    the model is better."""
    segments: pd.DataFrame
    """(segment, label, model) -> counts, observed, expected and their ratio; empty without segments."""
    by_month: pd.DataFrame
    """(model, month) -> the same."""
    reliability: pd.DataFrame
    """(model, bin) -> the same, for models that give probabilities."""
    gains: pd.DataFrame
    """(model, called) -> `captured` wins and `lift`, when the same share of each date's leads is called."""
    scores: pd.DataFrame
    """(model, place) -> shares of won and of other rows by score: `low`, `high`, `won`, `other`; log-odds where the
    model gives probabilities (`log_odds`)."""

    def to_frame(self) -> pd.DataFrame:
        """One row per model; columns are a metric's name for its value, and the name with `_low` and `_high`."""
        flat = self.metrics.copy()
        flat.columns = [name if part == "value" else f"{name}_{part}" for name, part in self.metrics.columns]
        return flat

    def to_dict(self) -> dict[str, Any]:
        """The whole comparison as JSON knows it; NaN is None."""
        parts = ("paired", "segments", "by_month", "reliability", "gains", "scores")
        return _plain(
            {
                "reference": self.reference,
                "basis": asdict(self.basis),
                "base_rate": self.base_rate._asdict(),
                "models": {
                    model: {name: dict(row[name]) for name in METRICS} for model, row in self.metrics.iterrows()
                },
                **{name: getattr(self, name).reset_index().to_dict("records") for name in parts},
            }
        )

    @property
    def models(self) -> list[str]:
        """Names of the models, in the order they were given."""
        return [str(model) for model in self.metrics.index]

    def interval(self, model: str, metric: str) -> Interval:
        """A model's metric with its interval."""
        return Interval(*self.metrics.loc[model, metric].to_numpy(np.float64).tolist())  # pyright: ignore

    def difference(self, model: str, metric: str) -> Difference:
        """A model's metric less that of the reference, with its interval."""
        return Difference(*self.paired.loc[(model, metric)].to_numpy(np.float64).tolist())  # pyright: ignore

    @property
    def plot(self) -> Plots:
        """Pictures: `reliability()`, `gain()`, `lift()`, `calibration_over_time()`, `scores()`."""
        from touchline.models.evaluation.plot import Plots

        return Plots(self)

    def _repr_html_(self) -> str:
        from touchline.models.evaluation.page import show

        return show(self)


def compare(
    scores: Mapping[str, ArrayLike | Ranks],
    y: ArrayLike,
    *,
    groups: ArrayLike,
    as_of: ArrayLike,
    capacity: float,
    reference: str,
    leads: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    places: ArrayLike | None = None,
    amount: ArrayLike | None = None,
    segments: Mapping[str, ArrayLike] | None = None,
    true_probability: ArrayLike | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> Comparison:
    """Compare models on the same mature rows.

    Parameters
    ----------
    scores
        Model -> probabilities (rows,), or `Ranks` for a model that only ranks.
    y
        Outcomes (rows,).
    groups
        Accounts (rows,); intervals redraw them. A row without an account has its lead's id.
    as_of
        Dates (rows,), datetime64, UTC.
    capacity
        Leads that can be called on each as-of date (int), or their share (float). Each date's best are taken; see
        `at_capacity` for how dates are averaged.
    reference
        The model that the others are compared with.
    leads
        Leads (rows,), to state how many there are.
    weight, places, amount
        Weights, places in the capacity, and amounts (rows,), as in `at_capacity`.
    segments
        Name -> labels (rows,).
    true_probability
        True chances (rows,) of simulated data.
    draws, seed
        As in `bootstrap`.

    Raises
    ------
    ValueError
        If an argument is not as described; the message names it.
    """
    if reference not in scores:
        raise ValueError(f"reference {reference!r} is none of the models: {', '.join(map(str, scores))}")
    capacity = capacity_of(capacity)
    n = np.size(y)
    when = dates(as_of, n)
    data = sample(y, groups, as_of=when, weight=weight, places=places, amount=amount, true_probability=true_probability)
    models = {name: model_scores(values, n, name) for name, values in scores.items()}
    drawn = bootstrap_sample(scores, data, capacity=capacity, draws=draws, seed=seed)
    return Comparison(
        reference,
        _basis(data, when, leads, capacity, draws, seed),
        _base_rate(data),
        tables.metrics(drawn),
        tables.paired(drawn, reference),
        tables.by_segment(data, models, segments or {}),
        tables.by_month(data, models, when),
        tables.reliability(data, models),
        tables.gains(data, models),
        tables.histograms(data, models),
    )


def _basis(
    data: Sample, when: NDArray[np.datetime64], leads: ArrayLike | None, capacity: float, draws: int, seed: int
) -> Basis:
    rows = len(data.won)
    won = data.won & (data.weight > 0)
    lead = None if leads is None else codes(leads, rows, "leads")[0]
    itself = once(data.groups)
    total = places_of_dates(data.date, data.places, data.group, itself)
    called = np.minimum(limit_of_dates(capacity, total), total).sum() / total.sum()
    first, last = (str(day)[:10] for day in (when.min(), when.max()))
    return Basis(
        rows=rows,
        leads=None if lead is None else len(np.unique(lead)),
        accounts=data.groups,
        won_rows=int(won.sum()),
        won_leads=None if lead is None else len(np.unique(lead[won])),
        won_accounts=data.won_groups,
        dates=data.dates,
        first=first,
        last=last,
        capacity=capacity,
        called=float(called),
        weighted=bool(np.ptp(data.weight) > 0),
        draws=draws,
        seed=seed,
    )


def _base_rate(data: Sample) -> Interval:
    wins, weight = data.by_group(data.weight * data.won), data.by_group(data.weight)
    total = float(weight.sum())
    usual = float(wins.sum()) / data.won_groups if data.won_groups else total / data.groups
    low, high = count_interval(wins, weight, usual, total)
    return Interval(float(wins.sum()) / total, low / total, high / total)


def _plain(value: Any) -> Any:
    """A value as JSON knows it."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)
