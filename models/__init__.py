"""Models: from a training set to calibrated scores that are compared with honest baselines.

In: training and scoring sets of `touchline.features`. Out: a `LeadScorer`, judged on later rows beside what people use
today, saved without pickle, tracked and promoted in a registry (`touchline.models.registry`).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from touchline.models.artifact import load_model, save_model
    from touchline.models.errors import FeatureError, ModelError, TuningError
    from touchline.models.judging import Judged, judge
    from touchline.models.scale import Scale
    from touchline.models.scorer import LeadScorer, Rung, ScoringModel
    from touchline.models.splits import AsOfSplit, RollingOrigin
    from touchline.models.tuning import Tuned, tune

__all__ = [
    "AsOfSplit",
    "FeatureError",
    "Judged",
    "LeadScorer",
    "ModelError",
    "RollingOrigin",
    "Rung",
    "Scale",
    "ScoringModel",
    "Tuned",
    "TuningError",
    "judge",
    "load_model",
    "save_model",
    "tune",
]

_PLACES = {
    "AsOfSplit": "splits",
    "FeatureError": "errors",
    "Judged": "judging",
    "LeadScorer": "scorer",
    "ModelError": "errors",
    "RollingOrigin": "splits",
    "Rung": "scorer",
    "Scale": "scale",
    "ScoringModel": "scorer",
    "Tuned": "tuning",
    "TuningError": "errors",
    "judge": "judging",
    "load_model": "artifact",
    "save_model": "artifact",
    "tune": "tuning",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: scikit-learn takes a second."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
