"""Reasons: why a lead has its score, in parts that add up, traced to facts, told in plain words.

In: contributions of features (`touchline.models.explainer`), the catalogue, and the features themselves. Out: for each
lead the families of features that count most for and against it, each with the subject that says so most strongly and
its facts; what changed between two scorings; and sentences in English and French.
"""

from touchline.models.reasons.change import STEPS, Change, Step, find_change
from touchline.models.reasons.grouping import Grouping
from touchline.models.reasons.reasons import Most, Reasons, find_reasons
from touchline.models.reasons.subjects import Evidence, Subject, evidence_features, evidence_of, subject_of

__all__ = [
    "STEPS",
    "Change",
    "Evidence",
    "Grouping",
    "Most",
    "Reasons",
    "Step",
    "Subject",
    "evidence_features",
    "evidence_of",
    "find_change",
    "find_reasons",
    "subject_of",
]
