"""Explaining a batch: from feature sets to scores, reasons and changes, all as columns.

The rows come from `build_scoring_set`, by the same code as training. What touches of the last days did, and what
changed since an earlier date, needs the same leads again with only what was known earlier; those sets are optional.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from touchline.features.catalog import Catalog, StageNow
from touchline.models.explainer import Contributions, Explainer
from touchline.models.reasons import Change, Grouping, Most, Reasons, evidence_features, find_change, find_reasons
from touchline.models.reasons.reasons import FEW
from touchline.models.reasons.subjects import PROFILE
from touchline.models.scale import Scale, grades
from touchline.models.scale import flames as flames_of
from touchline.models.scorer.model import ScoringModel, probability
from touchline.playbook import Playbook

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]

STAGE = StageNow().name
WEEK, FORTNIGHT = 7, 14
"""Days within which new touches light flames."""
_SURROUNDINGS = frozenset({"age", "calendar", "machine"})
"""What is neither what a lead is nor what it did; no part of a grade."""


class Frames(NamedTuple):
    """The same leads in the same order, as of several instants and with what was known at several.

    Attributes
    ----------
    now
        As of now: keys (`lead_id`, `account_id`, `as_of`) and features.
    without_week, without_fortnight
        As of now, with only what was known 7 and 14 days ago; for flames.
    then, aged
        As of an earlier date; and as of now with only what was known then. For what changed.
    """

    now: pd.DataFrame
    without_week: pd.DataFrame | None = None
    without_fortnight: pd.DataFrame | None = None
    then: pd.DataFrame | None = None
    aged: pd.DataFrame | None = None


@dataclass(frozen=True)
class Explained:
    """Scored and explained leads, a row each.

    Attributes
    ----------
    keys
        `lead_id`, `account_id`, `as_of`, and the `stage` it stands at.
    log_odds, low, high
        Calibrated log-odds, and the ends of the 95% interval of the chance.
    scale
        Of the score.
    contributions
        What each feature of the model adds to the log-odds.
    reasons
        Why.
    flames
        0 to 3; None if the sets for it were not given.
    change
        What changed since the earlier date; None without one.
    """

    keys: pd.DataFrame
    log_odds: Floats
    low: Floats
    high: Floats
    scale: Scale
    contributions: Contributions
    reasons: Reasons
    flames: NDArray[np.int8] | None
    change: Change | None

    @cached_property
    def probability(self) -> Floats:
        """Chances to be won within the horizon."""
        return probability(self.log_odds)

    @cached_property
    def score(self) -> Floats:
        """Scores 1 to 99, not rounded."""
        return self.scale.score(self.log_odds)

    @cached_property
    def tier(self) -> NDArray[np.str_]:
        """Tiers A to D."""
        return self.scale.tier(self.log_odds)

    @cached_property
    def grade(self) -> NDArray[np.str_]:
        """Grades A1 to D4."""
        about = np.array([subject.about for subject in self.reasons.grouping.subjects])
        fit = about == "attribute"
        engagement = ~fit & ~np.isin(about, list(_SURROUNDINGS))
        parts = self.reasons.of_subjects
        return grades(*(self.scale.points(parts[:, mask].sum(axis=1)) for mask in (fit, engagement)))

    def __len__(self) -> int:
        return len(self.keys)


class Explaining:
    """Scores and explains leads with one model; made ready once, used for part after part of a batch.

    Parameters
    ----------
    playbook
        The agreement.
    catalog
        The features that the model was trained with.
    model, scale
        The champion, and the registry's scale.
    before
        The model by which the earlier scores were made, if it is another.
    most
        How many reasons a lead gets.
    """

    def __init__(
        self,
        playbook: Playbook,
        catalog: Catalog,
        model: ScoringModel,
        scale: Scale,
        *,
        before: ScoringModel | None = None,
        most: Most = FEW,
    ) -> None:
        self.playbook = playbook
        self.scale = scale
        self.most = most
        self._now = Explainer(model)
        self._before = Explainer(before) if before is not None else None
        names = list(dict.fromkeys([*model.encoder.names, *(before.encoder.names if before else ())]))
        self.grouping = Grouping.of(catalog, names)
        """Of the features of both models."""
        self.catalog = _needed(catalog, names)
        """The features that the frames must have: those of the models, and those that tell facts."""
        self._zone = ZoneInfo(playbook.time_zone) if playbook.time_zone else None

    @property
    def base(self) -> float:
        """Log-odds of the baseline, from which every lead's sum begins."""
        return self._now.base

    def explain(self, frames: Frames) -> Explained:
        """Score and explain leads.

        Raises
        ------
        FeatureError
            If a frame lacks a feature.
        """
        now = self._now.explain(frames.now).aligned(self.grouping.names)
        low, high = self._now.model.interval_at(now.margin, now.log_odds)
        shown = self._now.model.facts.get("reasons", {}).get("shown")
        reasons = find_reasons(
            now, self.grouping, frames.now, frames.now["as_of"], shown=shown, most=self.most, zone=self._zone
        )
        keys = frames.now[["lead_id", "account_id", "as_of", STAGE]].reset_index(drop=True)
        flames, change = self._flames(frames, reasons), self._change(frames)
        return Explained(keys, now.log_odds, low, high, self.scale, now, reasons, flames, change)

    def _flames(self, frames: Frames, reasons: Reasons) -> NDArray[np.int8] | None:
        if frames.without_week is None or frames.without_fortnight is None:
            return None
        done = np.array([subject.about not in PROFILE for subject in self.grouping.subjects])
        added = [
            (reasons.of_subjects - self._by_subject(frame))[:, done].sum(axis=1)
            for frame in (frames.without_week, frames.without_fortnight)
        ]
        return flames_of(*added)

    def _by_subject(self, frame: pd.DataFrame) -> Floats:
        return self.grouping.by_subject(self._now.explain(frame).aligned(self.grouping.names).of_features)

    def _change(self, frames: Frames) -> Change | None:
        if frames.then is None or frames.aged is None:
            return None
        by = self._before or self._now
        then, aged, now = (by.explain(frame) for frame in (frames.then, frames.aged, frames.now))
        anew = self._now.explain(frames.now) if self._before else None
        return find_change(
            self.grouping, then, aged, now, anew, features=frames.now, as_of=frames.now["as_of"], zone=self._zone
        )


def _needed(catalog: Catalog, names: Sequence[str]) -> Catalog:
    """The models' features, those that tell facts, and the stage, by which pages are filtered."""
    wanted = [catalog[name] for name in names]
    return Catalog(catalog.playbook, [*wanted, *evidence_features(catalog, names)]).add(StageNow(name=STAGE))
