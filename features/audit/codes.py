"""Codes: every kind of leak that the audit looks for, what it looks at, and what to do about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Code(StrEnum):
    """What a finding is about.

    Attributes
    ----------
    looks_at
        What the check held against what, in one sentence; true whether or not it found anything.
    advice
        What to do when it found something.
    """

    looks_at: str
    advice: str

    def __new__(cls, value: str, looks_at: str, advice: str) -> Self:
        """A code with its words."""
        code = str.__new__(cls, value)
        code._value_ = value
        code.looks_at = looks_at
        code.advice = advice
        return code

    # Proofs: exact, on a sample of whole accounts.
    FUTURE_POISON = (
        "future_poison",
        "whether absurd facts that no row may see yet change a feature, or who is scored",
        "this feature reads what was not known at as_of; leave it out until it is mended",
    )
    TRUNCATION = (
        "truncation",
        "whether a feature changes when all that was not yet known at as_of is deleted",
        "this feature reads what was not known at as_of; leave it out until it is mended",
    )
    DEAD_PIPELINE = (
        "dead_pipeline",
        "whether an ordinary fact one microsecond before as_of changes something, as it must",
        "the features do not follow the facts, so that no other proof means anything; look at how they are computed",
    )
    REBUILT = (
        "rebuilt",
        "whether rows of the training set come out bit for bit when they are built again, alone",
        "the set was changed after it was built, or built from something else; build it again with build_training_set",
    )

    # The rows of the set.
    LINEAGE = (
        "lineage",
        "whether the set was built from these tables and this playbook, with every row once",
        "build the set again from the tables that the audit is given",
    )
    EARLY_ROWS = (
        "early_rows",
        "rows as of a time at which the lead was not known yet",
        "drop these rows: nobody could have scored that lead then",
    )
    MERGED_ROWS = (
        "merged_rows",
        "rows of a lead after it was merged into another",
        "drop these rows: the person goes on under the other lead, and would be learned from twice",
    )
    CLOSED_ROWS = (
        "closed_rows",
        "rows as of a time at which the lead's deal was over, or open although the playbook leaves such rows out",
        "drop these rows: their outcome was known, or in the hands of sales",
    )
    IMMATURE_ROWS = (
        "immature_rows",
        "rows whose window was not over, and known, at the end of the data",
        "drop these rows, won or not: nobody knows yet what becomes of them, and the base rate would be wrong",
    )
    LABELS = (
        "labels",
        "whether each row's label is the one that deals and playbook give",
        "take the labels from build_training_set, or mend the deals",
    )
    SAME_ACCOUNT = (
        "same_account",
        "how many of the latest rows are of accounts that stand among the earlier rows, too",
        "report new accounts apart: split by `groups` where the claim is about companies never seen",
    )
    ID_OR_ORDER = (
        "id_or_order",
        "how well the order of rows, of ids and of creation tells the outcome, among rows of one date",
        "ids or rows were given out when the outcome was known; find out how, and keep them out of all features",
    )

    # One feature at a time.
    SINGLE_AUC = (
        "single_auc",
        "how well each feature alone tells the outcome (ROC-AUC, missing values as a value of their own)",
        (
            "ask how this field comes to be filled; unless it surely is known at as_of, leave it out: "
            'known = "never" in the playbook, or catalog.drop(...)'
        ),
    )
    CORRELATION = (
        "correlation",
        "correlation of each feature with the outcome",
        "the feature is the outcome under another name; leave it out",
    )
    CRAMERS_V = (
        "cramers_v",
        "association of each category with the outcome (Cramér's V, corrected for bias)",
        "the category is the outcome under another name; leave it out",
    )
    MISSING_TELLS = (
        "missing_tells",
        "whether being filled at all tells the outcome",
        (
            'the field is filled (or emptied) because of the outcome; set known = "never", or "history" if its '
            "changes are in the table `changes`"
        ),
    )
    TELLING_VALUE = (
        "telling_value",
        "whether a single value of an attribute or category decides the outcome",
        "this value is given because of the outcome; leave the feature out, or take it with its history",
    )
    GOLDEN_FEATURE = (
        "golden_feature",
        "whether a feature alone ranks better than a model of all the others",
        "a single field seldom beats all the rest honestly; ask how it comes to be filled",
    )

    # Facts and fields.
    IMPLIES_OUTCOME = (
        "implies_outcome",
        "how often a win follows each kind of touch, stage and recorded change",
        (
            "this is part of winning, not a sign of it: give the stage the role won, or leave kind or field out of the "
            "features with catalog.drop(...)"
        ),
    )
    OUTCOME_TWIN = (
        "outcome_twin",
        "how much more often each kind of fact stands within the last day before a win than at any other time",
        "the fact belongs to the outcome: feed it as an outcome or ignore it, so that it is no touch and no stage",
    )
    CHANGED_SINCE = (
        "changed_since",
        "whether attributes that are said to be fixed at creation differ between two extracts",
        'the field is not fixed at creation: set known = "history" if you have its changes, else "never"',
    )
    HAS_HISTORY = (
        "has_history",
        "whether fields that are read as fixed at creation have a history of changes",
        'set known = "history" for it, so that each row sees the value of its time',
    )
    BACKFILLED = (
        "backfilled",
        "facts that claim to have been known before the earlier extract ended, and are not in it",
        "known_at is not true of this kind; give its source a `known_after`, or leave it out",
    )
    ACCOUNT_FILLED = (
        "account_filled",
        "whether leads have an account rather because they were won",
        (
            "leads get their account when they are won; take the account from the start (the mail's domain), or drop "
            "account_* features"
        ),
    )
    LATE_FACTS = (
        "late_facts",
        "how late each kind of fact became known after it happened",
        (
            "check that known_at is the time of recording also for kinds that seem never late; else give their source "
            "a `known_after`"
        ),
    )
    MASS_IMPORT = (
        "mass_import",
        "whether many leads were created at the same instant",
        "an import, not the birth of leads: take created_at from the source system, or start as-of dates after it",
    )
    MACHINE_TOUCHES = (
        "machine_touches",
        "opens and clicks within seconds of a send that are not marked as a machine's",
        "name sends, opens and clicks in the playbook's [scanners] and check the data again",
    )
    SALES_ACTIVITY = (
        "sales_activity",
        "how much of the touches is what sales did, and how well its features tell the outcome",
        "sales calls whom it believes in: for a score that does not lean on that, build with a catalogue without them",
    )

    # Training against scoring.
    ADVERSARIAL = (
        "adversarial",
        "how well a model tells rows of training from rows to score (ROC-AUC), features of age and calendar aside",
        "the population or a source has changed; look at the named features, and train on rows like those to score",
    )
    DIVERGENCE = (
        "divergence",
        "how far each feature's values to score lie from those of training (Jensen-Shannon, 0 to 1)",
        "the field means something else today; mend its source, or leave it out",
    )
    FILL_SHIFT = (
        "fill_shift",
        "how far each feature's share of filled values to score lies from that of training",
        "the field is filled elsewhere or later than when learned from; mend its source, or leave it out",
    )
