"""Training: sets of features and labels, built, kept, opened and shown.

In: canonical tables, playbook, catalogue, engine. Out: a `TrainingSet` or `ScoringSet`, in memory or on disk.
"""

from touchline.features.training.build import build_scoring_set, build_training_set
from touchline.features.training.order import Engine
from touchline.features.training.sets import FeatureSet, ScoringSet, TrainingSet

__all__ = ["Engine", "FeatureSet", "ScoringSet", "TrainingSet", "build_scoring_set", "build_training_set"]
