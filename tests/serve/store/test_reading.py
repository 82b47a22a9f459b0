"""Reading: pages in the order that Python sorts by, histories, and scores of earlier nights."""

from __future__ import annotations

import runpy
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from touchline.serve.store import Part, StoreError

making = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("making.py"))))
DAY, MONDAY = making.DAY, making.MONDAY
full, publish, scores = making.full, making.publish, making.scores

TEXTS = st.text(st.sampled_from("abAé%_\\' \U0001f600"), min_size=1, max_size=4)
LEADS = st.lists(
    st.tuples(
        TEXTS,
        st.integers(0, 3),
        st.integers(0, 3),
        st.sampled_from([0.1, 0.1 + 2**-55, 0.2, 1 / 3, 1e-300]),
        st.sampled_from([None, "anna", "b", ""]),
        st.sampled_from("AB"),
        st.sampled_from([None, "mql"]),
    ),
    min_size=1,
    max_size=25,
    unique_by=lambda lead: lead[0],
)
ANY = st.none()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    leads=LEADS,
    limit=st.integers(1, 7),
    owner=ANY | st.sampled_from(["anna", "b", ""]),
    tier=ANY | st.sampled_from("AB"),
    stage=ANY | st.just("mql"),
    search=st.just("") | TEXTS,
)
def test_pages_together_are_what_python_sorts(store, leads, limit, owner, tier, stage, search):
    names, flames, stars, chance, owners, tiers, stages = (list(column) for column in zip(*leads, strict=True))
    part = Part(
        scores(names, flames=flames, stars=stars, probability=chance, owner_id=owners, tier=tiers, stage=stages)
    )
    half = len(part) // 2
    with store.new_batch(making.lineage(as_of=next(store_days)), revise=True) as batch:
        for begin, end in ((0, half), (half, len(part))):
            batch.add(Part(part.scores.slice(begin, end - begin)))
        batch.publish()
    wanted = [
        (-f, -s, -c, row, n)
        for row, (n, f, s, c, o, t, g) in enumerate(leads)
        if (owner in (None, o)) and (tier in (None, t)) and (stage in (None, g)) and n.startswith(search)
    ]
    found: list[str] = []
    after = None
    while True:
        page = store.best(owner=owner, tier=tier, stage=stage, search=search, limit=limit, after=after)
        found += page.scores["lead_id"].to_pylist()
        after = page.after
        if after is None:
            break
        assert page.scores.num_rows == limit
    assert found == [name for *_, name in sorted(wanted)]


store_days = iter(MONDAY + timedelta(minutes=n) for n in range(10_000))


@pytest.mark.parametrize("after", ["", "x", "bnVsbA", "WzEsMiwzXQ", "é", "W251bGwsMSwxLDAuNSwxXQ", "[1,1,1,0.5,1]"])
def test_a_page_that_is_not_ours_is_refused(store, after):
    publish(store, full(["a"]))
    with pytest.raises(StoreError, match="no page of ours"):
        store.best(after=after)


def test_searching_for_what_no_name_can_hold_finds_nothing(store):
    publish(store, full(["a"]))
    assert store.best(search="a\0").scores.num_rows == 0
    assert store.best(search="'; DROP TABLE scores; --").scores.num_rows == 0


def test_a_page_goes_on_in_its_own_batch(store):
    publish(store, full([f"L{i}" for i in range(6)]))
    page = store.best(limit=4)
    publish(store, full(["new"]), as_of=MONDAY + DAY)
    assert store.best(limit=4, after=page.after).scores["lead_id"].to_pylist() == ["L1", "L0"]
    assert store.best().scores["lead_id"].to_pylist() == ["new"]


def test_before_the_first_batch_a_page_says_what_to_do(store):
    assert store.latest() is None
    with pytest.raises(StoreError, match="touchline score"):
        store.best()


def test_a_history_holds_published_scores_only_and_the_oldest_first(store):
    for days, z in ((7, 1.0), (0, -1.0), (14, 2.0)):
        publish(store, Part(scores(["a", "b"], [z, 0.0])), as_of=MONDAY + days * DAY)
    publish(store, Part(scores(["a"], [5.0])), as_of=MONDAY, input_digest="i2", revise=True)
    history = store.history("a")
    assert history["log_odds"].to_pylist() == [5.0, 1.0, 2.0]
    assert history["as_of"].to_pylist() == [MONDAY, MONDAY + 7 * DAY, MONDAY + 14 * DAY]
    assert store.lead("a").history == history
    assert store.history("nobody").num_rows == 0


def test_earlier_scores_come_in_the_order_asked_for(store):
    for days in (0, 3, 30):
        publish(store, Part(scores(["a", "b"], [days + 0.5, -days])), as_of=MONDAY + days * DAY)
    asked = pa.chunked_array([["b", "nobody"], ["a"]])
    for days, batch in ((0, 0), (2, 0), (3, 3), (9, 3), (30, 30)):
        before = store.score_before(asked, MONDAY + days * DAY)
        np.testing.assert_array_equal(before.log_odds, [-batch, np.nan, batch + 0.5])
        np.testing.assert_array_equal(before.score, [50 - batch, np.nan, 50.5 + batch])
        assert before.batch.lineage.as_of == MONDAY + batch * DAY
    for days in (-1, 10):  # none, and none that is near
        before = store.score_before(asked.combine_chunks(), MONDAY + days * DAY)
        assert before.batch is None
        assert np.isnan(before.score).all()
        assert before.score.shape == (3,)
