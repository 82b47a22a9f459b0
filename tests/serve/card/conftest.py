# ruff: noqa: RUF001  # French has its own marks
"""A card written by hand, and the cards of a small company's leads by a model that is fitted in seconds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest

from touchline.features import Tables, build_training_set, check_tables
from touchline.features.sources.simulated import simulate
from touchline.models import LeadScorer, Rung, Scale, ScoringModel
from touchline.models.registry import LoadedModel
from touchline.playbook import Playbook, parse_playbook, starter_text
from touchline.serve.card import ChangeLines, Insight, LeadCard, Line, ReasonLine, ShareLine, TouchLine
from touchline.serve.explain import explain_leads

AS_OF = datetime(2025, 9, 1, 22, 30, tzinfo=UTC)
"""Half past midnight in Paris: the second of September there."""
SINCE = datetime(2025, 8, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Company:
    """What a model of a company needs to explain its leads."""

    playbook: Playbook
    tables: Tables
    model: ScoringModel

    def loaded(self, **changed: Any) -> LoadedModel:
        """The model as the registry would load it, with some of its fields changed."""
        return LoadedModel(replace(self.model, **changed), Scale(), "lead-scorer", 1, "", "", "", "", "")

    def explain(self, leads: Sequence[str], **options: Any) -> list[LeadCard]:
        """Cards as of `AS_OF`, unless another instant is given."""
        changed = options.pop("changed", {})
        return explain_leads(
            self.tables, self.playbook, self.loaded(**changed), leads, **{"as_of": AS_OF, **options}
        )  # fmt: skip

    @property
    def leads(self) -> list[str]:
        """Who was known at `SINCE`."""
        rows = self.tables.arrow("leads", ["lead_id", "created_at", "known_at"]).to_pylist()
        return [row["lead_id"] for row in rows if max(row["created_at"], row["known_at"]) < SINCE]


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    folder = tmp_path_factory.mktemp("company")
    text = starter_text().replace('# time_zone = "Europe/Paris"', 'time_zone = "Europe/Paris"', 1)
    playbook = parse_playbook(text.replace('every = "week"', 'every = "month"'))
    assert playbook.time_zone == "Europe/Paris"
    simulate(folder / "data", leads=500, seed=11)
    assert check_tables(playbook, folder / "data", out=folder / "tables").ok
    training = build_training_set(folder / "tables", playbook, every="month")
    scorer = LeadScorer(n_jobs=1, small_data=playbook.small_data)
    model = scorer.fit(training.X, training.y, **training.fit_parameters).model_
    assert model.parts
    return Company(playbook, Tables.open(folder / "tables"), replace(model, rung=Rung.FULL))


@pytest.fixture(scope="session")
def cards(company: Company) -> dict[str, list[LeadCard]]:
    """Of hundreds of leads, in both languages, with what changed."""
    leads = company.leads[:300]
    assert len(leads) == 300
    return {code: company.explain(leads, since=SINCE, language=code) for code in ("en", "fr")}


WORDS: dict[str, dict[str, str]] = {
    "en": {
        "chance": "8% to be won within 91 days", "base": "A lead like the average", "rest": "Everything else",
        "webinar": "Attended 2 webinars in the last 3 months", "events": "Webinars, events and requests",
        "fit": "Fit", "industry": "Industry: not known", "change": "Up 7 points: webinars +9, 31 days passed −2",
        "touch": "Attended a webinar on 20 August: Zero trust in 90 days", "aged": "31 days passed",
        "moment": "Asked for a demonstration on 28 August", "told": "Zero trust in 90 days: attended on 20 August",
        "share": "Showed interest in “Security” 4 times in the last 6 months",
        "pressure": "Contacted 2 times in the last 30 days",
    },
    "fr": {
        "chance": "8\u202f% de chances de gain sous 91 jours", "base": "Un contact dans la moyenne",
        "rest": "Tout le reste", "webinar": "A suivi 2 webinaires au cours des 3 derniers mois",
        "events": "Webinaires, événements et demandes", "fit": "Adéquation", "industry": "Secteur\xa0: inconnu",
        "change": "En hausse de 7 points\xa0: webinaires +9, 31 jours écoulés −2",
        "touch": "A suivi un webinaire le 20 août\xa0: Zero trust en 90 jours", "aged": "31 jours écoulés",
        "moment": "A demandé une démonstration le 28 août",
        "told": "Zero trust en 90 jours\xa0: participation le 20 août",
        "share": "A montré de l’intérêt pour «\xa0Sécurité\xa0» 4 fois ces 6 derniers mois",
        "pressure": "Contacté 2 fois ces 30 derniers jours",
    },
}  # fmt: skip


@pytest.fixture
def written() -> Callable[..., LeadCard]:
    """Write a card by hand, in a language, with some of its fields changed."""

    def write(code: str = "en", **changed: Any) -> LeadCard:
        words = WORDS[code]
        touch = TouchLine("T1", date(2025, 8, 20), words["touch"], 6.4)
        card = LeadCard(
            lead_id="L1",
            account_id=None,
            as_of=datetime(2025, 9, 1, tzinfo=UTC),
            language=code,
            rung=Rung.FULL,
            alike=False,
            chance=words["chance"],
            probability=0.08,
            low=0.05,
            high=0.12,
            score=81,
            tier="A",
            grade="B1",
            flames=2,
            base=Line(words["base"], 52),
            reasons=(
                ReasonLine(words["webinar"], 31, "events", words["events"], (touch,)),
                ReasonLine(words["industry"], -6, "fit", words["fit"], ()),
            ),
            rest=Line(words["rest"], 4),
            change=ChangeLines(
                date(2025, 8, 1), 7, words["change"], (Line(words["webinar"], 9), Line(words["aged"], -2))
            ),
            touches=(touch,),
            insight=Insight(
                (words["moment"],),
                (words["told"],),
                (ShareLine("guide", "Zero trust: the guide", "https://example.com/guide", words["share"]),),
                words["pressure"],
                too_much=False,
            ),
            model="lead-scorer 3",
        )
        return replace(card, **changed)

    return write
