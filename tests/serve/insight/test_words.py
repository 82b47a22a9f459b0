# ruff: noqa: RUF001  # French has its own marks
"""What sales reads: whole sentences in both languages, with facts and dates and never a cause."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import pytest

from touchline.playbook.language import Language
from touchline.serve.insight import (
    MOMENTS,
    RESPONSES,
    credit_note,
    moment_sentence,
    share_sentence,
    told_sentence,
)

EN, FR = Language.of("en"), Language.of("fr")
TODAY = date(2025, 6, 11)
CAUSES = re.compile(
    r"\b(because|due to|thanks to|leads? to|causes?|caused|will|car|parce que|grâce à|donc|à cause)\b", re.IGNORECASE
)


def moment(name: str, **more: Any) -> dict[str, Any]:
    return {"moment": name, "day": date(2025, 6, 5), "kind": "webinar", "topic": None, "touches": 1, "silent_days": 75,
            "usual": 0.5, **more}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "english", "french"),
    [
        (
            moment("high_intent", kind="demo_request"),
            "Asked for a demonstration on 5 June",
            "A demandé une démonstration le 5 juin",
        ),
        (
            moment("high_intent", kind="pricing_page", touches=3, topic="pricing"),
            "Looked at the prices 3 times on 5 June (topic: Prices)",
            "A consulté les prix 3 fois le 5 juin (sujet\u00a0: Prix)",
        ),
        (
            moment("first_time", topic="homegrown"),
            "Attended a webinar for the first time, on 5 June (topic: homegrown)",
            "A suivi un webinaire pour la première fois, le 5 juin (sujet\u00a0: homegrown)",
        ),
        (
            moment("return", day=date(2024, 12, 1)),
            "Attended a webinar on 1 December 2024, after 75 days of silence",
            "A suivi un webinaire le 1er décembre 2024, après 75 jours de silence",
        ),
        (
            moment("new_person"),
            "Somebody new at the company attended a webinar on 5 June",
            "Un nouvel interlocuteur de l’entreprise a suivi un webinaire le 5 juin",
        ),
        (
            moment("surge", touches=7, topic="security"),
            "7 signs of interest in the week of 2 June (usually 0.5 a week)",
            "7 signes d’intérêt dans la semaine du 2 juin (d’habitude 0,5 par semaine)",
        ),
        (
            moment("surge", touches=3, usual=1.0),
            "3 signs of interest in the week of 2 June (usually 1 a week)",
            "3 signes d’intérêt dans la semaine du 2 juin (d’habitude 1 par semaine)",
        ),
        (
            moment("surge", touches=3, usual=0.0),
            "3 signs of interest in the week of 2 June (none in the weeks before)",
            "3 signes d’intérêt dans la semaine du 2 juin (aucun les semaines précédentes)",
        ),
    ],
)
def test_moments_are_said_with_their_facts(row, english, french, playbook):
    assert moment_sentence(row, playbook, EN, TODAY) == english
    assert moment_sentence(row, playbook, FR, TODAY) == french


def told(response: str | None, **more: Any) -> dict[str, Any]:
    return {"response": response, "response_at": datetime(2025, 6, 5, 9, tzinfo=UTC), "colleagues": 2, **more}


@pytest.mark.parametrize(
    ("row", "english", "french"),
    [
        (told("sent"), "Security: sent on 5 June, no response seen",
         "Security\u00a0: envoi le 5 juin, sans réponse visible"),
        (told("opened"), "Security: opened on 5 June", "Security\u00a0: ouverture le 5 juin"),
        (told("read"), "Security: read on 5 June", "Security\u00a0: lecture le 5 juin"),
        (told("attended"), "Security: attended on 5 June", "Security\u00a0: participation le 5 juin"),
        (told(None), "Security: met by 2 colleagues", "Security\u00a0: déjà rencontré par 2 collègues"),
        (told(None, colleagues=1), "Security: met by 1 colleague", "Security\u00a0: déjà rencontré par 1 collègue"),
    ],
)  # fmt: skip
def test_what_was_told_is_said_with_its_date(row, english, french, playbook):
    assert told_sentence(row, "Security", playbook, EN, TODAY) == english
    assert told_sentence(row, "Security", playbook, FR, TODAY) == french


def share(reason: str, **more: Any) -> dict[str, Any]:
    return {"reason": reason, "count": 4, "topic": "security", "similar": False, "fallback": False, "too_much": False,
            **more}  # fmt: skip


@pytest.mark.parametrize(
    ("row", "english", "french"),
    [
        (
            share("topic_interest"),
            "Showed interest in “Security” 4 times in the last 6 months",
            "A montré de l’intérêt pour «\u00a0Sécurité\u00a0» 4 fois ces 6 derniers mois",
        ),
        (
            share("topic_interest", count=1, fallback=True),
            "Showed interest in “Security” once in the last 6 months; in another language than the lead",
            (
                "A montré de l’intérêt pour «\u00a0Sécurité\u00a0» une fois ces 6 derniers mois\u202f; "
                "n’est pas dans la langue du contact"
            ),
        ),
        (
            share("worked_for", similar=True),
            "4 similar won leads had come across it",
            "4 contacts gagnés au profil proche l’avaient rencontré",
        ),
        (
            share("worked_for", count=1, too_much=True),
            "1 won lead had come across it; for later, as the agreed number of contacts is reached",
            "1 contact gagné l’avait rencontré\u202f; pour plus tard\u00a0: le nombre de contacts convenu est atteint",
        ),
    ],
)
def test_what_to_share_is_said_with_its_reason(row, english, french, playbook):
    assert share_sentence(row, playbook, EN) == english
    assert share_sentence(row, playbook, FR) == french


def test_no_sentence_names_a_cause_and_each_begins_with_a_capital(playbook):
    said = [credit_note(language) for language in (EN, FR)]
    for language, name, kind, n in product((EN, FR), MOMENTS, playbook.kinds, (1, 2, 30)):
        row = moment(name, kind=kind, touches=n, silent_days=60 + n, topic="security")
        said.append(moment_sentence(row, playbook, language, TODAY))
    for language, response in product((EN, FR), (*RESPONSES, None)):
        said.append(told_sentence(told(response), "Security", playbook, language, TODAY))
    for language, reason, *flags in product((EN, FR), ("topic_interest", "worked_for"), *[(False, True)] * 3):
        row = share(reason, **dict(zip(("similar", "fallback", "too_much"), flags, strict=True)))
        said.append(share_sentence(row, playbook, language))
    for sentence in said:
        assert not CAUSES.search(sentence), sentence
        assert sentence[0].isupper() or sentence[0].isdigit(), sentence
        assert not sentence.endswith("."), sentence
        assert "{" not in sentence, sentence
