"""The scorer: a scikit-learn classifier that knows how little a few deals can tell.

In: features of (lead, as_of) rows with labels, weights, accounts, dates. Out: `LeadScorer`, whose `model_` is a
`ScoringModel`: what is saved, explained and served.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from touchline.models.scorer.choice import Candidate, Choice
    from touchline.models.scorer.estimator import LeadScorer
    from touchline.models.scorer.ladder import Evidence, Rung
    from touchline.models.scorer.model import ScoringModel

__all__ = ["Candidate", "Choice", "Evidence", "LeadScorer", "Rung", "ScoringModel"]

_PLACES = {
    "Candidate": "choice",
    "Choice": "choice",
    "Evidence": "ladder",
    "LeadScorer": "estimator",
    "Rung": "ladder",
    "ScoringModel": "model",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: scikit-learn takes a second, and cards do not need it."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
