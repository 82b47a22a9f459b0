"""Reasons add up, lead with families, and tell facts that are true."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from touchline.features import Catalog
from touchline.features.catalog import Account, Age, Attribute, Count, DaysSince, Decayed, Rate
from touchline.models.explainer import Contributions
from touchline.models.reasons import Grouping, Most, evidence_features, find_change, find_reasons, subject_of
from touchline.models.reasons.rounding import whole_points
from touchline.models.reasons.steadiness import steadiness
from touchline.models.reasons.tracing import shows_interest, traceable
from touchline.playbook import starter_playbook

PLAYBOOK = starter_playbook()
CATALOG = Catalog(
    PLAYBOOK,
    [
        Count(91, kind="webinar"), DaysSince(kind="webinar"), Decayed(kind="demo_request"),
        Count(91, kind="email_open"), Count(91, kind="email_unsubscribe"), Account(Count(91, engagement=True)),
        Account(Rate(91, kind="email_open", per="email_sent")), Attribute("industry"), Age(),
    ],
)  # fmt: skip
NAMES = tuple(CATALOG.names)
GROUPING = Grouping.of(CATALOG, NAMES)
AS_OF = datetime(2026, 3, 20, tzinfo=UTC)


def frame(rows: int, **columns: object) -> pd.DataFrame:
    wanted = [*NAMES, *(f.name for f in evidence_features(CATALOG, NAMES))]
    return pd.DataFrame({name: columns.get(name, [0.0] * rows) for name in wanted}, index=range(rows))


def contributions(values: np.ndarray) -> Contributions:
    return Contributions(NAMES, -4.0, np.asarray(values, float), np.zeros(len(values)))


def reasons_of(values: np.ndarray, features: pd.DataFrame | None = None, **options):
    rows = len(values)
    as_of = pd.Series([AS_OF] * rows).dt.as_unit("us")
    return find_reasons(
        contributions(values), GROUPING, features if features is not None else frame(rows), as_of, **options
    )


matrices = st.integers(1, 6).flatmap(
    lambda n: st.lists(st.lists(st.floats(-3, 3), min_size=len(NAMES), max_size=len(NAMES)), min_size=n, max_size=n)
)


@settings(max_examples=60, deadline=None)
@given(matrices, st.integers(0, 4), st.integers(0, 4))
def test_base_reasons_and_rest_are_the_log_odds(values, favourable, against):
    found = reasons_of(np.array(values), most=Most(favourable, against))
    told = np.bincount(found.table["row"], found.table["log_odds"], minlength=len(values))
    np.testing.assert_allclose(found.base + told + found.rest, -4.0 + np.sum(values, axis=1), atol=1e-12)
    np.testing.assert_allclose(found.of_families.sum(axis=1), np.sum(values, axis=1), atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(matrices)
def test_the_strongest_families_lead_whatever_the_order_of_features(values):
    found = reasons_of(np.array(values), most=Most(2, 1))
    for row, own in enumerate(np.array(values)):
        families: dict[str, float] = {}
        for name, value in zip(NAMES, own, strict=True):
            families[CATALOG[name].family] = families.get(CATALOG[name].family, 0.0) + value
        best = sorted((v for v in families.values() if v > 0), reverse=True)[:2]
        worst = sorted(v for v in families.values() if v < 0)[:1]
        told = found.table[found.table["row"] == row]["log_odds"]
        np.testing.assert_allclose(told, [*best, *worst], atol=1e-12)


def test_a_family_speaks_of_the_subject_that_says_the_same_most_strongly():
    values = np.zeros((1, len(NAMES)))
    values[0, NAMES.index("count_webinar_91d")] = -0.4  # webinars together +0.1, the demo request +0.5
    values[0, NAMES.index("days_since_webinar")] = 0.5
    values[0, NAMES.index("decayed_demo_request_14d")] = 0.5
    (told,) = reasons_of(values).table.itertuples()
    assert GROUPING.families[told.family] == "events"
    assert GROUPING.subjects[told.subject].of == "demo_request"
    assert told.log_odds == pytest.approx(0.6)


def test_families_that_are_not_shown_are_in_the_rest():
    values = np.ones((1, len(NAMES)))
    found = reasons_of(values, shown=["fit"])
    assert [GROUPING.families[f] for f in found.table["family"]] == ["fit"]
    assert found.rest[0] == pytest.approx(len(NAMES) - 1)


def test_facts_are_those_of_the_features():
    values = np.zeros((3, len(NAMES)))
    values[:, NAMES.index("count_webinar_91d")] = 1.0
    values[2, NAMES.index("industry")] = 2.0
    features = frame(
        3, count_webinar_91d=[2.0, 0.0, 1.0], days_since_webinar=[8.25, np.nan, 400.0],
        industry=pd.Categorical(["retail", None, "media"]),
    )  # fmt: skip
    found = reasons_of(values, features).table
    webinars = found[[GROUPING.subjects[s].of == "webinar" for s in found["subject"]]]
    assert webinars["count"].tolist() == [2, 0, 1]
    days = [None if pd.isna(d) else d.date() for d in webinars["last"]]
    assert days == [date(2026, 3, 11), None, (AS_OF - timedelta(days=400)).date()]
    (industry,) = found[[GROUPING.subjects[s].of == "industry" for s in found["subject"]]].itertuples()
    assert (industry.row, industry.value) == (2, "media")


def test_a_day_that_began_at_midnight_is_that_day_in_the_playbooks_zone():
    values = np.zeros((1, len(NAMES)))
    values[0, NAMES.index("count_webinar_91d")] = 1.0
    features = frame(1, count_webinar_91d=[1.0], days_since_webinar=np.array([10 + 1 / 24], np.float32))
    utc, paris = (
        reasons_of(values, features, zone=zone).table["last"][0].date() for zone in (None, ZoneInfo("Europe/Paris"))
    )
    assert (utc, paris) == (date(2026, 3, 9), date(2026, 3, 10))  # 23 h in Greenwich, midnight in Paris


def test_every_default_feature_has_a_subject_whose_facts_can_be_computed():
    catalog = Catalog.default(PLAYBOOK)
    grouping = Grouping.of(catalog, catalog.names)
    assert len(grouping.subject_of) == len(catalog)
    both = catalog.add(*evidence_features(catalog, catalog.names))  # raises if one does not fit the playbook
    for subject, evidence in zip(grouping.subjects, grouping.evidence, strict=True):
        assert subject.family in catalog.families
        assert evidence.features, subject
        assert all(f.name in both for f in evidence.features)


def test_a_rate_over_the_account_is_told_by_both_of_its_counts():
    feature = CATALOG["account_rate_email_open_per_email_sent_91d"]
    place = GROUPING.subjects.index(subject_of(feature))
    assert [f.name for f in GROUPING.evidence[place].features] == [
        "account_count_email_open_91d", "account_count_email_sent_91d",
    ]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(matrices, st.floats(-1, 1))
def test_the_steps_of_a_change_are_the_whole_difference(values, shift):
    rng = np.random.default_rng(3)
    then, aged, now, anew = (contributions(np.array(values) * rng.random(len(NAMES))) for _ in range(4))
    anew = replace(anew, base=-4.0 + shift)
    as_of = pd.Series([AS_OF] * len(values)).dt.as_unit("us")
    both = {"features": frame(len(values)), "as_of": as_of}
    change = find_change(GROUPING, then, aged, now, anew, **both)
    np.testing.assert_allclose(change.total, anew.log_odds - then.log_odds, atol=1e-12)
    same_model = find_change(GROUPING, then, aged, now, **both)
    np.testing.assert_allclose(same_model.total, now.log_odds - then.log_odds, atol=1e-12)
    assert not same_model.step("model").any()
    told = np.bincount(change.table["row"], change.table["log_odds"], minlength=len(values))
    np.testing.assert_allclose(told + change.rest, change.step("touches"), atol=1e-12)


def test_what_a_lead_is_changes_the_profile_and_what_it_did_the_touches():
    now = np.zeros((1, len(NAMES)))
    now[0, NAMES.index("industry")], now[0, NAMES.index("count_webinar_91d")] = 0.7, 0.2
    nothing = contributions(np.zeros((1, len(NAMES))))
    as_of = pd.Series([AS_OF]).dt.as_unit("us")
    change = find_change(GROUPING, nothing, nothing, contributions(now), features=frame(1), as_of=as_of)
    assert change.step("profile")[0] == pytest.approx(0.7)
    assert change.step("touches")[0] == pytest.approx(0.2)


def test_a_model_of_other_features_is_one_step_of_the_change():
    old = Contributions(NAMES[:2], -3.0, np.array([[0.5, 0.5]]), np.zeros(1))
    new = contributions(np.full((1, len(NAMES)), 0.1))
    as_of = pd.Series([AS_OF]).dt.as_unit("us")
    change = find_change(GROUPING, old, old, old, new, features=frame(1), as_of=as_of)
    assert change.step("model")[0] == pytest.approx(new.log_odds[0] - old.log_odds[0])
    assert change.total[0] == pytest.approx(change.step("model")[0])


def test_touches_of_interest_never_count_against_a_lead():
    values = np.full((1, len(NAMES)), -1.0)
    kept = dict(zip(NAMES, traceable(contributions(values), CATALOG)[0], strict=True))
    assert kept["count_webinar_91d"] == 0
    assert kept["account_count_interest_91d"] == 0
    assert kept["count_email_unsubscribe_91d"] == -1
    assert kept["industry"] == -1  # on no touch anyway
    np.testing.assert_array_equal(traceable(contributions(-values), CATALOG), -values)


def test_a_mixed_feature_is_no_sign_of_interest():
    assert shows_interest(Count(kind=("webinar", "email_open")), PLAYBOOK)
    assert not shows_interest(Count(kind=("webinar", "email_sent")), PLAYBOOK)
    assert not shows_interest(Count(), PLAYBOOK)


@given(st.lists(st.floats(-99, 99), min_size=1, max_size=8))
def test_rounded_parts_add_up_to_the_rounded_total_and_stay_near(parts):
    total = sum(parts)
    found = whole_points(parts, total)
    assert sum(found) == round(total)
    assert all(abs(whole - part) <= 1 for whole, part in zip(found[:-1], parts[:-1], strict=True))


def test_a_family_that_a_retrain_moves_more_than_it_says_is_not_shown(monkeypatch):
    rng = np.random.default_rng(1)
    steady, noise = rng.normal(0, 1, (400, 1)), rng.normal(0, 0.1, (400, 3))

    @dataclass
    class Model:
        which: int
        previous: object = None

    class Fake:
        def __init__(self, model: Model, check: object) -> None:
            self.which = model.which

        def explain(self, rows: pd.DataFrame) -> Contributions:
            values = np.hstack([steady, noise[:, [self.which]]])
            return Contributions(("a", "b"), 0.0, values, np.zeros(400))

    monkeypatch.setattr("touchline.models.reasons.steadiness.Explainer", Fake)
    halves, families, rows = (Model(1), Model(2)), {"a": "web", "b": "fit"}, pd.DataFrame(index=range(400))
    found = steadiness(Model(0), halves, rows, families)
    assert found["families"]["web"]["noise"] == 0
    apart = np.abs(noise[:, 1] - noise[:, 2]).mean()
    assert found["families"]["fit"]["noise"] == pytest.approx(apart / np.sqrt(2))
    assert found["families"]["fit"]["share"] == pytest.approx(np.abs(noise[:, 0]).mean())
    noise[:, 2] *= 3
    assert steadiness(Model(0), halves, rows, families)["shown"] == ["web"]
    steadied = steadiness(Model(0, previous=Model(1)), halves, rows, families)
    unsteadied = steadiness(Model(0), halves, rows, families)
    assert steadied["families"]["fit"]["noise"] == pytest.approx(unsteadied["families"]["fit"]["noise"] / 2)
    assert steadiness(Model(0), None, rows, families)["shown"] == ["web", "fit"]
