"""The tables of a comparison, one function each."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from touchline.models.evaluation.catalog import METRICS
from touchline.models.evaluation.draws import best_of_dates, once, places_of_dates
from touchline.models.evaluation.inputs import Bools, Floats
from touchline.models.evaluation.intervals import Bootstrap
from touchline.models.evaluation.metrics import margin
from touchline.models.evaluation.order import date_order
from touchline.models.evaluation.ranking import capacity_columns
from touchline.models.evaluation.reliability import cells, label_numbers, month_numbers, quantile_bins
from touchline.models.evaluation.sample import Sample, Scores

_CALLED = np.linspace(0, 1, 61)[1:] ** 2
"""Shares called, denser where sellers work."""
_BINS, _PLACES = 10, 25
_SAYS_NOTHING = (0.0005, 0.9995)
"""Quantiles of a score between which its histogram is drawn; what is outside is put into the outermost bars."""


def metrics(drawn: Bootstrap) -> pd.DataFrame:
    """Model x (metric, value / low / high)."""
    return pd.DataFrame(
        [[v for name in METRICS for v in drawn.interval(model, name)] for model in drawn.drawn],
        index=pd.Index(list(drawn.drawn), name="model"),
        columns=pd.MultiIndex.from_product([list(METRICS), ["value", "low", "high"]], names=["metric", "part"]),
    )


def paired(drawn: Bootstrap, reference: str) -> pd.DataFrame:
    """(model, metric) -> difference to the reference."""
    keys = [(model, name) for model in drawn.drawn if model != reference for name in METRICS]
    return pd.DataFrame(
        [drawn.paired(model, reference, name) for model, name in keys],
        index=pd.MultiIndex.from_tuples(keys, names=["model", "metric"]) if keys else _no_keys("model", "metric"),
        columns=["value", "low", "high", "better"],
        dtype=np.float64,
    )


def by_segment(data: Sample, models: Mapping[str, Scores], labels: Mapping[str, ArrayLike]) -> pd.DataFrame:
    """(segment, label, model) -> counts and calibration."""
    found = {}
    for segment, values in labels.items():
        number, names = label_numbers(values, len(data.won), f"segment {segment!r}")
        for model, scores in models.items():
            found[segment, model] = cells(data, scores.probability, number, "label", names)
    if not found:
        return pd.DataFrame(index=_no_keys("segment", "label", "model"))
    return pd.concat(found, names=["segment", "model"]).swaplevel().sort_index(level="segment", sort_remaining=False)


def by_month(data: Sample, models: Mapping[str, Scores], as_of: ArrayLike) -> pd.DataFrame:
    """(model, month) -> counts and calibration."""
    number, names = month_numbers(as_of, len(data.won))
    return pd.concat(
        {m: cells(data, s.probability, number, "month", names) for m, s in models.items()}, names=["model"]
    )


def reliability(data: Sample, models: Mapping[str, Scores]) -> pd.DataFrame:
    """(model, bin) -> counts and calibration, for models that give probabilities."""
    found = {
        m: cells(data, s.probability, quantile_bins(s.probability, data.weight, _BINS), "bin")
        for m, s in models.items()
        if s.probability is not None
    }
    return pd.concat(found, names=["model"]) if found else pd.DataFrame(index=_no_keys("model", "bin"))


def gains(data: Sample, models: Mapping[str, Scores]) -> pd.DataFrame:
    """(model, called) -> captured wins and lift, where the same share of each date's leads is called."""
    return pd.concat({m: _gains(data, s.rank) for m, s in models.items()}, names=["model"])


def _gains(data: Sample, score: Floats) -> pd.DataFrame:
    nothing = np.zeros(len(score))
    columns = capacity_columns(data.won, data.weight, data.places, nothing, nothing)
    order = date_order(score, data.date, data.places, data.group, columns)
    itself = once(data.groups)
    total = places_of_dates(data.date, data.places, data.group, itself)
    sums = np.array([best_of_dates(order, itself, share * total)[0] for share in _CALLED])
    with np.errstate(invalid="ignore", divide="ignore"):
        captured = sums[:, 0] / (data.weight * data.won).sum()
        lift = captured / (sums[:, 1] / data.weight.sum())
    return pd.DataFrame({"captured": captured, "lift": lift}, index=pd.Index(_CALLED, name="called"))


def histograms(data: Sample, models: Mapping[str, Scores]) -> pd.DataFrame:
    """(model, place) -> shares of won and of other rows between `low` and `high`."""
    return pd.concat({m: _histogram(data, s) for m, s in models.items()}, names=["model"])


def _histogram(data: Sample, scores: Scores) -> pd.DataFrame:
    log_odds = scores.probability is not None
    x = scores.rank if scores.probability is None else margin(scores.probability)
    low, high = np.quantile(x, _SAYS_NOTHING)
    if not high > low:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, _PLACES + 1)
    inside = np.clip(x, low, high)

    def shares(rows: Bools) -> Floats:
        heights = np.histogram(inside[rows], edges, weights=data.weight[rows])[0]
        return heights / heights.sum() if heights.sum() > 0 else np.full(_PLACES, np.nan)

    return pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "won": shares(data.won),
            "other": shares(~data.won),
            "log_odds": log_odds,
        },
        index=pd.RangeIndex(_PLACES, name="place"),
    )


def _no_keys(*names: str) -> pd.MultiIndex:
    return pd.MultiIndex.from_arrays([[] for _ in names], names=names)
