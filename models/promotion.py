"""Promotion: whether a challenger may take the champion's place, by a rule that both teams agreed on.

Both are judged on the same later rows, which neither saw: their twins (fitted on what was over before) score them. The
challenger must not be worse by more than the playbook's margin, on log loss and on the wins among the leads that sales
can call (paired bootstrap by account); its chances must come true about; and leads whose facts did not change must
keep their tier, for sales has seen them.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from touchline.features import DataError, ScoringSet, TrainingSet
from touchline.models.evaluation import Comparison, compare
from touchline.models.judging import capacity_per_date
from touchline.models.scale import Scale
from touchline.models.scorer.model import ScoringModel
from touchline.playbook import Playbook
from touchline.playbook.data import Promotion as Limits

CHAMPION, CHALLENGER = "champion", "challenger"


@dataclass(frozen=True)
class Condition:
    """One condition of the rule.

    Attributes
    ----------
    name
        What it is about.
    met
        Whether it holds.
    value, limit
        What was measured, and what is asked for.
    words
        Both, in a sentence.
    """

    name: str
    met: bool
    value: float
    limit: float
    words: str


@dataclass(frozen=True)
class Verdict:
    """Whether the challenger may be promoted, and why or why not."""

    conditions: tuple[Condition, ...]
    comparison: Comparison
    churn: float
    """Share of the leads whose tier differs between the two models, the facts being the same."""

    @property
    def promoted(self) -> bool:
        """Whether every condition holds."""
        return all(condition.met for condition in self.conditions)

    @property
    def words(self) -> str:
        """The verdict in a sentence."""
        failed = [condition.words for condition in self.conditions if not condition.met]
        return "every condition holds" if not failed else "; ".join(failed)

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON, and for the history."""
        return {"promoted": self.promoted, "words": self.words, "conditions": [asdict(c) for c in self.conditions]}


def challenge(
    champion: ScoringModel,
    challenger: ScoringModel,
    *,
    twins: tuple[ScoringModel, ScoringModel],
    later: TrainingSet,
    today: ScoringSet,
    playbook: Playbook,
    scale: Scale,
    draws: int = 1000,
) -> Verdict:
    """Judge a challenger against the champion.

    Parameters
    ----------
    champion, challenger
        The models that would score.
    twins
        The twin of each: fitted only on rows whose windows were over before `later` begins.
    later
        Mature rows that neither twin saw.
    today
        Leads as they are now: their tiers are compared.
    playbook
        Holds the limits.
    scale
        The registry's scale.

    Raises
    ------
    DataError
        If nothing was won among the later rows, so that nothing can be told.
    """
    if not later.y.any():
        raise DataError(
            "the later rows", "hold no win to judge by", "wait for more deals to close, or judge more dates"
        )
    scores: dict[str, Any] = {CHAMPION: twins[0].probability(later.X), CHALLENGER: twins[1].probability(later.X)}
    comparison = compare(
        scores,
        later.y,
        groups=later.groups,
        as_of=later.as_of,
        capacity=capacity_per_date(playbook, later.as_of),
        reference=CHAMPION,
        draws=draws,
    )
    churn = tier_churn(champion, challenger, today.X, scale)
    return Verdict(_conditions(comparison, churn, playbook.promotion), comparison, churn)


def tier_churn(one: ScoringModel, other: ScoringModel, features: pd.DataFrame, scale: Scale) -> float:
    """Share of the rows to which two models give different tiers."""
    return float(np.mean(scale.tier(one.log_odds(features)) != scale.tier(other.log_odds(features))))


def _conditions(comparison: Comparison, churn: float, limits: Limits) -> tuple[Condition, ...]:
    found: list[Condition] = []
    champion_loss = comparison.interval(CHAMPION, "log_loss").value
    for metric, what, margin, sign in (
        ("log_loss", "log loss", limits.worse_log_loss * champion_loss, 1),
        ("capture", "wins among the leads called", limits.worse_capture, -1),
    ):
        difference = comparison.difference(CHALLENGER, metric)
        worst = sign * (difference.high if sign > 0 else difference.low)
        met = bool(worst <= margin) or difference.better >= limits.better_chance
        words = (
            f"{what}: challenger less champion is {difference.value:+.4g} (95 %: {difference.low:+.4g} to "
            f"{difference.high:+.4g}); it must be no worse than {sign * margin:+.4g}, or better in "
            f"{limits.better_chance:.0%} of draws (is in {difference.better:.0%})"
        )
        found.append(Condition(metric, met, float(difference.value), float(sign * margin), words))
    ratio = comparison.interval(CHALLENGER, "observed_expected")
    low, high = limits.observed_expected
    met = bool(ratio.high >= low and ratio.low <= high)
    words = (
        f"observed wins are {ratio.value:.2f} of those expected ({ratio.low:.2f} to {ratio.high:.2f}); "
        f"{low} to {high} is asked for"
    )
    found.append(Condition("observed_expected", met, float(ratio.value), high, words))
    words = f"{churn:.1%} of the leads change tier though their facts did not; at most {limits.tier_churn:.0%} may"
    found.append(Condition("tier_churn", churn <= limits.tier_churn, churn, limits.tier_churn, words))
    return tuple(found)
