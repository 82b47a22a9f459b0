"""Choosing: candidates from the base rate to trees, judged by the loss of accounts left out."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from touchline.models.scorer.crossfit import Crossed

Floats = NDArray[np.float64]

SURE = 1.64
"""Standard errors by which a candidate must beat the base rate: a file with nothing in it passes once in twenty."""


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
        The same in its standard errors, by account.
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
    """Choose the candidate with the least loss, unless nothing surely beats the base rate.

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
        differences = np.bincount(rows.group, rows.weight * (base_losses - losses))
        error = float(np.sqrt((differences**2).sum()))  # of the sum over accounts, under no difference
        errors = float(differences.sum()) / error if error else 0.0
        found.append((Candidate(name, ridge, kind, loss, 1 - loss / base, errors), margin))
    best, margin = min(found, key=lambda pair: pair[0].loss)
    base_rate, base_margin = found[0]
    candidates = tuple(candidate for candidate, _ in found)
    if best.errors < SURE:
        reason = (
            f"nothing to find: no candidate is surely better than the base rate on accounts left out "
            f"(the best, {best.name}, by {best.errors:.1f} standard errors; {SURE} are asked for)"
        )
        return Choice(base_rate, candidates, reason), base_margin
    reason = (
        f"{best.name} has the least log loss on accounts left out: {best.gain:.1%} less than the base rate "
        f"({best.errors:.1f} standard errors)"
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


def _losses(margin: Floats, won: NDArray[np.bool_]) -> Floats:
    return np.logaddexp(0, np.where(won, -margin, margin))
