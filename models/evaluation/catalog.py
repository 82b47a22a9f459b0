"""The metrics of a comparison: their names, what they need, and which way is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from touchline.models.evaluation.inputs import Floats


@dataclass(frozen=True)
class Metric:
    """What a metric is called and how its values are judged."""

    words: str
    better: Literal["high", "low", "one", "zero", "neither"]
    """High or low, near one or near zero; neither for what describes a model without judging it."""
    needs: Literal["ranks", "probabilities", "truth", "amounts"] = "ranks"
    share: bool = False
    """Between 0 and 1 and reaches them: where every draw says 0 or 1, the interval is the exact one of a share."""
    digits: int = 3

    def worse(self, values: Floats) -> Floats:
        """Values on a scale where less is better; NaN where neither is."""
        if self.better == "neither":
            return np.full_like(values, np.nan)
        if self.better == "low":
            return values
        if self.better == "high":
            return -values
        return np.abs(values - (1.0 if self.better == "one" else 0.0))


METRICS: dict[str, Metric] = {
    "log_loss": Metric("log loss", "low", "probabilities", digits=4),
    "skill": Metric("skill over base rate", "high", "probabilities"),
    "information": Metric("information captured, %", "high", "truth", digits=1),
    "brier": Metric("Brier score", "low", "probabilities", digits=4),
    "roc_auc": Metric("ROC-AUC", "high", share=True),
    "pr_auc": Metric("PR-AUC", "high", share=True),
    "capture": Metric("capture", "high", share=True),
    "lift": Metric("lift", "high", digits=2),
    "precision": Metric("precision", "high"),
    "observed_expected": Metric("observed / expected", "one", "probabilities", digits=2),
    "calibration_slope": Metric("calibration slope", "one", "probabilities", digits=2),
    "calibration_intercept": Metric("calibration intercept", "zero", "probabilities", digits=2),
    "calibration_in_the_large": Metric("calibration in the large", "zero", "probabilities", digits=2),
    "expected_wins": Metric("expected wins a date", "neither", "probabilities", digits=2),
    "expected_value": Metric("expected value a date", "neither", "amounts", digits=0),
}
"""Name -> metric, in the order of a table. Capture, lift, precision, expectations: at the capacity of each date."""
