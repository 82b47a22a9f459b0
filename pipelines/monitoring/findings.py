"""Findings: what a person should look at, how urgent it is, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Self

Severity = Literal["alarm", "warn", "note"]
SEVERITIES: tuple[Severity, ...] = ("alarm", "warn", "note")
"""`alarm`: the scores are wrong; `warn`: a person must look; `note`: worth knowing, the exit code stays 0."""


class Code(StrEnum):
    """What a finding is about.

    Attributes
    ----------
    looks_at
        What is held against what, in one sentence.
    advice
        What to do; a finding may say it with names.
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

    OBSERVED_EXPECTED = (
        "observed_expected",
        "wins that came, by wins that were expected, of batches whose windows are over",
        "retrain: `touchline train`, then `touchline promote`",
    )
    NOT_MATURE = (
        "not_mature",
        "whether the window of any batch is over, so that scores can be held against what came",
        "nothing; ask again later",
    )
    STALE = (
        "stale",
        "whether the newest batch is as new as the data",
        "score again: `touchline score`; look whether the nightly job runs",
    )
    SCORE_DRIFT = (
        "score_drift",
        "how the distribution of scores moved since the batch before, and since the reference batch",
        "look at the feeds first; if the data is right, the market has moved: retrain",
    )
    FAMILY_DRIFT = (
        "family_drift",
        "how much each family of features says now, and said at the reference batch",
        "check the feeds of this family; if they are right, retrain",
    )
    SILENT_KIND = (
        "silent_kind",
        "touches of each kind in the last week, and in usual weeks of the quarter before",
        "check the feed",
    )
    MACHINE_TOUCHES = (
        "machine_touches",
        "the share of machines among inbound touches in the last week, and in the quarter before",
        "look for a new mail scanner, and at `[scanners]` in the playbook",
    )
    CAPACITY = (
        "capacity",
        "leads that are worth a call, and leads that sales can call in a week",
        "agree on more leads from marketing, or let sales call further down the list",
    )
    OVERDUE = (
        "overdue",
        "hand-offs that sales has not answered within the agreed time",
        "answer them: accept, reject with a reason, or recycle",
    )
    REJECTIONS = (
        "rejections",
        "why sales sends leads back",
        "talk about this reason together; the playbook may hand over other leads",
    )
    KPI_MISSED = (
        "kpi_missed",
        "the numbers that both teams agreed on, and their targets",
        "talk about it in the next meeting of both teams",
    )


@dataclass(frozen=True)
class Finding:
    """Something to look at.

    Attributes
    ----------
    code, severity
        What it is about, and how urgent it is.
    subject
        The kind, family, KPI or batch.
    message
        What was measured, beside what is usual or agreed.
    advice
        What to do.
    """

    code: Code
    severity: Severity
    subject: str
    message: str
    advice: str


def found(code: Code, severity: Severity, subject: str, message: str, advice: str | None = None) -> Finding:
    """A finding, with its code's advice unless there is a better one."""
    return Finding(code, severity, subject, message, advice or code.advice)


def worst_first(findings: list[Finding]) -> tuple[Finding, ...]:
    """By severity, then in the order of the codes, then as they were found."""
    codes = list(Code)
    return tuple(sorted(findings, key=lambda f: (SEVERITIES.index(f.severity), codes.index(f.code))))
