"""The scorer: a scikit-learn classifier that knows how little a few deals can tell.

In: features of (lead, as_of) rows with labels, weights, accounts, dates. Out: `LeadScorer`, whose `model_` is a
`ScoringModel`: what is saved, explained and served.
"""

from touchline.models.scorer.choice import Candidate, Choice
from touchline.models.scorer.estimator import LeadScorer
from touchline.models.scorer.ladder import Evidence, Rung
from touchline.models.scorer.model import ScoringModel

__all__ = ["Candidate", "Choice", "Evidence", "LeadScorer", "Rung", "ScoringModel"]
