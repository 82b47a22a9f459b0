"""Fit x engagement: scorecards read to the letter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.features import CatalogError
from touchline.features.catalog import Attribute, Count
from touchline.features.catalog.base import several
from touchline.models.baselines import FitEngagement, Ideal, Line, Rule
from touchline.models.baselines.scorecard import eloqua_scorecard
from touchline.playbook import parse_playbook, starter_playbook, starter_text

IDEAL = (
    Ideal("industry", ("software", "retail"), weight=2),
    Ideal("size", at_least=200, at_most=5000),
    Ideal("role", ("decision",)),
)
KNOWN = {"industry": "steel", "size": 10.0, "region": "north", "role": "user", "email_domain_kind": "free"}
PLACES = {letter + number: 16 - 4 * i - j for i, letter in enumerate("ABCD") for j, number in enumerate("1234")}


def rows_of(write_set, matrix: FitEngagement, rows: list[dict]):
    """A set from attribute values and from how often each line was touched in so many days."""

    def value(feature, row):
        if isinstance(feature, Attribute):
            return row.get(feature.attribute)
        (line,) = (line.name for line in matrix.scorecard if line.kinds == several(feature.kind))
        return row.get((line, feature.days), 0)

    return write_set({f: [value(f, row) for row in rows] for f in matrix.features})


def test_eloquas_example_is_over_the_kinds_of_the_playbook(playbook):
    lines = {line.name: line for line in eloqua_scorecard(playbook)}
    assert {name: (line.weight, line.kinds) for name, line in lines.items()} == {
        "forms": (35, ("webinar", "event", "demo_request")),
        "pages": (30, ("web_visit", "pricing_page", "content_download")),
        "clicks": (20, ("email_click",)),
        "opens": (15, ("email_open",)),
    }


@pytest.mark.parametrize(
    ("touches", "grade"),
    [
        ({}, "A4"),
        ({("forms", 7): 1, ("forms", 14): 1, ("forms", 30): 1}, "A3"),  # 35 x 100 = 35
        ({("forms", 14): 1, ("forms", 30): 1}, "A3"),  # 35 x 75 = 26.25
        ({("forms", 30): 9}, "A4"),  # 35 x 50 = 17.5
        ({("forms", 7): 1, ("clicks", 7): 3}, "A2"),  # 35 + 20
        ({("forms", 7): 1, ("pages", 30): 3, ("clicks", 30): 2}, "A2"),  # 35 + 22.5; two clicks of long ago say nothing
        ({("forms", 7): 1, ("pages", 30): 3, ("clicks", 30): 3, ("opens", 14): 1}, "A1"),  # 35 + 22.5 + 15 + 7.5
        ({("forms", 7): 1, ("pages", 7): 3, ("clicks", 14): 1}, "A1"),  # 35 + 30 + 10 = 75: the edge belongs to 1
    ],
)
def test_engagement_follows_frequency_and_recency(playbook, write_set, touches, grade):
    matrix = FitEngagement(playbook)
    rows = rows_of(write_set, matrix, [{**KNOWN, **touches}])
    assert matrix.grades(rows).tolist() == [grade]
    assert matrix.score(rows).tolist() == [PLACES[grade]]


def test_without_an_ideal_fit_is_how_much_is_known(playbook, write_set):
    matrix = FitEngagement(playbook)
    names = list(KNOWN)
    assert {f.attribute for f in matrix.features if isinstance(f, Attribute)} == set(names)
    rows = [{name: KNOWN[name] for name in names[:n]} for n in range(6)]
    assert matrix.grades(rows_of(write_set, matrix, rows)).tolist() == ["D4", "D4", "C4", "B4", "A4", "A4"]


def test_with_an_ideal_fit_is_the_share_that_matches(playbook, write_set):
    matrix = FitEngagement(playbook, ideal=IDEAL)
    rows = [
        {"industry": "retail", "size": 200.0, "role": "decision"},
        {"industry": "software", "size": 5001.0, "role": "decision"},
        {"industry": "retail", "size": None, "role": None},
        {"industry": "steel", "size": 5000.0, "role": "user"},
        {},
    ]
    assert matrix.grades(rows_of(write_set, matrix, rows)).tolist() == ["A4", "A4", "B4", "C4", "D4"]


def test_weights_that_computers_cannot_write_exactly_move_nobody_over_an_edge(playbook, write_set):
    """0.3 of 0.6 is half; in floating point it is a little less."""
    thirds = [
        Ideal("industry", ("a",), weight=0.1),
        Ideal("region", ("a",), weight=0.2),
        Ideal("role", ("a",), weight=0.3),
    ]
    matrix = FitEngagement(playbook, ideal=thirds)
    rows = rows_of(write_set, matrix, [{"industry": "b", "region": "b", "role": "a"}])
    assert matrix.grades(rows).tolist() == ["B4"]


def test_scores_sort_as_grades_do(playbook, simulated):
    matrix = FitEngagement(playbook)
    scores, grades = matrix.score(simulated.later), matrix.grades(simulated.later)
    assert len(set(grades)) > 2
    assert (grades[np.argsort(-scores, kind="stable")] == np.sort(grades)).all()
    assert all(PLACES[str(g)] == s for g, s in set(zip(grades, scores, strict=True)))


touches = st.dictionaries(
    st.tuples(st.sampled_from(["forms", "pages", "clicks", "opens"]), st.sampled_from([7, 14, 30])), st.integers(0, 4)
)
people = st.fixed_dictionaries({
    "industry": st.sampled_from(["software", "retail", "steel", None]),
    "size": st.sampled_from([None, 0.0, 199.0, 200.0, 5000.0, 9999.0]),
    "role": st.sampled_from(["decision", "user", None]),
})  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.lists(st.builds(lambda a, b: {**a, **b}, people, touches), min_size=1, max_size=8))
def test_the_matrix_agrees_with_plain_rules(write_set, rows):
    matrix = FitEngagement(starter_playbook(), ideal=IDEAL)
    given_rows = [{**row, "size": row["size"] if row["size"] is not None else np.nan} for row in rows]
    assert matrix.grades(rows_of(write_set, matrix, given_rows)).tolist() == [grade_of(row) for row in rows]


def grade_of(row: dict) -> str:
    fit = 50 * (row["industry"] in ("software", "retail")) + 25 * (row["role"] == "decision")
    fit += 25 * (row["size"] is not None and 200 <= row["size"] <= 5000)

    def best(name, rules):
        return max((points for times, days, points in rules if row.get((name, days), 0) >= times), default=0)

    often = [(3, 7, 100), (3, 30, 75), (1, 14, 50)]
    engagement = 0.35 * best("forms", [(1, 7, 100), (1, 14, 75), (1, 30, 50)]) + 0.30 * best("pages", often)
    engagement += 0.20 * best("clicks", often) + 0.15 * best("opens", often)
    letter = next(letter for letter, least in zip("ABCD", (75, 50, 25, 0), strict=True) if fit >= least)
    return letter + next(n for n, least in zip("1234", (75, 50, 25, 0), strict=True) if engagement + 1e-9 >= least)


def test_the_weights_of_behaviours_that_nobody_can_show_are_shared_out(write_set):
    opens = '[kinds.email_open]\nfamily = "email"\ndirection = "inbound"\nengagement = '
    text = starter_text().replace(f"{opens}true", f"{opens}false")
    assert text != starter_text()
    matrix = FitEngagement(parse_playbook(text))
    assert [line.name for line in matrix.scorecard] == ["forms", "pages", "clicks"]
    all_there_is = {(line, days): 3 for line in ("forms", "pages", "clicks") for days in (7, 14, 30)}
    assert matrix.grades(rows_of(write_set, matrix, [{**KNOWN, **all_there_is}])).tolist() == ["A1"]


def test_a_company_brings_its_own_scorecard(playbook, write_set):
    line = Line("prices", ("pricing_page",), (Rule(2, 10, 100),), 1)
    matrix = FitEngagement(playbook, scorecard=[line])
    assert [f for f in matrix.features if isinstance(f, Count)] == [Count(10, kind="pricing_page")]
    rows = rows_of(write_set, matrix, [{**KNOWN, ("prices", 10): 1}, {**KNOWN, ("prices", 10): 2}])
    assert matrix.grades(rows).tolist() == ["A4", "A1"]


def test_what_cannot_be_known_or_does_not_exist_is_refused(playbook):
    with pytest.raises(CatalogError, match="cannot be known"):
        FitEngagement(playbook, ideal=[Ideal("phone_filled", at_least=1)])
    with pytest.raises(CatalogError, match="did you mean 'industry'"):
        FitEngagement(playbook, ideal=[Ideal("industri", ("steel",))])
    with pytest.raises(CatalogError, match="no kind"):
        FitEngagement(playbook, scorecard=[Line("x", ("webinarr",), (Rule(1, 7, 100),), 1)])
    with pytest.raises(ValueError, match="scorecard"):
        FitEngagement(playbook, scorecard=[])


def test_an_ideal_that_says_nothing_or_two_things_is_refused(playbook, write_set):
    for wrong in ({}, {"values": ("a",), "at_least": 1}):
        with pytest.raises(ValueError, match="either `values`"):
            Ideal("industry", **wrong)
    with pytest.raises(ValueError, match="weight"):
        Ideal("industry", ("a",), weight=0)
    matrix = FitEngagement(playbook, ideal=[Ideal("industry", at_least=3)])
    with pytest.raises(ValueError, match="holds text"):
        matrix.score(rows_of(write_set, matrix, [KNOWN]))
