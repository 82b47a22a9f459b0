"""What changed between two scorings of a lead: time, new touches, its profile, and the model, which add up exactly.

A path from then to now, one step after the other:

    old model, facts of then, as of then
    -> ageing   old model, facts of then, as of now
    -> touches  old model, facts of now (what touches did to it)
    -> profile  old model, facts of now (what attributes and stages did to it)
    -> model    new model, facts of now

Touches and profile arrive together; what each did is told apart by the features that moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from touchline.models.explainer import Contributions
from touchline.models.reasons.grouping import Floats, Grouping
from touchline.models.reasons.reasons import Most, tell
from touchline.models.reasons.subjects import PROFILE

if TYPE_CHECKING:
    import pandas as pd

Step = Literal["ageing", "touches", "profile", "model"]
STEPS: tuple[Step, ...] = ("ageing", "touches", "profile", "model")


@dataclass(frozen=True)
class Change:
    """What moved the log-odds of some leads.

    Attributes
    ----------
    grouping
        What features, subjects and families there are.
    of_subjects
        For each step, what it added by way of each subject, of shape (rows, subjects).
    base
        What a new model added to every lead alike; part of the step `model`.
    table, rest
        What new touches did, as in `Reasons`: the families that moved most, with the facts of now, and what they leave.
    """

    grouping: Grouping
    of_subjects: dict[Step, Floats]
    base: float
    table: pd.DataFrame
    rest: Floats

    def step(self, step: Step) -> Floats:
        """What a step added to each lead's log-odds, of shape (rows,)."""
        added = self.of_subjects[step].sum(axis=1)
        return added + self.base if step == "model" else added

    @cached_property
    def total(self) -> Floats:
        """Log-odds of now less those of then, of shape (rows,)."""
        return np.sum([self.step(step) for step in STEPS], axis=0)


def find_change(
    grouping: Grouping,
    then: Contributions,
    aged: Contributions,
    now: Contributions,
    now_anew: Contributions | None = None,
    *,
    features: pd.DataFrame,
    as_of: pd.Series[Any],
    zone: tzinfo | None = None,
) -> Change:
    """Find what changed.

    Parameters
    ----------
    grouping
        Of the features of both models.
    then, aged, now
        By the model of then: facts of then as of then, the same facts as of now, facts of now. The same leads in the
        same order.
    now_anew
        By the model of now, if it is another.
    features, as_of, zone
        Of now, as in `find_reasons`.
    """
    steps = [_by_subject(grouping, part) for part in (then, aged, now)]
    profile = np.array([subject.about in PROFILE for subject in grouping.subjects])
    arrived = steps[2] - steps[1]
    found: dict[Step, Floats] = {
        "ageing": steps[1] - steps[0],
        "touches": np.where(profile, 0.0, arrived),
        "profile": np.where(profile, arrived, 0.0),
        "model": np.zeros_like(arrived),
    }
    base = 0.0
    if now_anew is not None:
        found["model"] = _by_subject(grouping, now_anew) - steps[2]
        base = now_anew.base - now.base
    table, rest = tell(found["touches"], grouping, features, as_of, most=Most(2, 2), zone=zone)
    return Change(grouping, found, base, table, rest)


def _by_subject(grouping: Grouping, contributions: Contributions) -> Floats:
    """Sums over subjects; features that a model does not have add nothing."""
    return grouping.by_subject(contributions.aligned(grouping.names).of_features)
