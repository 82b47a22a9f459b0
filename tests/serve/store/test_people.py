"""People: hand-offs and verdicts, who watches whom, and who is forgotten."""

from __future__ import annotations

import runpy
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from touchline.playbook import starter_playbook
from touchline.serve.store import Part, Store, StoreError
from touchline.serve.store.tables import metadata

making = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("making.py"))))
DAY, MONDAY = making.DAY, making.MONDAY
full, publish, scores = making.full, making.publish, making.scores
PLAYBOOK = starter_playbook()
REASON = PLAYBOOK.rejection_reasons[0].name
SECRET = "jeanne.martin@example.com"


def test_a_handed_over_lead_has_a_clock_that_a_verdict_stops(store):
    batch = publish(store, full(["a", "b"]))
    assert store.hand_over(["a", "b", "a"], batch.id, PLAYBOOK, by="marketing", now=MONDAY) == 2
    assert store.hand_over(["b"], batch.id, PLAYBOOK, by="marketing", now=MONDAY + DAY) == 0
    assert {h.due_at for h in store.handoffs()} == {MONDAY + PLAYBOOK.handoff.sla}
    store.give_feedback("a", "reject", PLAYBOOK, by="anna", reason=REASON, now=MONDAY + DAY)
    (ended,) = store.handoffs(lead_id="a")
    assert (ended.state, ended.ended_at, ended.by) == ("rejected", MONDAY + DAY, "marketing")
    assert [h.lead_id for h in store.handoffs(state="open", due_before=MONDAY + 3 * DAY)] == ["b"]
    assert store.handoffs(state="open", due_before=MONDAY + PLAYBOOK.handoff.sla) == []
    assert store.hand_over(["a"], batch.id, PLAYBOOK, by="marketing", now=MONDAY + 9 * DAY) == 1
    assert [f.reason for f in store.feedback(lead_id="a")] == [REASON]
    assert store.feedback(since=MONDAY + 2 * DAY) == []


@pytest.mark.parametrize(
    ("verdict", "reason", "told"),
    [
        ("reject", None, "needs a reason"),
        ("recycle", "because", "needs a reason"),
        ("good", REASON, "takes no reason"),
        ("perhaps", None, "no verdict"),
        ("accept", None, "not handed over"),
    ],
)
def test_a_verdict_that_means_nothing_is_refused(store, verdict, reason, told):
    publish(store, full([SECRET]))
    with pytest.raises(StoreError, match=told) as caught:
        store.give_feedback(SECRET, verdict, PLAYBOOK, by="anna", reason=reason)
    assert SECRET not in str(caught.value)
    assert store.feedback() == []


def test_leads_without_a_score_are_not_handed_over_judged_or_watched(store):
    batch = publish(store, full(["a"]))
    for attempt in (
        lambda: store.hand_over(["a", SECRET], batch.id, PLAYBOOK, by="m"),
        lambda: store.give_feedback(SECRET, "good", PLAYBOOK, by="anna"),
        lambda: store.watch("anna", SECRET),
    ):
        with pytest.raises(StoreError) as caught:
            attempt()
        assert SECRET not in str(caught.value)
    assert store.handoffs() == []


def test_everybody_has_a_list_of_their_own(store):
    publish(store, full(["a", "b"]))
    for user, lead in (("anna", "b"), ("anna", "a"), ("anna", "b"), ("bo", "a")):
        store.watch(user, lead)
    store.unwatch("bo", "a")
    assert (store.watched("anna"), store.watched("bo")) == (["b", "a"], [])


def everything(store: Store) -> str:
    """All that the tables hold, as text."""
    with store._database.reading() as con:
        return repr([con.exec_driver_sql(f'SELECT * FROM "{t.name}"').all() for t in metadata.sorted_tables])


def test_who_is_forgotten_is_gone_everywhere_and_does_not_come_back(store, address):
    for day in range(3):
        batch = publish(store, full(["a", SECRET]), as_of=MONDAY + day * DAY)
    with_colleague = making.rows("moments", {"lead_id": "c", "moment": "new_person", "person": SECRET})
    colleague = Part(scores(["c"]), moments=with_colleague)
    publish(store, colleague, version="9")
    store.hand_over(["a", SECRET], batch.id, PLAYBOOK, by="m")
    store.give_feedback(SECRET, "good", PLAYBOOK, by="anna")
    store.watch("anna", SECRET)
    assert SECRET in everything(store)
    assert store.forget(SECRET, by="dpo", now=MONDAY + 5 * DAY) == 3
    assert SECRET not in everything(store)
    assert store.check().problems == ()
    assert [(e.who, e.what, e.count) for e in store.audit()][-1] == ("dpo", "forget", 3)
    assert store.batch(batch.id).rows == 1
    later = publish(store, full(["a", SECRET, "z"]), as_of=MONDAY + 8 * DAY)
    publish(store, colleague, version="10")
    assert later.rows == 2
    assert SECRET not in everything(store)
    assert store.lead("z", batch=later.id).part.share["title"].to_pylist() == ["Guide, à lire"]
    assert [h.lead_id for h in store.handoffs()] == ["a"]
    assert store.forget(SECRET, by="dpo") == 0
    if Path(address).exists():
        store.close()
        for file in Path(address).parent.iterdir():
            assert SECRET.encode() not in file.read_bytes(), file.name


def test_somebody_forgotten_while_a_batch_is_staged_is_not_published(store, address):
    with Store.open(address) as other, store.new_batch(making.lineage()) as batch:
        batch.add(full(["a", SECRET]))
        other.forget(SECRET, by="dpo")
        batch.add(full(["b", SECRET + "2"]))
        assert batch.publish().rows == 3
    assert store.check().problems == ()
    assert f"'{SECRET}'" not in everything(store)


def test_hashes_of_two_stores_differ(new_address):
    found = []
    for _ in range(2):
        with Store.open(new_address()) as store:
            store.forget(SECRET, by="dpo")
            with store._database.reading() as con:
                found.append(con.exec_driver_sql("SELECT hash FROM forgotten").scalar())
    assert found[0] != found[1]


def test_batches_go_when_they_are_old_enough_and_the_newest_stays(store):
    keep = PLAYBOOK.retention.batches
    nights = [{"as_of": MONDAY + n * DAY, "scored_at": MONDAY + n * DAY} for n in range(3)]
    batches = [publish(store, full(["a", "b"]), **night) for night in nights]
    with store.new_batch(making.lineage(**nights[2], input_digest="i2"), revise=True) as batch:
        batch.add(full(["a"]))
        newest = batch.publish()
    assert store.expire(MONDAY + keep, PLAYBOOK) == 0
    assert store.expire(MONDAY + keep + timedelta(microseconds=1), PLAYBOOK) == 1
    with pytest.raises(StoreError, match="retention"):
        store.batch(batches[0].id)
    assert store.lead("b", batch=batches[1].id) is not None
    assert store.expire(MONDAY + 10 * keep, PLAYBOOK) == 2
    assert store.latest() == newest
    assert store.best().scores["lead_id"].to_pylist() == ["a"]
    with store._database.reading() as con:
        assert con.exec_driver_sql("SELECT count(*) FROM reasons").scalar() == store.lead("a").part.reasons.num_rows
