"""Batches: what goes in comes out, all at once or not at all, and once."""

from __future__ import annotations

import os
import random
import runpy
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from touchline.features import BusyError
from touchline.serve.store import SHAPES, AlreadyPublished, Part, Store, StoreError
from touchline.serve.store.tables import metadata

making = SimpleNamespace(**runpy.run_path(str(Path(__file__).with_name("making.py"))))
DAY, MONDAY = making.DAY, making.MONDAY
full, lineage, publish, rows, scores = making.full, making.lineage, making.publish, making.rows, making.scores

LEADS = ["L1", "L2", 'Léa;"3"\n']


def test_what_is_written_is_read_back_to_the_bit(store):
    part = full(LEADS)
    batch = publish(store, part)
    assert (batch.rows, batch.status, batch.lineage) == (3, "published", lineage())
    assert store.latest() == store.batch(batch.id) == batch
    found = store.lead(LEADS[-1])
    assert found.part.scores.to_pylist() == part.scores.slice(2).to_pylist()
    for name in Part.names():
        given = [{**row, **({"row": 0} if "row" in row else {})} for row, of in
                 zip(getattr(part, name).to_pylist(), part.rows(name).to_pylist(), strict=True) if of == 2]  # fmt: skip
        assert getattr(found.part, name).to_pylist() == given, name
    assert given
    assert store.lead("nobody") is None


def test_parts_of_a_batch_do_not_get_mixed_up(store):
    with store.new_batch(lineage()) as batch:
        for leads in (["a", "b"], ["c", "d"]):
            batch.add(full(leads))
        batch.publish()
    assert [store.lead(x).part.reasons.num_rows for x in "abcd"] == [1, 2, 1, 2]
    assert store.lead("d").part.moments["person"].to_pylist() == ["d"]


def test_frames_of_pandas_are_taken_with_what_they_miss(store):
    frame = scores(["a", "b"]).to_pandas()
    frame["change"] = [np.nan, 2.0]
    frame["more"] = 1
    reasons = pd.DataFrame({"row": [1], "family": [0], "subject": [3], "points": [1.5], "count": [4], "against": [None],
                            "last": [pd.Timestamp("2026-02-01")], "value": [None]})  # fmt: skip
    publish(store, Part(frame, reasons=reasons))
    assert store.best().scores["change"].to_pylist() == [2.0, None]
    assert store.lead("b").part.reasons.to_pylist()[0]["last"].isoformat() == "2026-02-01"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda s: {"scores": s.drop_columns(["tier"])}, "lack tier"),
        (lambda s: {"scores": s.set_column(3, "rank", pa.array(["x-17"]))}, "rank of type string"),
        (lambda s: {"scores": s.set_column(4, "log_odds", pa.array([float("inf")]))}, "not finite"),
        (lambda s: {"scores": s.set_column(9, "tier", pa.array([None], pa.string()))}, "lack tier in 1 rows"),
        (lambda s: {"scores": s.set_column(1, "account_id", pa.array(["a\0b"]))}, "NUL"),
        (lambda s: {"scores": s, "told": rows("told", {"lead_id": "x-18"})}, "not among the scores"),
        (lambda s: {"scores": s, "changes": rows("changes", {"row": 1, "step": 0, "points": 1.0})}, "not among"),
    ],
)
def test_a_part_that_is_wrong_is_refused_without_a_word_of_a_lead(spoil, told):
    with pytest.raises(StoreError, match=told) as caught:
        Part(**spoil(scores(["x-17"])))
    assert "x-1" not in str(caught.value)


def test_a_staged_batch_is_seen_by_nobody_and_gone_if_it_is_not_published(store):
    before = publish(store, full(LEADS))
    with suppress(ZeroDivisionError), store.new_batch(lineage(as_of=MONDAY + DAY)) as batch:
        batch.add(full(["new"]))
        assert store.latest() == before
        assert store.lead("new") is None
        with pytest.raises(StoreError, match="no batch"):
            store.batch(batch.id)
        raise ZeroDivisionError
    assert counts(store)["scores"] == 3
    assert store.check().problems == ()


def counts(store: Store) -> dict[str, int]:
    with store._database.reading() as con:
        return {
            t.name: con.exec_driver_sql(f'SELECT count(*) FROM "{t.name}"').scalar() for t in metadata.sorted_tables
        }


