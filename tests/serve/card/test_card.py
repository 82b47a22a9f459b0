# ruff: noqa: RUF001  # a true minus
"""A card shows itself as text, Markdown, HTML and JSON: the same facts, and nothing that is not on it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.models import Rung
from touchline.serve.card import Insight, Line, ReasonLine, ShareLine, TouchLine
from touchline.serve.card.html import waterfall
from touchline.serve.card.text import _escaped

GOLDEN = Path(__file__).parent / "golden"
"""Read line by line by a person."""
CODES = ("en", "fr")
HOSTILE = "<script>alert(1)</script> & \"x\" 'y'"
VOID = {"meta", "br", "rect", "line", "circle"}


class Page(HTMLParser):
    """What a browser would make of a page: its tags with their attributes, its text, and whether all is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


@pytest.mark.parametrize("code", CODES)
def test_the_text_of_a_card_is_the_one_that_was_read(written, code):
    assert written(code).to_text() == (GOLDEN / f"{code}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", CODES)
def test_the_markdown_of_a_card_is_the_one_that_was_read(written, code):
    assert written(code).to_markdown() == (GOLDEN / f"{code}.md").read_text(encoding="utf-8")


def test_a_sentence_that_begins_with_its_headline_has_no_other(written):
    reason = ReasonLine("Webinars: 3 times", 29, "events", "Webinars", ())
    lines = written(reasons=(reason,)).to_text().splitlines()
    assert "    +29  Webinars: 3 times" in lines


def test_a_baseline_below_nothing_has_a_true_minus(written):
    assert "     −3  A lead like the average" in written(base=Line("A lead like the average", -3)).to_text()


@pytest.mark.parametrize("code", CODES)
def test_json_is_the_card(written, code):
    card = written(code)
    read = json.loads(card.to_json())
    assert read == card.to_dict()
    assert card.to_json().endswith("}\n")
    assert (read["rung"], read["score"], read["probability"]) == ("full", 81, 0.08)
    assert datetime.fromisoformat(read["as_of"]) == card.as_of
    assert date.fromisoformat(read["change"]["since"]) == date(2025, 8, 1)
    assert [reason["points"] for reason in read["reasons"]] == [31, -6]
    assert read["reasons"][0]["touches"][0]["day"] == "2025-08-20"


@pytest.mark.parametrize("code", CODES)
def test_a_page_loads_nothing_and_leads_to_documents_only(written, code):
    html = written(code).to_html()
    page = Page(html)
    assert not page.open
    assert [(tag, attributes["href"]) for tag, attributes in page.tags if "href" in attributes] == [
        ("a", "https://example.com/guide")
    ]
    assert not any("src" in attributes for _, attributes in page.tags)
    assert not {"script", "link", "img", "iframe", "object", "embed", "use", "image"} & {tag for tag, _ in page.tags}
    assert not re.search(r"url\(|@import|@font-face", html)
    assert re.findall(r"\w+://[^\s\"<]+", html) == ["https://example.com/guide"]


@pytest.mark.parametrize("code", CODES)
def test_a_page_says_its_language_and_all_that_the_text_says(written, code):
    card = written(code)
    page = Page(card.to_html())
    assert [attributes["lang"] for tag, attributes in page.tags if tag in ("html", "article")] == [code, code]
    insight = card.insight
    said = [card.chance, *(line.words for line in card.sum), card.change.words, *insight.moments, *insight.told]
    assert all(" ".join(words.split()) in page.text for words in [*said, insight.pressure, insight.share[0].words])
    assert 'lang="' + code in card._repr_html_()
    assert "<html" not in card._repr_html_()


def test_hostile_text_is_text_wherever_it_stands(written):
    touch = TouchLine("T1", date(2025, 8, 20), HOSTILE, 6.4)
    share = ShareLine("a", HOSTILE, 'https://example.com/?a=1&b="><script>', HOSTILE)
    card = written(
        lead_id=HOSTILE,
        chance=HOSTILE,
        base=Line(HOSTILE, 52),
        reasons=(ReasonLine(HOSTILE, 25, "x", HOSTILE, (touch,)),),
        touches=(touch,),
        insight=Insight((HOSTILE,), (HOSTILE,), (share,), HOSTILE, too_much=True),
        model=HOSTILE,
    )
    html = card.to_html()
    page = Page(html)
    assert "script" not in {tag for tag, _ in page.tags}
    assert not page.open
    assert html.count("<script") == 0
    assert page.text.count("<script>alert(1)</script>") >= 10
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)


@pytest.mark.parametrize(
    "address", [None, "", "javascript:alert(1)", "data:text/html,x", "JAVASCRIPT://x", "guide.pdf"]
)
def test_what_is_no_web_address_is_no_link(written, address):
    insight = replace(written().insight, share=(ShareLine("a", "The guide", address, "words"),))
    page = Page(written(insight=insight).to_html())
    assert "a" not in {tag for tag, _ in page.tags}
    assert "The guide" in page.text


@given(title=st.text(st.sampled_from("ab*_`[]()<>#|&~\\! "), min_size=1))
def test_markdown_shows_a_title_as_it_is(title):
    escaped = _escaped(title)
    assert re.sub(r"\\([\\`*_{}\[\]<>#|&~])", r"\1", escaped) == title
    assert not re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>#|&~]", escaped)


def test_markdown_lets_no_title_become_markup(written):
    insight = replace(written().insight, moments=("# [a](http://x) <b> *c* `d`",))
    assert "- \\# \\[a\\](http://x) \\<b\\> \\*c\\* \\`d\\`" in written(insight=insight).to_markdown().splitlines()


def test_bars_begin_where_the_one_before_ended(written):
    bars = waterfall(written())
    assert [bar.points for bar in bars] == ["52", "+31", "−6", "+4", "81"]
    unit = bars[-1].width / 81
    ends = [bars[0].x + bars[0].width]
    for bar, points in zip(bars[1:-1], (31, -6, 4), strict=True):
        begin, end = (bar.x, bar.x + bar.width) if points > 0 else (bar.x + bar.width, bar.x)
        assert begin == pytest.approx(ends[-1], abs=0.2)
        assert end - begin == pytest.approx(points * unit, abs=0.2)
        ends.append(end)
    assert ends[-1] == pytest.approx(bars[-1].x + bars[-1].width, abs=0.2)


@pytest.mark.parametrize("rung", [Rung.NONE, Rung.RANKS])
def test_where_leads_are_all_alike_no_score_and_no_reason_is_shown(written, rung):
    card = written(alike=True, rung=rung, chance="Nothing learned", reasons=(), change=None, touches=())
    for shown in (card.to_text(), card.to_markdown(), Page(card.to_html()).text, Page(card._repr_html_()).text):
        assert "Nothing learned" in shown
        assert "81" not in shown
        assert "A lead like the average" not in shown
        assert "Asked for a demonstration on 28 August" in shown
