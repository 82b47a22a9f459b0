"""The small-data ladder: what a model may say, by how many distinct won deals it learned from.

Many rows are no evidence of much: thousands of won rows may be a few dozen deals, each seen on many dates and through
several people. So everything is counted in distinct won deals. The limits are the playbook's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from touchline.playbook.data import SmallData


class Rung(StrEnum):
    """What may be said of a lead."""

    NONE = "none"
    """No model of one's own: every lead gets the base rate, and is told to be so."""
    RANKS = "ranks"
    """Who first, but not how likely."""
    PROBABILITIES = "probabilities"
    """Chances, shown with their intervals."""
    FULL = "full"
    """Chances as they are."""


@dataclass(frozen=True)
class Evidence:
    """How much there is to learn from.

    Attributes
    ----------
    deals
        Distinct won deals.
    groups
        Distinct accounts (leads where there is none).
    rows, won_rows
        Rows, and those of them that were won.
    """

    deals: int
    groups: int
    rows: int
    won_rows: int

    @classmethod
    def count(cls, won: NDArray[np.bool_], groups: NDArray[np.int64], deals: ArrayLike | None) -> Evidence:
        """Count; without `deals` each group with a win counts as one deal."""
        keys = groups[won] if deals is None else np.asarray(deals, object)[won].astype(str)
        return cls(len(np.unique(keys)), len(np.unique(groups)), len(won), int(won.sum()))

    def rung(self, limits: SmallData) -> Rung:
        """The highest rung that this much evidence reaches."""
        steps = [
            (limits.ranks_from, Rung.NONE),
            (limits.probabilities_from, Rung.RANKS),
            (limits.full_from, Rung.PROBABILITIES),
        ]
        return next((rung for enough, rung in steps if self.deals < enough), Rung.FULL)
