"""Explained leads of a small company: cards add up, tell what was known, and say no more than the model may."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from touchline.features import DataError, build_scoring_set
from touchline.models import Rung, Scale
from touchline.models.bands import Band
from touchline.models.calibration import Platt
from touchline.serve.explain import explain_leads

CODES = ("en", "fr")
NUMBER = "[+\N{MINUS SIGN}]?[0-9]+"
AS_OF = datetime(2025, 9, 1, 22, 30, tzinfo=UTC)
SINCE = datetime(2025, 8, 1, tzinfo=UTC)
PERCENT = re.compile(r"\d[\s\u202f]*%")


def whole(text: str) -> int:
    return int(text.replace("\N{MINUS SIGN}", "-"))


@pytest.mark.parametrize("code", CODES)
def test_the_lines_of_every_card_add_up_to_its_score(cards, code):
    assert len({card.score for card in cards[code]}) > 10
    for card in cards[code]:
        assert sum(line.points for line in card.sum) == card.score
        assert 1 <= card.score <= 99
        assert all(reason.points for reason in card.reasons)
        assert len(card.reasons) <= 5


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("form", ["to_text", "to_markdown"])
def test_what_is_printed_adds_up_too(cards, code, form):
    for card in cards[code]:
        printed = getattr(card, form)().split("\n\n")[3 if form == "to_markdown" else 2]
        found = re.findall(rf"^[- ]*({NUMBER})  ", printed, re.MULTILINE)
        *parts, score = (whole(number) for number in found)
        assert len(parts) == len(card.reasons) + 2
        assert sum(parts) == score == card.score


@pytest.mark.parametrize("code", CODES)
def test_what_changed_adds_up_and_names_no_part_twice(cards, code):
    moved = [card.change for card in cards[code] if card.change is not None]
    assert len(moved) == len(cards[code])
    assert len({change.points for change in moved}) > 5
    for change in moved:
        assert sum(part.points for part in change.parts) == change.points
        assert all(part.points for part in change.parts)
        assert len({part.words for part in change.parts}) == len(change.parts)
        assert change.since == date(2025, 8, 1)
        head, _, told = re.sub("[\xa0\u202f]", " ", change.words).partition(":")
        assert sum(whole(n) for n in re.findall(rf" ({NUMBER})(?:,|$)", told)) == change.points
        assert str(abs(change.points)) in head or not change.points


def test_both_languages_tell_the_same(cards):
    for english, french in zip(cards["en"], cards["fr"], strict=True):
        assert english.score == french.score
        assert [line.points for line in english.sum] == [line.points for line in french.sum]
        assert [reason.family for reason in english.reasons] == [reason.family for reason in french.reasons]
        assert [touch.touch_id for touch in english.touches] == [touch.touch_id for touch in french.touches]
        assert not {line.words for line in english.sum} & {line.words for line in french.sum}


def test_scores_are_the_models(company, cards):
    leads = [card.lead_id for card in cards["en"]]
    frame = build_scoring_set(company.tables, company.playbook, AS_OF, leads=leads).frame.set_index("lead_id")
    chances = company.model.probability(frame.loc[leads].reset_index())
    np.testing.assert_allclose([card.probability for card in cards["en"]], chances, atol=1e-9)
    scores = 50 + 10 * np.log2(chances / (1 - chances) * 99)
    np.testing.assert_array_equal([card.score for card in cards["en"]], np.round(np.clip(scores, 1, 99)))


def test_touches_of_a_card_had_happened_and_were_known(company, cards):
    rows = company.tables.arrow("touches").to_pylist()
    known = {row["touch_id"] for row in rows if max(row["occurred_at"], row["known_at"]) < AS_OF}
    named = [touch for card in cards["en"] for line in card.reasons for touch in line.touches]
    assert len(named) > 100
    assert {touch.touch_id for touch in named} <= known
    assert all(touch.day <= card.as_of.date() for card in cards["en"] for touch in card.touches)


def test_days_are_those_of_the_playbooks_zone(cards):
    card = cards["en"][0]
    assert card.as_of == AS_OF
    assert card.as_of.date() == date(2025, 9, 2)
    assert "Scored as of 2 September 2025" in card.to_text()
    assert "Scored as of 2 September 2025" in card.to_html()


@pytest.mark.parametrize("code", CODES)
def test_each_rung_says_what_it_may(company, code):
    lead = company.leads[:1]
    said = {}
    for rung in Rung:
        nothing = {"linear": None, "trees": None} if rung is Rung.NONE else {}
        (card,) = company.explain(lead, language=code, changed={"rung": rung, **nothing})
        said[rung] = card
        shown = [card.to_text(), card.to_markdown(), re.sub("<[^>]*>", "", card.to_html().split("</style>")[1])]
        told = rung in (Rung.PROBABILITIES, Rung.FULL)
        assert all((PERCENT.search(text.split("\n\n")[1]) is not None) == told for text in shown[:2])
        assert all(card.chance in text for text in shown)
        assert (PERCENT.search(card.chance) is not None) == told
        assert all((number is not None) == told for number in (card.probability, card.low, card.high))
        assert all((number is not None) == told for number in (card.to_dict()[k] for k in ("probability", "low")))
        assert ("95" in card.chance) == (rung is Rung.PROBABILITIES)
        assert card.alike == (rung is Rung.NONE)
    assert len({card.chance for card in said.values()}) == 4


@pytest.mark.parametrize(("rung", "beginning"), [(Rung.RANKS, "Nothing told"), (Rung.FULL, "2% to be won")])
def test_a_model_that_found_nothing_says_so(company, rung, beginning):
    nothing = {"linear": None, "trees": None, "rung": rung, "base": -4.0, "previous": None}
    nothing["band"] = Band(((0.0, 0.0), (0.0, 0.0)))
    two = company.explain(company.leads[:2], changed=nothing)
    assert all(card.alike for card in two)
    assert len({card.score for card in two}) == 1
    assert two[0].chance.startswith(beginning)
    assert two[0].chance.lower().endswith("nothing told won leads from others: every lead has the same score")
    assert not two[0].reasons
    assert "score " not in two[0].to_text().splitlines()[0]


def test_a_lead_that_was_not_known_then_has_no_change(company):
    rows = company.tables.arrow("leads", ["lead_id", "created_at", "known_at"]).to_pylist()
    first = {row["lead_id"]: max(row["created_at"], row["known_at"]) for row in rows}
    newest = max((lead for lead in first if first[lead] < AS_OF), key=lambda lead: first[lead])
    eldest = min(first, key=lambda lead: first[lead])
    new, old = company.explain([newest, eldest], since=first[newest])
    assert (new.lead_id, old.lead_id) == (newest, eldest)
    assert new.change is None
    assert old.change is not None
    (later,) = company.explain([newest], since=first[newest] + timedelta(seconds=1))
    assert later.change is not None
    with pytest.raises(DataError, match="1 of those asked for were not known yet"):
        company.explain([newest], as_of=first[newest])


def test_a_new_model_is_a_part_of_what_changed(company):
    before = company.loaded(calibrator=Platt(0.5, -3.0))
    for card in company.explain(company.leads[:20], since=SINCE, before=before):
        assert sum(part.points for part in card.change.parts) == card.change.points
        assert "New model" in {part.words for part in card.change.parts}
    same = company.loaded()
    (card,) = company.explain(company.leads[:1], since=SINCE, before=same)
    assert "New model" not in {part.words for part in card.change.parts}


@pytest.mark.parametrize(
    ("leads", "options", "error", "said"),
    [
        (["nobody"], {}, DataError, "1 of those asked for are not in the tables"),
        ([0], {"since": AS_OF}, DataError, "since: is not before"),
        ([0], {"as_of": datetime(2025, 9, 1)}, DataError, "has no time zone"),
        ([0], {"language": "de"}, ValueError, "the playbook speaks en, fr, not 'de'"),
        ([0, 0], {}, DataError, "twice"),
    ],
)
def test_what_cannot_be_explained_is_refused_with_advice(company, leads, options, error, said):
    named = [company.leads[lead] if isinstance(lead, int) else lead for lead in leads]
    with pytest.raises(error, match=said) as refused:
        company.explain(named, **options)
    assert not any(lead in str(refused.value) for lead in named)


def test_a_card_is_the_same_alone_and_among_others(company, cards):
    lead = cards["fr"][7].lead_id
    (alone,) = company.explain([lead], since=SINCE, language="fr")
    assert alone == cards["fr"][7]


def test_scores_of_a_scale_that_is_frozen_elsewhere_add_up_too(company):
    model = replace(company.loaded(), scale=Scale(reference=-1.0, double=20.0))
    cards = explain_leads(company.tables, company.playbook, model, company.leads[:30], as_of=AS_OF)
    assert 1 in {card.score for card in cards}  # cut off, and still a sum
    assert all(sum(line.points for line in card.sum) == card.score for card in cards)
