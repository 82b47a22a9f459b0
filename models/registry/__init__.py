"""The registry: every trained model with what it was made from and how good it is, and which one scores today.

In: a training that is finished, as a `TrainingRecord`. Out: a version in an MLflow store, loaded by number or by one of
two aliases: `champion` scores, `challenger` wants to. Any MLflow client sees the same runs, versions and history.
"""

from touchline.models.registry.card import ModelCard, model_card
from touchline.models.registry.history import Promotion
from touchline.models.registry.loading import LoadedModel, Twin
from touchline.models.registry.registry import CHALLENGER, CHAMPION, Registry, Version
from touchline.models.registry.store import Store
from touchline.models.registry.tracking import TrainingRecord

__all__ = [
    "CHALLENGER",
    "CHAMPION",
    "LoadedModel",
    "ModelCard",
    "Promotion",
    "Registry",
    "Store",
    "TrainingRecord",
    "Twin",
    "Version",
    "model_card",
]
