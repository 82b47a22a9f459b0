"""Exit codes: what a scheduler needs to know, one number per kind of end."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """How a job ended. 143 (128 + SIGTERM) and 130 (128 + SIGINT) are a clean stop on request."""

    OK = 0
    """All went well."""
    BUG = 1
    """Touchline failed where it should not; please report it."""
    USAGE = 2
    """The command line is wrong."""
    BAD_DATA = 3
    """Data cannot be read, or too many of its rows are bad."""
    BAD_PLAYBOOK = 4
    """The playbook is wrong."""
    NO_MODEL = 5
    """The model is missing or refused."""
    LEAK = 6
    """The audit found that features know what they must not."""
    NOT_PROMOTED = 7
    """The challenger may not score, by the playbook's rule; the champion stays."""
    NO_STORE = 8
    """The score store cannot be used, or what was asked of it cannot be."""
    NEEDS_ATTENTION = 9
    """Monitoring found something that a person must look at."""
    TRY_LATER = 75
    """Another job is at work, or a service does not answer; nothing is lost by trying again."""
