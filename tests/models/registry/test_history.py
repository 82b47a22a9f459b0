"""Who scores: promotions, the way back, and a history that loses nobody."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.models.artifact import TREES
from touchline.models.errors import ModelError
from touchline.models.registry import Registry
from touchline.models.registry.history import Event, champions_before, events_of


def test_a_promotion_is_seen_by_every_client(registry):
    registry.promote("challenger", {"rule": "paired bootstrap", "better": 0.98})
    client = registry.store.client
    assert int(client.get_model_version_by_alias("lead-scorer", "champion").version) == 2
    tags = client.get_registered_model("lead-scorer").tags
    assert any("paired bootstrap" in value for value in tags.values())


def test_a_champion_is_no_challenger(registry):
    registry.promote("challenger", {})
    with pytest.raises(ModelError, match="called challenger"):
        registry.load("challenger")


def test_history_says_which_when_why_and_how_good(registry, trained):
    begin = datetime.now(UTC)
    registry.promote(1, {"rule": "first"})
    registry.promote(2, {"rule": "better"})
    registry.rollback({"incident": "odd scores"})
    history = registry.history()
    assert [(p.version, p.how, p.replaced, p.champion) for p in history] == [
        (1, "promoted", None, False), (2, "promoted", 1, False), (1, "rolled back", 2, True),
    ]  # fmt: skip
    assert [p.reason for p in history] == [{"rule": "first"}, {"rule": "better"}, {"incident": "odd scores"}]
    assert begin <= history[0].when < history[1].when < history[2].when <= datetime.now(UTC)
    assert history[0].digest == registry.load(1).digest != history[1].digest
    expected = trained.record.comparison.interval("seed 1", "roc_auc")
    assert [history[1].metrics[f"roc_auc{end}"] for end in ("", "_low", "_high")] == list(expected)
    assert list(pd.DataFrame(history)["version"]) == [1, 2, 1]


def test_rollback_goes_back_one_champion_at_a_time(registry, trained):
    registry.log(trained.record)
    for version in (1, 2, 3):
        registry.promote(version, {})
    assert [registry.rollback().version, registry.rollback().version] == [2, 1]
    with pytest.raises(ModelError, match="no champion before this one"):
        registry.rollback()
    assert registry.load().version == 1


def test_a_damaged_version_does_not_become_champion(registry, artefact):
    registry.promote(1, {})
    registry.promote(2, {})
    path = artefact(1) / TREES
    path.write_bytes(path.read_bytes()[:-9])
    for attempt in (lambda: registry.promote(1, {}), registry.rollback):
        with pytest.raises(ModelError, match="refused"):
            attempt()
    assert registry.load().version == 2
    assert len(registry.history()) == 2


def test_promotions_at_the_same_time_all_stay_in_the_history(registry):
    def promote(version: int) -> None:
        Registry.local(registry.store.folder).promote(version, {"by": version})

    before = (logging.getLogger("mlflow").level, list(warnings.filters), dict(os.environ))
    threads = [threading.Thread(target=promote, args=(1 + i % 2,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert before == (logging.getLogger("mlflow").level, list(warnings.filters), dict(os.environ))
    history = registry.history()
    assert sorted(p.version for p in history) == [1, 1, 1, 2, 2, 2]
    assert [p.champion for p in history] == [False] * 5 + [True]
    assert registry.load().version == history[-1].version


def test_a_champion_that_another_client_set_is_in_the_history_and_can_be_rolled_back(registry):
    registry.promote(1, {})
    registry.store.client.set_registered_model_alias("lead-scorer", "champion", "2")
    last = registry.history()[-1]
    assert (last.version, last.how, last.when, last.champion) == (2, "elsewhere", None, True)
    assert sum(p.champion for p in registry.history()) == 1
    assert registry.rollback().version == 1


def test_a_deleted_version_keeps_its_place_in_the_history(registry):
    registry.promote(1, {})
    registry.promote(2, {})
    registry.store.client.delete_model_version("lead-scorer", "1")
    assert [(p.version, p.digest == "") for p in registry.history()] == [(1, True), (2, False)]
    with pytest.raises(ModelError, match="no version 1"):
        registry.rollback()
    assert registry.load().version == 2


@pytest.mark.parametrize("reason", [{"x": object()}, {"x": float("nan")}, {"x": "long " * 2000}])
def test_a_reason_that_cannot_be_kept_is_refused_before_anything_changes(registry, reason):
    with pytest.raises(ModelError, match="the reason of a promotion"):
        registry.promote(1, reason)
    assert registry.history() == []


moments = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


@given(st.lists(st.tuples(moments, st.integers(1, 9)), unique_by=lambda pair: pair[0]))
def test_events_come_back_from_tags_in_order_of_time(given_events):
    events = [Event(when, version, None, "promoted", {"é": [1, None]}) for when, version in given_events]
    tags = dict(event.to_tag() for event in events) | {"somebody's own": "tag"}
    assert events_of(tags) == sorted(events, key=lambda event: event.when)


@given(st.lists(st.integers(0, 5), max_size=12))
def test_the_way_back_is_a_pile(steps):
    """0 rolls back, a number promotes that version; the oracle is a plain list."""
    begin = datetime(2025, 1, 1, tzinfo=UTC)
    events, pile = [], []
    for i, step in enumerate(steps):
        when = begin + timedelta(hours=i)
        if step == 0 and len(pile) > 1:
            old = pile.pop()
            assert champions_before(events, old)[-1] == pile[-1]
            events.append(Event(when, pile[-1], old, "rolled back", {}))
        elif step:
            if not pile or pile[-1] != step:
                pile.append(step)
            events.append(Event(when, step, None, "promoted", {}))
    assert champions_before(events, pile[-1] if pile else None) == pile[:-1]
