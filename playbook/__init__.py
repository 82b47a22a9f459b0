"""The playbook: what marketing and sales agreed on, as one checked file.

In: a TOML file that people edit. Out: one typed, frozen `Playbook` that every other room reads: what a lead and a win
are, the journey, touch kinds and their words, where the data lies, when a lead is handed over, and every limit.
Its `digest` identifies the agreement in all that is made from it.

    >>> from touchline.playbook import starter_playbook
    >>> starter_playbook().outcome.horizon.days
    91
"""

from touchline.playbook.load import (
    PlaybookError,
    Problem,
    load_playbook,
    parse_playbook,
    playbook_schema,
    starter_playbook,
    starter_text,
)
from touchline.playbook.model import Playbook

__all__ = [
    "Playbook",
    "PlaybookError",
    "Problem",
    "load_playbook",
    "parse_playbook",
    "playbook_schema",
    "starter_playbook",
    "starter_text",
]
