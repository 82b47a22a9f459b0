"""One model's metrics in every draw, and how much each account moves them.

Means and calibration need only sums per account, so that a batch of draws is one product of matrices; what depends on
the order is worked out by the compiled passes. Calibration lines take one Newton step from the line of all rows with
the draw's own sums (the k-step bootstrap of Davidson and MacKinnon 1999), instead of a fit per draw.
"""

from __future__ import annotations

import numpy as np

from touchline.models.evaluation.draws import best_of_dates, once, rank_metrics
from touchline.models.evaluation.influence import of_capacity, of_ranks
from touchline.models.evaluation.inputs import Floats
from touchline.models.evaluation.metrics import calibration, cross_entropy, logistic, margin
from touchline.models.evaluation.order import date_order, rank_order
from touchline.models.evaluation.ranking import capacity_columns, from_sums, limit_of_dates
from touchline.models.evaluation.sample import Sample, Scores


class Redraw:
    """A model on a sample, ready to be redrawn."""

    def __init__(self, data: Sample, scores: Scores, capacity: float) -> None:
        self._data, self._scores, self._capacity = data, scores, capacity
        nothing = np.full(len(data.won), np.nan)
        p = nothing if scores.probability is None else scores.probability
        columns = capacity_columns(
            data.won, data.weight, data.places, p, nothing if data.amount is None else data.amount
        )
        self._rank = rank_order(scores.rank, data.won, data.weight, data.group)
        self._best = date_order(scores.rank, data.date, data.places, data.group, columns)
        self._chances = None if scores.probability is None else _Chances(data, scores.probability)

    def metrics(self, counts: Floats, total: Floats) -> dict[str, Floats]:
        """Metric -> values (draws,), for counts (groups, draws) and the dates' places (dates, draws)."""
        won, weight = (
            counts.T @ self._data.by_group(v) for v in (self._data.weight * self._data.won, self._data.weight)
        )
        area, precision = rank_metrics(self._rank, counts)
        sums = best_of_dates(self._best, counts, limit_of_dates(self._capacity, total))
        found = {"roc_auc": area, "pr_auc": precision, **from_sums(sums, won, weight, self._data.dates)}
        return {**found, **(self._chances.metrics(counts) if self._chances else {})}

    def influence(self, total: Floats) -> dict[str, Floats]:
        """Metric -> for each account (groups,) the first-order change of the metric if it came once more.

        Only the shape of an interval depends on them (acceleration and effective number of accounts), not its centre.
        """
        data = self._data
        found = of_ranks(self._rank, data) | of_capacity(self._best, data, self._capacity, total)
        return {**found, **(self._chances.influence() if self._chances else {})}


