"""Features: from raw tables to point-in-time training sets.

In: a user's data and the playbook. Out: checked canonical tables (`check_tables`, `Tables`), and sets of features and
labels of which every row holds what was known at its time (`build_training_set`, `build_scoring_set`).
"""

from touchline.features.catalog import Catalog, CatalogError
from touchline.features.engines import LocalEngine
from touchline.features.sources import DataError
from touchline.features.tables import BusyError, CheckResult, Tables, check_tables
from touchline.features.training import FeatureSet, ScoringSet, TrainingSet, build_scoring_set, build_training_set

__all__ = [
    "BusyError",
    "Catalog",
    "CatalogError",
    "CheckResult",
    "DataError",
    "FeatureSet",
    "LocalEngine",
    "ScoringSet",
    "Tables",
    "TrainingSet",
    "build_scoring_set",
    "build_training_set",
    "check_tables",
]
