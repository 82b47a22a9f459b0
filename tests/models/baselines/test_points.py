"""Points: published defaults, added up for ever."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.features import CatalogError
from touchline.models.baselines import Points
from touchline.models.baselines.activities import activities_of
from touchline.playbook import parse_playbook, starter_playbook, starter_text


def with_kind(name: str, *, direction: str = "inbound", engagement: bool = True):
    flag = str(engagement).lower()
    kind = f'[kinds.{name}]\nfamily = "web"\ndirection = "{direction}"\nengagement = {flag}\n'
    return parse_playbook(starter_text() + f'\n{kind}words = {{ en = "did", fr = "a fait" }}\n')


def test_the_starter_kinds_have_the_published_points(playbook):
    assert Points(playbook).points == {
        "email_open": 0, "email_click": 3, "web_visit": 3, "pricing_page": 1, "content_download": 3, "webinar": 0,
        "event": 0, "demo_request": 50,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("contact_form", 50), ("form_error", -5), ("contact_us", 50), ("demande_de_devis", 50), ("site_search", 3),
        ("clic_lien", 3), ("telechargement", 3), ("visite_du_site", 3), ("ouverture_email", 0), ("page_view", 1),
        ("platform_opening", 3), ("something_else", 3), ("salon", 0),
    ],
)  # fmt: skip
def test_kinds_are_told_by_the_words_of_their_names(name, points):
    assert Points(with_kind(name)).points[name] == points


def test_what_shows_no_interest_earns_nothing_but_a_failed_form_costs():
    assert "demo_sent" not in Points(with_kind("demo_sent", direction="outbound", engagement=False)).points
    assert Points(with_kind("form_error", engagement=False)).points["form_error"] == -5
    assert "form_error" not in Points(with_kind("form_error", direction="sales", engagement=False)).points
    assert "email_sent" not in activities_of(starter_playbook())


def test_a_company_sets_its_own_points(playbook, write_set):
    own = Points(playbook, points={"webinar": 20, "email_unsubscribe": -40, "demo_request": 0})
    assert own.points["webinar"] == 20
    counted = {f.kind for f in own.features}
    assert {"webinar", "email_unsubscribe"} <= counted
    assert "demo_request" not in counted
    rows = write_set({f: [1 if f.kind == "email_unsubscribe" else 0] for f in own.features})
    assert own.score(rows).tolist() == [-40]
    with pytest.raises(CatalogError, match="did you mean 'webinar'"):
        Points(playbook, points={"webinat": 20})


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 500), min_size=5, max_size=5), min_size=1, max_size=20))
def test_the_score_is_points_times_touches(write_set, counts):
    points = Points(starter_playbook())
    features = points.features
    assert len(features) == 5
    rows = write_set({f: [row[i] for row in counts] for i, f in enumerate(features)})
    expected = [sum(points.points[f.kind] * n for f, n in zip(features, row, strict=True)) for row in counts]
    assert points.score(rows).tolist() == expected


def test_points_are_those_of_all_touches_known_however_old(playbook, simulated):
    """Plain Python over the log: nothing decays, nothing unknown counts, machines do not."""
    points = Points(playbook)
    scores = points.score(simulated.later)
    chosen = np.random.default_rng(0).choice(len(scores), 60, replace=False)
    rows = simulated.later.arrow(["lead_id", "as_of"]).take(chosen).to_pylist()
    theirs = pc.field("lead_id").isin({row["lead_id"] for row in rows})
    log: dict[str, list] = {}
    for touch in simulated.tables.arrow("touches").filter(theirs).to_pylist():
        log.setdefault(touch["lead_id"], []).append(touch)
    for at, row in zip(chosen, rows, strict=True):
        expected = sum(
            points.points.get(t["kind"], 0)
            for t in log[row["lead_id"]]
            if t["occurred_at"] < row["as_of"] and t["known_at"] < row["as_of"] and not t["machine"]
        )
        assert scores[at] == expected
    assert len(set(scores[chosen])) > 20


def test_a_playbook_without_anything_of_worth_gives_nobody_points(write_set):
    none = Points(starter_playbook(), points=dict.fromkeys(starter_playbook().kinds, 0))
    assert none.features == ()
    assert none.score(write_set({}, leads=["A", "B", "C"])).tolist() == [0, 0, 0]
