"""Activities: what marketing automation calls the touch kinds of a playbook.

Hand-made scores are published for activities such as "form submitted" and "page viewed". A playbook's kinds are a
company's own; each is taken for the first activity of `ACTIVITIES` one of whose phrases stands in its name, word by
word (`demo_request` has the word "demo", `platform_visit` has not the word "form"). What cannot be told from its name
is `OTHER` if it shows interest.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from touchline.playbook import Playbook

Behaviour = Literal["forms", "clicks", "pages", "opens"]
"""The behaviours of Eloqua's example scorecard."""


@dataclass(frozen=True)
class Activity:
    """One activity, with what it is worth where scores are made by hand."""

    name: str
    points: float
    """Pardot's default."""
    behaviour: Behaviour | None
    """Which line of Eloqua's example scorecard it counts for."""
    phrases: tuple[str, ...] = ()
    """Words in the names of kinds, English and French."""


ACTIVITIES = (
    Activity("form with errors", -5, None, ("form error", "landing error", "formulaire erreur")),
    Activity(
        "form or landing page completed", 50, "forms",
        ("form", "landing", "demo", "trial", "request", "registration", "signup", "subscribe", "contact us", "quote",
         "formulaire", "demande", "inscription", "essai", "devis"),
    ),
    # For Eloqua: who is there filled in a form to register, and logs often hold nothing but the visit.
    Activity(
        "event registered or attended", 0, "forms",
        ("webinar", "event", "tradeshow", "conference", "workshop", "webinaire", "evenement", "salon", "atelier"),
    ),
    Activity("e-mail opened", 0, "opens", ("open", "opened", "opens", "ouverture")),
    Activity("tracked link clicked", 3, "clicks", ("click", "clicked", "clicks", "redirect", "clic")),
    Activity(
        "file accessed", 3, "pages",
        ("file", "download", "downloaded", "document", "whitepaper", "ebook", "brochure", "telechargement", "fichier"),
    ),
    Activity("site search", 3, "pages", ("search", "recherche")),
    Activity("visitor session", 3, "pages", ("visit", "visited", "session", "visite")),
    Activity("page viewed", 1, "pages", ("page", "pages", "pageview", "view", "viewed", "vue")),
)  # fmt: skip
"""In order of matching. Points: help.pardot.com, "Prospect Scoring Overview"; it gives 0 for an event registered or
attended, and does not name webinars."""
OTHER = Activity("other sign of interest", 3, "pages")
"""What Pardot gives for most activities."""


def activities_of(playbook: Playbook) -> dict[str, Activity]:
    """The activity of each kind that has one; kinds that show no interest have none, but for failed forms.

    >>> from touchline.playbook import starter_playbook
    >>> found = activities_of(starter_playbook())
    >>> found["demo_request"].name, found["web_visit"].points, "email_sent" in found
    ('form or landing page completed', 3, False)
    """
    found: dict[str, Activity] = {}
    for name, kind in playbook.kinds.items():
        activity = _by_name(name)
        if kind.engagement:
            found[name] = activity or OTHER
        elif activity is not None and activity.points < 0 and kind.direction == "inbound":
            found[name] = activity
    return found


def _by_name(kind: str) -> Activity | None:
    words = set(kind.split("_"))
    return next((a for a in ACTIVITIES if any(words.issuperset(phrase.split()) for phrase in a.phrases)), None)