def test_the_same_again_changes_nothing_and_other_data_needs_a_word(store):
    first = publish(store, full(LEADS))
    before = counts(store)
    with pytest.raises(AlreadyPublished) as caught:
        publish(store, full(["other"]), run_id="r2")
    assert caught.value.batch == first
    with pytest.raises(StoreError, match="revise=True"):
        publish(store, full(["other"]), input_digest="i2")
    assert counts(store) == before
    second = publish(store, full(["other"]), input_digest="i2", revise=True)
    assert store.latest() == second
    assert store.batch(first.id).status == "superseded"
    assert store.history(LEADS[0]).num_rows == 0
    assert store.best(batch=first.id).scores.num_rows == 3  # pages under way can be read to the end
    assert [entry.what for entry in store.audit()] == ["publish", "revise"]


def test_other_models_and_instants_stand_side_by_side(store):
    batches = [publish(store, full(LEADS), **key) for key in
               ({}, {"version": "4"}, {"model": "challenger"}, {"as_of": MONDAY - DAY})]  # fmt: skip
    assert [store.batch(b.id).status for b in batches] == ["published"] * 4
    assert store.latest() == batches[2]
    assert store.latest("lead-scorer") == batches[1]


def test_a_lead_twice_is_refused_without_its_name_and_nothing_stays(store):
    for parts in ([["x-17", "x-17"]], [["x-17"], ["b", "x-17"]]):
        with store.new_batch(lineage()) as batch:
            for leads in parts[:-1]:
                batch.add(Part(scores(leads)))
            with pytest.raises(StoreError, match="twice") as caught:
                batch.add(Part(scores(parts[-1])))
        shown = f"{caught.value}{caught.value.__cause__}"
        assert "x-17" not in shown
        assert caught.value.__suppress_context__
    assert counts(store)["scores"] == 0


def test_an_empty_batch_leaves_sales_the_last_one(store):
    batch = publish(store, full(LEADS))
    with pytest.raises(StoreError, match="no leads"):
        publish(store, Part(scores([])), as_of=MONDAY + DAY)
    assert store.latest() == batch


def test_of_two_writers_the_second_is_told_to_come_back(store, address):
    with Store.open(address) as other, store.new_batch(lineage()) as batch:
        batch.add(full(LEADS))
        with pytest.raises(BusyError, match="try again"):
            publish(other, full(["x"]), as_of=MONDAY + DAY)
        assert other.check().problems == ()
        batch.publish()
    with Store.open(address) as other:
        publish(other, full(["x"]), as_of=MONDAY + DAY)


STAGE = """
import sys
sys.path.insert(0, sys.argv[2])
from making import *
with Store.open(sys.argv[1]) as store, store.new_batch(lineage(as_of=MONDAY + DAY)) as batch:
    print("go", flush=True)
    for i in range(100_000):
        batch.add(full([f"{i}-{j}" for j in range(200)]))
"""


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_writer_that_is_killed_leaves_no_trace(store, address, seed):
    before = publish(store, full(LEADS))
    command = [sys.executable, "-c", STAGE, address, str(Path(__file__).parent)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert writer.stdout.readline() == "go\n"
    time.sleep(random.Random(seed).uniform(0.02, 0.6))
    assert writer.poll() is None
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate()
    assert store.latest() == before
    assert [row["lead_id"] for row in store.best().scores.to_pylist()] == LEADS[::-1]
    patience = time.monotonic() + 20  # a server needs a moment to see that the other end is gone
    while True:
        try:
            after = publish(store, full(["x", "y"]), as_of=MONDAY + DAY)
            break
        except BusyError:
            assert time.monotonic() < patience
            time.sleep(0.1)
    assert after.rows == 2
    assert counts(store)["scores"] == 5
    assert counts(store)["batches"] == 2
    assert store.check().problems == ()


def test_readers_see_whole_batches_while_others_are_published(store, address):
    leads = [f"L{i}" for i in range(50)]
    publish(store, Part(scores(leads, owner_id=["0"] * 50)))
    seen: list[set[str]] = []
    done = threading.Event()

    def look() -> None:
        with Store.open(address) as reader:
            while not done.is_set():
                page = reader.best(limit=20)
                found = page.scores["owner_id"].to_pylist()
                while page.after:
                    page = reader.best(limit=20, after=page.after)
                    found += page.scores["owner_id"].to_pylist()
                seen.append({str(len(found)), *found})

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for n in range(1, 9):
            publish(store, Part(scores(leads, owner_id=[str(n)] * 50)), input_digest=f"n{n}", revise=True)
    finally:
        done.set()
        thread.join()
    assert seen
    assert all(len(found) == 2 and "50" in found for found in seen)


def test_a_time_without_a_zone_is_refused_before_anything_is_written(store):
    with pytest.raises(StoreError, match="zone"):
        publish(store, full(LEADS), as_of=MONDAY.replace(tzinfo=None))
    assert counts(store)["batches"] == 0


def test_all_shapes_have_a_table():
    assert {*SHAPES} <= {*metadata.tables}