class _Chances:
    """Metrics of probabilities, from sums per account."""

    def __init__(self, data: Sample, probability: Floats) -> None:
        self._data, won, w = data, data.won, data.weight
        self._line = calibration(won, probability, w)
        sums = {
            "weight": w,
            "won": w * won,
            "expected": w * probability,
            "loss": w * cross_entropy(won, probability),
            "brier": w * (won - probability) ** 2,
        }
        if data.truth is not None:
            sums["true"] = w * data.truth
            sums["true_loss"] = w * cross_entropy(data.truth, probability)
            sums["best_loss"] = w * cross_entropy(data.truth, data.truth)
        sums |= self._derivatives(margin(probability))
        self._names = list(sums)
        self._sums = np.stack([data.by_group(v) for v in sums.values()], axis=1)

    def _derivatives(self, x: Floats) -> dict[str, Floats]:
        """Gradient and curvature of the two log likelihoods at their maxima."""
        won, w, line, sums = self._data.won, self._data.weight, self._line, {}
        if np.isfinite(line.in_the_large):
            p = logistic(line.in_the_large + x)
            sums |= {"large_gradient": w * (won - p), "large_curve": w * p * (1 - p)}
        if np.isfinite(line.slope):
            p = logistic(line.intercept + line.slope * x)
            curve = w * p * (1 - p)
            sums |= {"gradient": w * (won - p), "gradient_x": w * (won - p) * x}
            sums |= {"curve": curve, "curve_x": curve * x, "curve_xx": curve * x * x}
        return sums

    def metrics(self, counts: Floats) -> dict[str, Floats]:
        s = dict(zip(self._names, (counts.T @ self._sums).T, strict=True))
        with np.errstate(invalid="ignore", divide="ignore"):
            loss, rate = s["loss"] / s["weight"], s["won"] / s["weight"]
            base = np.where((rate > 0) & (rate < 1), cross_entropy(rate, rate), np.nan)
            found = {
                "log_loss": loss,
                "skill": (base - loss) / base,
                "brier": s["brier"] / s["weight"],
                "observed_expected": np.where(s["expected"] > 0, s["won"] / s["expected"], np.nan),
            }
            if "true" in s:
                found["information"] = _information(s)
            return found | self._calibration(s)

    def _calibration(self, s: dict[str, Floats]) -> dict[str, Floats]:
        line, draws = self._line, len(s["weight"])
        one_class = (s["won"] <= 0) | (s["won"] >= s["weight"])
        large = slope = intercept = np.full(draws, np.nan)
        if "large_curve" in s:
            large = np.where(one_class, np.nan, line.in_the_large + s["large_gradient"] / s["large_curve"])
        if "curve" in s:
            room = s["curve"] * s["curve_xx"] - s["curve_x"] ** 2
            slope = line.slope + (s["curve"] * s["gradient_x"] - s["curve_x"] * s["gradient"]) / room
            intercept = line.intercept + (s["curve_xx"] * s["gradient"] - s["curve_x"] * s["gradient_x"]) / room
            slope, intercept = np.where(one_class, np.nan, slope), np.where(one_class, np.nan, intercept)
        return {
            "calibration_slope": slope,
            "calibration_intercept": intercept,
            "calibration_in_the_large": large,
        }

    def influence(self) -> dict[str, Floats]:
        columns = dict(zip(self._names, self._sums.T, strict=True))
        s = {name: column.sum() for name, column in columns.items()}
        now = self.metrics(once(self._data.groups))

        def ratio(name: str, above: Floats, below: Floats) -> Floats:
            with np.errstate(invalid="ignore", divide="ignore"):
                return (above - now[name][0] * below) / below.sum()

        found = {
            "log_loss": ratio("log_loss", columns["loss"], columns["weight"]),
            "brier": ratio("brier", columns["brier"], columns["weight"]),
            "observed_expected": ratio("observed_expected", columns["won"], columns["expected"]),
        }
        rate = s["won"] / s["weight"]
        if 0 < rate < 1:
            base = _against(columns["won"], columns["weight"], rate)
            found["skill"] = ratio("skill", base - columns["loss"], base)
        if "true" in s and np.isfinite(now["information"][0]):
            base = _against(columns["true"], columns["weight"], s["true"] / s["weight"])
            below = base - columns["best_loss"]
            found["information"] = 100 * (base - columns["true_loss"]) / below.sum()
            found["information"] -= now["information"][0] * below / below.sum()
        if "large_curve" in s:
            found["calibration_in_the_large"] = columns["large_gradient"] / s["large_curve"]
        if "curve" in s:
            room = s["curve"] * s["curve_xx"] - s["curve_x"] ** 2
            g, gx = columns["gradient"], columns["gradient_x"]
            found["calibration_slope"] = (s["curve"] * gx - s["curve_x"] * g) / room
            found["calibration_intercept"] = (s["curve_xx"] * g - s["curve_x"] * gx) / room
        return found


def _against(won: Floats, weight: Floats, rate: float) -> Floats:
    """Log loss of the constant `rate`, summed per account."""
    return -won * np.log(rate) - (weight - won) * np.log1p(-rate)


def _information(s: dict[str, Floats]) -> Floats:
    rate = s["true"] / s["weight"]
    base = s["weight"] * cross_entropy(rate, rate)
    room = base - s["best_loss"]
    return np.where(room > 1e-12 * base, 100 * (base - s["true_loss"]) / room, np.nan)
