"""The model card: short, complete, and the same in both forms."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from touchline.models.registry import model_card
from touchline.models.scorer import Rung


class Words(HTMLParser):
    """Text of a page; fails on tags that do not close."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data} "


def plain(text: str) -> str:
    return re.sub(r"\W+", " ", text)


def test_the_card_says_what_a_reader_must_know(trained):
    text = trained.record.card.markdown()
    comparison = trained.record.comparison
    value, low, high = comparison.interval("seed 0", "roc_auc")
    for fact in [
        "within 91 days", "900 rows of 450 leads with 200 won deals", "as of 2024-06-03; ", "22.22% of the rows",
        f"{value:.3f} ({low:.3f} to {high:.3f})", "calibration slope", "industry: steel",
        "291 distinct won deals", trained.record.playbook.digest,
    ]:  # fmt: skip
        assert fact in text, fact
    assert trained.model.facts["choice"]["reason"][1:] in text.replace("\\", "")
    assert len(text.split()) < 900


def test_markdown_and_html_say_the_same(trained):
    card = trained.record.card
    page = Words(card.html().split("</style>")[1].replace("</head>", "").replace("</html>", ""))
    markdown = card.markdown().replace("| ---", "").replace("\\", "")
    assert plain(page.text).split() == plain(markdown).split()


def test_the_model_stands_above_the_baselines(trained):
    section = next(s for s in trained.record.card.sections if s.title == "How good it is")
    assert [row[0] for row in section.table.rows] == ["seed 0", "seed 1", "points | <b>"]


def test_names_are_no_markup(trained):
    card = trained.record.card
    assert "<b>" not in card.html()
    assert "points &#124;" in card.html() or "points | &lt;b&gt;" in card.html()
    rows = [line for line in card.markdown().splitlines() if line.startswith("| points")]
    assert rows
    assert all(len(re.split(r"(?<!\\)\|", row)) == 10 for row in rows)


@pytest.mark.parametrize(
    ("rung", "words"),
    [(Rung.NONE, "says nothing of a lead"), (Rung.RANKS, "not how likely"), (Rung.PROBABILITIES, "with its interval"),
     (Rung.FULL, "as they are")],
)  # fmt: skip
def test_limits_follow_the_rung(trained, rung, words):
    card = replace(trained.record, model=replace(trained.model, rung=rung)).card
    (limits,) = [section for section in card.sections if section.title == "Limits"]
    assert words in limits.paragraphs[0]


def test_the_card_says_when_the_model_before_has_a_part_in_it(trained):
    steadied = trained.model.steadied(trained.other.model)
    assert "the model before" not in trained.record.card.markdown()
    assert (
        "Half of its log-odds are those of the model before" in replace(trained.record, model=steadied).card.markdown()
    )


def test_without_groups_the_card_says_so(trained):
    record = trained.record
    bare = record.comparison.to_dict() | {"segments": []}
    card = model_card(
        record.model, record.training, bare, record.playbook, scored_as="seed 0", notes={"seed 1": "reads <the> future"}
    )
    assert "seed 1 reads" in card.markdown()
    assert "&lt;the&gt;" in card.html()
    assert "No groups were compared." in card.markdown()
