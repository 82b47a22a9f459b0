"""Insight: what a salesperson needs to know besides the score, as of an instant, for many leads at once.

In: canonical tables, the playbook, an instant, leads, and optionally the credit of won leads' touches. Out: Arrow
tables of interesting moments, of what was told already and how often, and of what to share next; credit tables; and
the words for them. Only facts that happened and were known before the instant count, what machines did does not, and
what a merge copied counts for the lead alone.
"""

from touchline.serve.insight.credit import CREDIT_SCHEMA, credit_table
from touchline.serve.insight.moments import MOMENTS, MOMENTS_SCHEMA, find_moments
from touchline.serve.insight.share import SHARE_SCHEMA, next_to_share
from touchline.serve.insight.told import PRESSURE_SCHEMA, RESPONSES, TOLD_SCHEMA, already_told, contact_pressure
from touchline.serve.insight.words import credit_note, moment_sentence, share_sentence, told_sentence, topic_words

__all__ = [
    "CREDIT_SCHEMA",
    "MOMENTS",
    "MOMENTS_SCHEMA",
    "PRESSURE_SCHEMA",
    "RESPONSES",
    "SHARE_SCHEMA",
    "TOLD_SCHEMA",
    "already_told",
    "contact_pressure",
    "credit_note",
    "credit_table",
    "find_moments",
    "moment_sentence",
    "next_to_share",
    "share_sentence",
    "told_sentence",
    "topic_words",
]
