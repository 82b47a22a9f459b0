"""Choosing: candidates from the base rate to trees, judged by the loss of accounts left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from touchline.models.scorer.crossfit import Crossed, Rows

Floats = NDArray[np.float64]

SURE = 2.3
"""Standard errors by which the candidates together must agree with the outcomes.

Together, because the best of several agrees with chance too often. More than the usual 1.64, because folds share what
they learned from, so that their errors look smaller than they are (Bengio and Grandvalet 2004, "No unbiased estimator
of the variance of k-fold cross-validation"). `python -m benchmarks.quality --worlds nothing` tells how often it holds.
"""


@dataclass(frozen=True)
class Candidate:
    """One way to score, and how it did on accounts that it did not see.

    Attributes
    ----------
    name
        Such as `logistic + regularised`: parts whose margins are averaged.
    ridge
        Of the linear part, in won deals; None without one.
    kind
        Of the trees; None without any.
    loss
        Mean log loss per won deal's worth of rows.
    gain
        By how much of the base rate's loss it is better, 0 to 1.
    errors
        How surely it tells won leads from others of the same date, in standard errors by account. Dates are set against
        themselves: that fewer leads are won in autumn is no knowledge of leads.
    """

    name: str
    ridge: float | None
    kind: str | None
    loss: float
    gain: float
    errors: float


@dataclass(frozen=True)
class Choice:
    """What was chosen, among what, and why."""

    chosen: Candidate
    candidates: tuple[Candidate, ...]
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {"chosen": self.chosen.name, "reason": self.reason, "candidates": [asdict(c) for c in self.candidates]}


def choose(crossed: Crossed) -> tuple[Choice, Floats]:
    """Choose the candidate with the least loss, averages before their parts, unless there is nothing to find.

    Returns
    -------
    tuple
        The choice, and the margins of its held-out rows.
    """
    rows = crossed.rows
    base_losses = _losses(crossed.base, rows.won)
    found: list[tuple[Candidate, Floats]] = []
    for name, ridge, kind, margin in _margins(crossed):
        losses = _losses(margin, rows.won)
        loss, base = (float(np.average(x, weights=rows.weight)) for x in (losses, base_losses))
        found.append((Candidate(name, ridge, kind, loss, 1 - loss / base, _agreement(margin, rows)), margin))
    (base_rate, base_margin), *_ = found
    best, margin = _preferring_averages(found, crossed)
    candidates = tuple(candidate for candidate, _ in found)
    together = _agreement(np.mean([margin for _, margin in found[1:]], axis=0), rows)
    if together < SURE or best is base_rate:
        reason = (
            "nothing to find: on accounts left out the candidates together do not surely tell won leads from others "
            f"({together:.1f} standard errors; {SURE} are asked for)"
        )
        return Choice(base_rate, candidates, reason), base_margin
    reason = (
        f"{best.name}: on accounts left out its log loss is {best.gain:.1%} less than the base rate's "
        f"(the candidates together tell won leads from others by {together:.1f} standard errors)"
    )
    return Choice(best, candidates, reason), margin


def _margins(crossed: Crossed) -> list[tuple[str, float | None, str | None, Floats]]:
    found: list[tuple[str, float | None, str | None, Floats]] = [("base rate", None, None, crossed.base)]
    rows = crossed.rows
    losses = {ridge: float(rows.weight @ _losses(m, rows.won)) for ridge, m in crossed.linear.items()}
    ridge = min(losses, key=losses.__getitem__)
    linear = crossed.linear[ridge]
    found.append(("logistic", ridge, None, linear))
    for kind, margin in crossed.trees.items():
        found.append((kind, None, kind, margin))
        found.append((f"logistic + {kind}", ridge, kind, (linear + margin) / 2))
    return found


def _preferring_averages(found: list[tuple[Candidate, Floats]], crossed: Crossed) -> tuple[Candidate, Floats]:
    """The candidate with the least loss; but an average of parts, unless a part alone is surely better.

    Averages were better than their parts in nearly all simulated companies; which part looks best in one of them is
    mostly luck where deals are few.
    """
    rows = crossed.rows
    averages = [pair for pair in found if pair[0].ridge is not None and pair[0].kind is not None]
    best = min(found, key=lambda pair: pair[0].loss)
    average = min(averages, key=lambda pair: pair[0].loss)
    if best is found[0]:  # the base rate: nobody is preferred to it who does worse
        return best
    gain, error = gained(average[1], best[1], rows)
    return best if gain > error else average


def gained(worse: Floats, better: Floats, rows: Rows) -> tuple[float, float]:
    """By how much the margins `better` have less mean log loss than `worse`, and its standard error by account."""
    losses = rows.weight * (_losses(worse, rows.won) - _losses(better, rows.won))
    by_account = np.bincount(rows.group, losses) / rows.weight.sum()
    return float(by_account.sum()), float(np.sqrt((by_account**2).sum()))


def best_average(crossed: Crossed) -> tuple[float, Floats]:
    """The mean log loss and the margins of the average of parts that does best: what tuning is judged by."""
    rows = crossed.rows
    averages = [margin for _, ridge, kind, margin in _margins(crossed) if ridge is not None and kind is not None]
    losses = [float(np.average(_losses(margin, rows.won), weights=rows.weight)) for margin in averages]
    best = int(np.argmin(losses))
    return losses[best], averages[best]


def _agreement(margin: Floats, rows: Rows) -> float:
    """Score test of margins against outcomes within dates, in standard errors over accounts."""
    mass = np.maximum(np.bincount(rows.date, rows.weight), 1e-300)  # dates of which no row was held out
    won, level = (
        x - (np.bincount(rows.date, rows.weight * x) / mass)[rows.date] for x in (rows.won.astype(np.float64), margin)
    )
    scores = np.bincount(rows.group, rows.weight * won * level)
    error = float(np.sqrt((scores**2).sum()))
    return float(scores.sum()) / error if error > 0 else 0.0


def _losses(margin: Floats, won: NDArray[np.bool_]) -> Floats:
    return np.logaddexp(0, np.where(won, -margin, margin))
