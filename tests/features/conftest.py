"""What tests of several parts of the engine share."""

from __future__ import annotations

import pytest

from touchline.playbook import Playbook, parse_playbook, starter_text

HISTORY = """
[attributes.seats]
table = "leads"
type = "number"
known = "history"
words = { en = "Seats", fr = "Postes" }

[attributes.plan]
table = "accounts"
known = "history"
words = { en = "Plan", fr = "Offre" }

[attributes.trial]
table = "leads"
type = "boolean"
known = "history"
words = { en = "Trial", fr = "Essai" }

[attributes.renewal]
table = "accounts"
type = "time"
known = "history"
words = { en = "Renewal", fr = "Renouvellement" }
"""


@pytest.fixture(scope="session")
def playbook() -> Playbook:
    """The starter playbook, with attributes that change: of leads and of accounts, of every type."""
    return parse_playbook(starter_text().replace("# Without [[sources]]", HISTORY + "\n# Without [[sources]]"))
