"""An engine that sees the future, by a microsecond or a late fact, is found out; so is one that sees nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from touchline.features import Catalog, DataError
from touchline.features.audit import Code, Poison, PoisonResult, future_poison
from touchline.features.catalog import Account, Attribute, Count, Last, StageCount, StageNow, Sum
from touchline.features.engines import local
from touchline.features.snapshots import draw
from touchline.playbook import parse_playbook, starter_text

AS_OF = datetime(2025, 2, 3, tzinfo=UTC)
SEATS = """
[attributes.seats]
table = "leads"
type = "number"
known = "history"
words = { en = "Seats", fr = "Postes" }

# Without [[sources]]"""
Prove = Callable[..., PoisonResult]


@pytest.fixture(scope="module")
def playbook():
    return parse_playbook(starter_text().replace("# Without [[sources]]", SEATS.lstrip("\n")))


@pytest.fixture
def prove(company, playbook) -> Prove:
    """Runs the proof on a few leads, with a feature of each sort."""
    catalog = Catalog(
        playbook,
        [
            Count(91), Count(91, engagement=True), Sum(91, kind="webinar"), Last(of="campaign", engagement=True),
            Account(Count(None, engagement=True)), StageNow(), StageCount("recycled"),
            Attribute("seats"), Attribute("industry"),
        ],
    )  # fmt: skip

    def prove(**options) -> PoisonResult:
        asked = {"as_of": AS_OF, "sample_leads": 80, "catalog": catalog, **options}
        return future_poison(company.tables, playbook, **asked)

    return prove


def leaky(monkeypatch, old: str, new: str) -> None:
    """Facts are read by a query in which something is other than it should be."""
    honest = local.facts_query
    monkeypatch.setattr(local, "facts_query", lambda *asked: honest(*asked).replace(old, new))


def test_the_engine_sees_nothing_of_the_future_and_all_of_the_past(company, prove):
    before = {file.name: file.stat().st_mtime_ns for file in company.tables.folder.iterdir()}
    result = prove(as_of=[AS_OF, datetime(2025, 5, 7, 13, 7, 11, 17, tzinfo=UTC)])
    assert result.ok, result
    assert set(result.planted) == {str(kind) for kind in Poison}
    assert all(result.planted.values())
    assert result.compared > 8 * 80 * 2 * 2
    assert not result.dead
    assert not result.deaf
    moved = {"count_any_91d", "count_interest_91d", "sum_webinar_91d", "last_campaign_interest", "stage",
             "account_count_interest_ever", "seats"}  # fmt: skip
    assert moved <= set(result.moved)
    assert "industry" not in result.moved
    assert result.to_dict()["ok"] is True
    company.tables.verify()
    assert before == {file.name: file.stat().st_mtime_ns for file in company.tables.folder.iterdir()}


def test_an_engine_that_takes_facts_by_when_they_happened_is_found_out(prove, monkeypatch):
    """`known_at` ignored: the list of attendees is used before it was uploaded, the stage before it was logged."""
    for when in ("occurred_at", "entered_at"):
        leaky(monkeypatch, f"greatest(epoch_us(t.{when}), epoch_us(t.known_at), n.known)", f"epoch_us(t.{when})")
    result = prove()
    assert not result.ok
    assert "late" in result.changed["count_interest_91d"]
    assert {"late", "unknown_leads"} <= set(result.changed["account_count_interest_ever"])
    assert {"at_as_of", "after", "stages"}.isdisjoint(result.changed["count_interest_91d"])
    assert "stages" in result.changed["stage"]
    assert {"seats", "industry"}.isdisjoint(result.changed)
    assert {"count_interest_91d", "stage"} & set(result.truncation)


def test_an_engine_whose_past_includes_as_of_itself_is_found_out(prove, monkeypatch):
    """`<=` for `<`. Rows alone do not show it, for facts from as_of on are not even read; rows together do."""
    honest = local.compute

    def compute(block, *args, **options):
        return honest(replace(block, row_as_of=block.row_as_of + 1), *args, **options)

    monkeypatch.setattr(local, "compute", compute)
    result = prove()
    assert "at_as_of" in result.changed["count_interest_91d"]
    assert "after" not in result.changed["count_interest_91d"]
    assert "stages" in result.changed["stage"]
    assert "changes" in result.changed["seats"]


def test_an_engine_that_takes_the_latest_value_of_a_changing_field_is_found_out(prove, monkeypatch):
    earlier = f"epoch_us(t.known_at) - {50 * 86_400_000_000}"
    leaky(monkeypatch, "epoch_us(t.known_at), greatest(epoch_us(t.known_at), n.known)", f"{earlier}, {earlier}")
    assert "changes" in prove().changed["seats"]


def test_an_engine_that_knows_accounts_before_they_are_known_is_found_out(prove, monkeypatch):
    """As where the industry is researched once a deal is on the table."""
    honest = local.rows_query
    monkeypatch.setattr(
        local, "rows_query", lambda *asked: honest(*asked).replace("epoch_us(a.known_at) < s.as_of", "true")
    )
    result = prove()
    assert result.changed == {"industry": ("rewrites",)}
    assert set(result.truncation) == {"industry"}


def test_who_is_scored_must_not_depend_on_late_facts(prove, monkeypatch):
    honest = draw._interest
    monkeypatch.setattr(
        draw, "_interest", lambda w, t: honest(w, t).replace("greatest(epoch_us(occurred_at), epoch_us(known_at))",
                                                             "epoch_us(occurred_at)"),
    )  # fmt: skip
    result = prove()
    assert "late" in result.members
    assert not result.changed
    assert not result.ok


def test_a_dead_pipeline_is_found_out(prove, monkeypatch):
    """Features that never change pass every other proof."""
    honest = local.facts_query
    monkeypatch.setattr(local, "facts_query", lambda *asked: f"SELECT * FROM ({honest(*asked)}) WHERE false")
    result = prove()
    assert set(result.dead) == {"touches", "stages", "changes"}
    assert not result.changed
    assert not result.ok


def test_a_kind_that_no_feature_hears_is_named(prove, playbook):
    result = prove(catalog=Catalog(playbook, [Count(30, kind="webinar"), Count(30, kind="web_visit")]))
    assert result.ok
    assert "sales_call" in result.deaf
    assert {"webinar", "web_visit"}.isdisjoint(result.deaf)


def test_the_audit_blocks_and_names_the_feature(company, find, monkeypatch):
    leaky(monkeypatch, "epoch_us(t.known_at), n.known)", "n.known)")
    found = find(
        Code.FUTURE_POISON, Code.TRUNCATION, Code.DEAD_PIPELINE,
        catalog=company.few.keep("days_since_webinar", "industry"), training=company.training,
    )  # fmt: skip
    assert found(Code.FUTURE_POISON) == {"days_since_webinar": "block"}
    assert found(Code.TRUNCATION) == {"days_since_webinar": "block"}
    assert found(Code.DEAD_PIPELINE) == {}
    assert found.audit.blocked


def test_times_without_a_zone_and_before_all_leads_are_refused(prove):
    with pytest.raises(DataError, match="no time zone"):
        prove(as_of=datetime(2025, 1, 1))
    with pytest.raises(DataError, match="no lead known"):
        prove(as_of=datetime(2001, 1, 1, tzinfo=UTC))
