"""Evaluation: how good a score is, how sure we may be of it, and which of two models is better.

In: outcomes, scores of one or more models, accounts and as-of dates of mature rows, as plain arrays. Out: metrics,
tables and pictures with intervals that redraw whole accounts. Nothing here fits or chooses a model.
"""

from touchline.models.evaluation.catalog import METRICS, Metric
from touchline.models.evaluation.comparison import Basis, Comparison, compare
from touchline.models.evaluation.inputs import Ranks
from touchline.models.evaluation.intervals import Bootstrap, Difference, Interval, bootstrap, count_interval
from touchline.models.evaluation.metrics import (
    Calibration,
    base_rate,
    brier,
    calibration,
    information_captured,
    log_loss,
    observed_expected,
    skill,
)
from touchline.models.evaluation.ranking import (
    AtCapacity,
    GainCurve,
    at_capacity,
    decile_table,
    gain_curve,
    pr_auc,
    roc_auc,
)
from touchline.models.evaluation.reliability import calibration_by_month, calibration_by_segment, reliability_table

__all__ = [
    "METRICS",
    "AtCapacity",
    "Basis",
    "Bootstrap",
    "Calibration",
    "Comparison",
    "Difference",
    "GainCurve",
    "Interval",
    "Metric",
    "Ranks",
    "at_capacity",
    "base_rate",
    "bootstrap",
    "brier",
    "calibration",
    "calibration_by_month",
    "calibration_by_segment",
    "compare",
    "count_interval",
    "decile_table",
    "gain_curve",
    "information_captured",
    "log_loss",
    "observed_expected",
    "pr_auc",
    "reliability_table",
    "roc_auc",
    "skill",
]
