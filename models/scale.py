"""The score 1-99: a fixed scale of log-odds, which a retrain does not shift.

    score = 50 + 10 log2(odds / reference odds), cut off at 1 and 99

Ten points more are twice the odds, always. The reference is frozen with the first model (odds of 1 in 99 unless said
otherwise), so that a lead's score changes only if its chance did. Tiers are ranges of the score:

| tier | score | chance at the usual reference |
|---|---|---|
| A | 75 and more | 5.4 % and more |
| B | 60-74 | 2.0 to 5.4 % |
| C | 40-59 | 0.5 to 2.0 % |
| D | below 40 | less |
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

TIERS = ("A", "B", "C", "D")
_FLOORS = (75.0, 60.0, 40.0)


@dataclass(frozen=True)
class Scale:
    """The score's scale.

    Attributes
    ----------
    reference
        Log-odds that score 50; by default those of a chance of 1 %.
    double
        Points that double the odds.
    """

    reference: float = float(np.log(1 / 99))
    double: float = 10.0

    def score(self, log_odds: Floats) -> Floats:
        """Scores from 1 to 99, not rounded."""
        return np.clip(50 + self.double / np.log(2) * (log_odds - self.reference), 1, 99)

    def tier(self, log_odds: Floats) -> NDArray[np.str_]:
        """Tiers A to D."""
        place = sum((self.score(log_odds) < floor).astype(int) for floor in _FLOORS)
        return np.array(TIERS)[place]
