# ruff: noqa: RUF001  # French has its own marks
"""Reasons in words: every sentence as people read it, and the rules that all of them keep."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.features.catalog import Catalog, Count, Last, Rate, Trend
from touchline.models.reasons import words
from touchline.models.reasons.subjects import Subject, subject_of
from touchline.models.reasons.words import Facts, change_sentence, headline, sentence
from touchline.playbook import Playbook, load_playbook, starter_playbook, starter_text
from touchline.playbook.language import Language

GOLDEN = Path(__file__).parent / "golden"
"""Read line by line by people; `python tests/models/reasons/test_words.py` writes what the code says today."""
LOANS = Path(__file__).parents[3] / "examples" / "bpi2012" / "playbook.toml"
AS_OF = date(2026, 3, 20)
RECENT, OLD, LONG_AGO = date(2026, 3, 12), date(2025, 12, 21), date(2025, 10, 20)
CODES = ("en", "fr")
CAUSAL = re.compile(
    r"because|due to|thanks|leads? to|caus|\bwill\b|\bcar\b|parce que|grâce|\bdonc\b|en raison|à cause", re.IGNORECASE
)


def with_all_types() -> Playbook:
    """The starter, whose attributes are of all types here, and a playbook may believe them all."""
    document = tomllib.loads(starter_text())
    document["attributes"]["phone_filled"]["known"] = "creation"
    document["attributes"]["trial"] = {
        "table": "leads", "type": "time", "known": "creation", "words": {"en": "Trial began", "fr": "Début de l’essai"},
    }  # fmt: skip
    return Playbook.model_validate(document)


PLAYBOOK = with_all_types()
OWN = (
    Trend(channel=("email", "web")),
    Last(of="channel", direction="inbound", kind=("webinar", "event")),
    Rate(91, kind="event", per=("webinar", "demo_request"), name="events_per_meeting"),
    Rate(91, topic="security", per="email_unsubscribe", name="security_per_unsubscribe"),
)
CHANNELS = [Count(91, channel=name, engagement=True) for name in ("web", "phone")]
CATALOG = Catalog.default(PLAYBOOK).add(*OWN, *CHANNELS)


def said(subject: Subject, facts: Facts, code: str, playbook: Playbook = PLAYBOOK, **options) -> str:
    return sentence(subject, facts, playbook=playbook, language=Language.of(code), as_of=AS_OF, **options)


def subjects() -> list[Subject]:
    """Those of the default catalogue, in order, and those it has only for leads for the company, too."""
    found = dict.fromkeys(subject_of(feature) for feature in CATALOG)
    for subject in list(found):
        if subject.about in ("topic", "channel", "machine", "rate"):
            found[subject._replace(scope="account")] = None
    told = [s for s in found if s.about not in ("topic", "channel") or s.of in ("security", "pricing", "web", "phone")]
    return sorted(told, key=lambda s: (s.scope == "account", s.about))


def facts_of(subject: Subject) -> Iterator[Facts]:
    """0, 1, 2 and many times, lately, long ago and never, as far as the subject has such facts."""
    match subject.about:
        case "rate":
            yield from (Facts(count=c, against=a) for c, a in [(0, 0), (0, 1), (0, 4), (1, 1), (1, 4), (3, 4), (2, 0)])
        case "people":
            yield from (
                Facts(count=c, last=d) for c, d in [(0, None), (0, LONG_AGO), (1, OLD), (2, RECENT), (12, AS_OF)]
            )
        case "stage":
            days = [AS_OF - timedelta(days=d) for d in (0, 1, 12, 100, 900)]
            yield from (Facts(last=day, value="mql") for day in days)
            yield from (Facts(value="mql"), Facts())
        case "age":
            yield from (Facts(last=AS_OF - timedelta(days=d)) for d in (0, 1, 40, 400, 1500))
            yield Facts()
        case "calendar":
            yield from (Facts(value=1.0), Facts(value=12.0))
        case "attribute":
            values = {"size": (0.0, 1.0, 1500.0, 12.25), "phone_filled": (True, False, 0.0), "trial": (8.0, 100.0)}
            named = {"region": "Bretagne", "role": "CFO", "email_domain_kind": "company"}.get(subject.of, "Software")
            yield from (Facts(value=v) for v in (*values.get(subject.of, (named,)), None))
        case "other":
            known = "web" if "last" in subject.of else 0.4 if "share" in subject.of else 1.5
            yield from (Facts(value=known), Facts(value=float("nan")))
        case _:
            yield from (Facts(0, None, None), Facts(0, None, LONG_AGO), Facts(1, None, RECENT), Facts(1, None, OLD))
            yield from (Facts(2, None, RECENT), Facts(2, None, OLD), Facts(1200, None, AS_OF - timedelta(days=1)))


def golden(code: str) -> list[str]:
    """Every sentence of the golden file, subject by subject."""
    lines = []
    for subject in subjects():
        lines += ["", f"# {subject.about} {subject.of}".rstrip() + f", {subject.scope}"]
        feature = CATALOG[subject.of] if subject.about in ("rate", "other") else None
        lines += [said(subject, facts, code, feature=feature) for facts in facts_of(subject)]
    loans = load_playbook(LOANS)
    lines += ["", "# a playbook whose kinds have words for once only"]
    for name in ("offer_returned", "lead_handling_planned"):
        for scope in ("lead", "account"):
            subject = Subject(loans.kinds[name].family, "kind", name, scope)
            lines += [said(subject, facts, code, loans) for facts in facts_of(subject)]
    rate = Rate(91, kind="offer_returned", per="offer_sent")
    subject = subject_of(Catalog(loans, [rate])[rate.name])
    lines += [said(subject, facts, code, loans, feature=rate) for facts in facts_of(subject)]
    return [*lines[1:], "", "# around the reasons", *around(code)]


def around(code: str) -> list[str]:
    language = Language.of(code)
    lines = [headline(family, playbook=PLAYBOOK, language=language) for family in CATALOG.families]
    lines += [words.counts_for(language), words.counts_against(language), words.base_line(language)]
    lines += [words.everything_else(language), words.profile_changed(language), words.new_model(language)]
    lines += [words.ageing(days, language) for days in (1, 7)]
    names = words.ageing(7, language), words.new_model(language), words.profile_changed(language)
    for points in ([-2.4, 0.3, 14.1], [-2.4, 0.3, 3.1], [-2.4, 0.3, 2.1], [-2.4, 0.3, 1.1], [-9.4, 0.3, 0.0]):
        lines.append(change_sentence(sum(points), list(zip(names, points, strict=True)), language))
    return lines


@pytest.mark.parametrize("code", CODES)
def test_every_sentence_is_the_one_that_people_have_read(code):
    assert golden(code) == (GOLDEN / f"{code}.txt").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("code", CODES)
def test_no_sentence_claims_a_cause_ends_with_a_stop_begins_small_or_shows_a_raw_name(code):
    raw = [f.name for f in CATALOG if "_" in f.name] + [k for k in PLAYBOOK.kinds if "_" in k]
    for line in golden(code)[: -len(around(code))]:
        if line and not line.startswith("#"):
            assert not CAUSAL.search(line), line
            assert not line[0].islower(), line
            assert not line.endswith("."), line
            assert not any(name in line for name in raw), line
            assert "{" not in line, line


def test_french_marks_have_their_spaces_everywhere():
    text = "\n".join(golden("fr"))
    assert not re.search("[^\u00a0]:", "\n".join(x for x in text.splitlines() if not x.startswith("#")))
    assert not re.search("[^\u202f][;!?%]", text)
    assert not re.search("«[^\u00a0]|[^\u00a0]»", text)
    assert "'" not in text


@pytest.mark.parametrize(
    ("facts", "en", "fr"),
    [
        (
            Facts(count=2, last=RECENT),
            "Attended 2 webinars in the last 3 months, last on 12 March (8 days ago)",
            "A suivi 2 webinaires au cours des 3 derniers mois, la dernière fois le 12 mars (il y a 8 jours)",
        ),
        (Facts(count=1, last=RECENT), "Attended a webinar on 12 March (8 days ago)",
         "A suivi un webinaire le 12 mars (il y a 8 jours)"),
        (Facts(count=0), "Attended no webinar in the last 3 months",
         "N’a suivi aucun webinaire au cours des 3 derniers mois"),
    ],
)  # fmt: skip
def test_a_kind_is_said_in_the_playbooks_words(facts, en, fr):
    subject = Subject("events", "kind", "webinar")
    assert said(subject, facts, "en") == en
    assert said(subject, facts, "fr") == fr


@given(
    st.integers(0, 3000), st.sampled_from(CODES), st.sampled_from(["kind", "topic", "channel", "family", "interest"])
)
def test_the_number_is_in_the_sentence_from_two_on_and_absence_never_is_a_number(count, code, about):
    of = {"kind": "webinar", "topic": "security", "channel": "web", "family": "events", "interest": ""}[about]
    text = said(Subject("x", about, of), Facts(count=count, last=RECENT if count else None), code)
    without_window = re.sub(r"3 (months|derniers mois)", "", text)
    if count == 0:
        assert not re.search(r"\d", without_window)
    elif count > 1:
        assert Language.of(code).number(count) in without_window


@pytest.mark.parametrize("count", [np.int64(2), np.float32(2), 2.0])
def test_facts_may_come_as_a_frame_gives_them(count):
    facts = Facts(count=count, last=RECENT)
    assert said(Subject("events", "kind", "webinar"), facts, "en").startswith("Attended 2 webinars")


def test_a_sentence_without_its_facts_is_refused_and_not_said_as_absence():
    for missing in (None, float("nan")):
        with pytest.raises(ValueError, match="give the facts"):
            said(Subject("events", "kind", "webinar"), Facts(count=missing), "en")
    with pytest.raises(ValueError, match="give `feature`"):
        said(Subject("email", "rate", "opens_per_send_91d"), Facts(count=1, against=2), "en")
    with pytest.raises(ValueError, match="needs a Rate"):
        said(Subject("email", "rate", "x"), Facts(count=1, against=2), "en", feature=Count(30))


def test_a_language_that_the_playbook_does_not_speak_is_refused():
    english_only = starter_playbook().model_copy(update={"languages": ["en"]})
    with pytest.raises(ValueError, match="no words in 'fr'"):
        said(Subject("interest", "interest"), Facts(count=1), "fr", english_only)


def test_a_change_names_its_parts_with_their_signs():
    parts = [("webinar on 12 March", 9.0), ("2 e-mails opened", 5.2), ("7 days passed", -2.4)]
    told = change_sentence(12, parts, Language.of("en"))
    assert told == "Up 12 points: webinar on 12 March +9, 2 e-mails opened +5, 7 days passed \N{MINUS SIGN}2"
    assert change_sentence(-1, [], Language.of("fr")) == "En baisse de 1 point"


@given(st.lists(st.floats(-60, 60), min_size=1, max_size=8))
def test_the_parts_shown_of_a_change_add_up_to_what_is_shown_of_the_whole(parts):
    told = change_sentence(sum(parts), [("x", part) for part in parts], Language.of("en"))
    shown = [int(n.replace("\N{MINUS SIGN}", "-")) for n in re.findall("x ([+\N{MINUS SIGN}]?[0-9]+)", told)]
    assert len(shown) == len(parts)
    assert sum(shown) == round(sum(parts))
    assert all(abs(a - b) < 1 + 1e-9 for a, b in zip(shown, parts, strict=True))
    head = told.split(":")[0]
    assert {1: "Up", 0: "Unchanged", -1: "Down"}[int(np.sign(sum(shown)))] in head
    assert str(abs(sum(shown))) in head or head == "Unchanged"


if __name__ == "__main__":
    for each in CODES:
        (GOLDEN / f"{each}.txt").write_text("\n".join(golden(each)) + "\n", encoding="utf-8")
