"""What must not change a single bit of a feature, and what must."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from touchline.features import (
    Catalog,
    FeatureSet,
    LocalEngine,
    Tables,
    build_scoring_set,
    build_training_set,
    check_tables,
)
from touchline.features.catalog import Sum
from touchline.features.sources.simulated import Traps, simulate
from touchline.playbook import Playbook, starter_playbook

AS_OF = datetime(2024, 9, 16, tzinfo=UTC)
PLAYBOOK = starter_playbook()
Change = Callable[[pa.Table], pa.Table]


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company") / "data"
    simulate(folder, leads=400, seed=3, traps=Traps(duplicates=True, merges=True))
    return folder


@pytest.fixture(scope="module")
def tables(raw: Path) -> Tables:
    check_tables(PLAYBOOK, raw, out=raw.parent / "tables")
    return Tables.open(raw.parent / "tables")


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.default(PLAYBOOK).add(Sum(30))


@pytest.fixture(scope="module")
def scored(tables: Tables, catalog: Catalog) -> FeatureSet:
    return build_scoring_set(tables, PLAYBOOK, AS_OF, catalog=catalog)


@pytest.fixture
def changed(tables: Tables, tmp_path: Path) -> Callable[..., Tables]:
    """A copy of the tables, with some of them changed."""

    def make(**changes: Change) -> Tables:
        folder = tmp_path / f"changed-{len(list(tmp_path.iterdir()))}"
        shutil.copytree(tables.folder, folder)
        for name, change in changes.items():
            pq.write_table(change(pq.read_table(folder / f"{name}.parquet")), folder / f"{name}.parquet")
        return Tables(folder, tables.manifest)

    return make


def bits(data: FeatureSet, rename: Callable[[str], str] = lambda x: x) -> dict[tuple[str, datetime], bytes]:
    """(lead, as_of) -> all features, bit by bit."""
    table = data.arrow().combine_chunks()
    columns: list[np.ndarray] = []
    for name in data.names:
        column = table[name].combine_chunks()
        if pa.types.is_dictionary(column.type):
            words = column.cast(pa.string()).to_pylist()
            columns.append(np.array(["\0" if w is None else w for w in words], dtype="U24"))
        else:
            columns.append(column.to_numpy(zero_copy_only=False).view(np.uint32))
    keys = zip(table["lead_id"].to_pylist(), table["as_of"].to_pylist(), strict=True)
    return {(rename(lead), as_of): b"".join(c[i].tobytes() for c in columns) for i, (lead, as_of) in enumerate(keys)}


def shuffled(table: pa.Table) -> pa.Table:
    return table.take(np.random.default_rng(5).permutation(table.num_rows))


def renamed(columns: list[str]) -> Change:
    def change(table: pa.Table) -> pa.Table:
        for name in columns:
            i = table.schema.get_field_index(name)
            values = [None if v is None else f"{crc32(v.encode()) % 997:03}-{v}" for v in table[name].to_pylist()]
            table = table.set_column(i, name, pa.array(values, pa.string()))
        return table

    return change


def test_the_order_of_rows_changes_nothing(changed, scored, catalog):
    names = ("leads", "touches", "deals", "stages", "changes", "accounts")
    same = build_scoring_set(changed(**dict.fromkeys(names, shuffled)), PLAYBOOK, AS_OF, catalog=catalog)
    assert same.arrow()["lead_id"].to_pylist() == scored.arrow()["lead_id"].to_pylist()
    assert bits(same) == bits(scored)


def test_splitting_and_shuffling_the_source_files_changes_nothing(raw, tables, scored, catalog, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(raw, data)
    touches = shuffled(pq.read_table(data / "touches.parquet"))
    (data / "touches.parquet").unlink()
    (data / "touches").mkdir()
    edges = [0, 100, touches.num_rows // 2, touches.num_rows]
    for i in range(3):
        pq.write_table(touches.slice(edges[i], edges[i + 1] - edges[i]), data / "touches" / f"{i}.parquet")
    check_tables(PLAYBOOK, data, out=tmp_path / "tables")
    again = Tables.open(tmp_path / "tables")
    assert again.digest == tables.digest
    assert bits(build_scoring_set(again, PLAYBOOK, AS_OF, catalog=catalog)) == bits(scored)


def test_other_ids_give_the_same_numbers(changed, scored, catalog):
    other = changed(
        leads=renamed(["lead_id", "account_id", "merged_into"]),
        touches=renamed(["touch_id", "lead_id", "merged_from"]),
        deals=renamed(["deal_id", "lead_id", "account_id"]),
        stages=renamed(["lead_id", "merged_from"]),
        changes=renamed(["lead_id", "account_id", "merged_from"]),
        accounts=renamed(["account_id"]),
    )
    same = build_scoring_set(other, PLAYBOOK, AS_OF, catalog=catalog)
    assert bits(same, lambda lead: lead.split("-", 1)[1]) == bits(scored)


def test_leads_of_other_accounts_change_nothing(raw, changed, scored, catalog, tables):
    """Half of the accounts alone give the same as all of them."""
    keep = sorted({a for a in tables.arrow("leads")["account_id"].to_pylist() if a})[::2]
    kept = pc.field("account_id").isin(keep)
    leads = tables.arrow("leads").filter(kept)["lead_id"]
    fewer = changed(leads=lambda t: t.filter(kept), touches=lambda t: t.filter(pc.is_in(t["lead_id"], leads)))
    half = bits(build_scoring_set(fewer, PLAYBOOK, AS_OF, catalog=catalog))
    whole = bits(scored)
    assert half
    assert half == {key: value for key, value in whole.items() if key in half}


@pytest.mark.parametrize("partitions", [2, 3, 17])
def test_partitions_and_threads_change_nothing(tables, scored, catalog, partitions):
    engine = LocalEngine(partitions=partitions, threads=2)
    cut = build_scoring_set(tables, PLAYBOOK, AS_OF, catalog=catalog, engine=engine)
    assert cut.arrow()["lead_id"].to_pylist() == scored.arrow()["lead_id"].to_pylist()
    assert bits(cut) == bits(scored)


def test_a_training_row_is_the_scoring_row_of_that_day(tables, scored, catalog):
    training = build_training_set(tables, PLAYBOOK, catalog=catalog)
    of_the_day = {key: value for key, value in bits(training).items() if key[1] == AS_OF}
    assert of_the_day
    assert of_the_day.items() <= bits(scored).items()


def test_disk_and_memory_hold_the_same(tables, scored, catalog, tmp_path):
    build_scoring_set(tables, PLAYBOOK, AS_OF, catalog=catalog, out=tmp_path / "set", engine=LocalEngine(partitions=3))
    opened = FeatureSet.open(tmp_path / "set")
    assert opened.digest == scored.digest
    assert bits(opened) == bits(scored)
    assert opened.features.equals(scored.features)


def before(column: str) -> Change:
    """Only what happened, and was known, before as_of."""

    def change(table: pa.Table) -> pa.Table:
        seen = pc.and_kleene(pc.less(table[column], AS_OF), pc.less(table["known_at"], AS_OF))
        return table.filter(seen)

    return change


def test_removing_all_that_was_not_known_changes_nothing(changed, scored, catalog):
    past = changed(touches=before("occurred_at"), stages=before("entered_at"), changes=before("known_at"))
    assert bits(build_scoring_set(past, PLAYBOOK, AS_OF, catalog=catalog)) == bits(scored)


def late(column: str, delay: timedelta, *, happens_then: bool, **values: object) -> Change:
    """Every row a second time with another time, and known `delay` after as_of."""

    def change(table: pa.Table) -> pa.Table:
        other = table
        known = pa.array([AS_OF + delay] * table.num_rows, pa.timestamp("us", "UTC"))
        if happens_then:
            other = other.set_column(table.schema.get_field_index(column), column, known)
        other = other.set_column(table.schema.get_field_index("known_at"), "known_at", known)
        for name, value in values.items():
            i = table.schema.get_field_index(name)
            other = other.set_column(i, name, pa.array([value] * table.num_rows, table.schema.field(name).type))
        return pa.concat_tables([table, other])

    return change


@pytest.mark.parametrize("delay", [timedelta(0), timedelta(microseconds=1), timedelta(days=400)])
@pytest.mark.parametrize("then", [True, False], ids=["happened then", "only known then"])
def test_absurd_facts_after_as_of_change_nothing(changed, scored, catalog, delay, then):
    poisoned = changed(
        touches=late("occurred_at", delay, happens_then=then, value=1e6, campaign="!", asset="~", topic="!"),
        stages=late("entered_at", delay, happens_then=then),
        changes=late("known_at", delay, happens_then=False, value="absurd"),
    )
    assert bits(build_scoring_set(poisoned, PLAYBOOK, AS_OF, catalog=catalog)) == bits(scored)


def test_a_fact_just_before_as_of_changes_something_of_every_lead(changed, scored, catalog):
    """Guards all of the above: a pipeline that reads nothing would pass them."""
    moment = AS_OF - timedelta(microseconds=1)

    def one_more(table: pa.Table) -> pa.Table:
        times = pa.array([moment] * table.num_rows, pa.timestamp("us", "UTC"))
        for name in ("occurred_at", "known_at"):
            table = table.set_column(table.schema.get_field_index(name), name, times)
        return table

    moved = changed(touches=lambda t: pa.concat_tables([t, one_more(t)]))
    after = bits(build_scoring_set(moved, PLAYBOOK, AS_OF, catalog=catalog))
    assert all(after[key] != value for key, value in bits(scored).items())


def test_what_is_known_at_the_instant_of_as_of_is_not_known(playbook: Playbook, write):
    lead = {"lead_id": "L", "created_at": AS_OF - timedelta(days=9)}
    touch = {"lead_id": "L", "occurred_at": AS_OF - timedelta(days=1), "known_at": AS_OF, "kind": "webinar"}
    tables = write(leads=[lead], touches=[touch])
    at, after = (
        build_scoring_set(tables, playbook, t, leads=["L"]).frame["count_webinar_7d"][0]
        for t in (AS_OF, AS_OF + timedelta(microseconds=1))
    )
    assert (at, after) == (0, 1)


def test_facts_known_later_than_a_limit_are_as_if_they_never_were(tables, changed, catalog):
    """Rows as of a later date with only what was known at AS_OF: what the passing of time alone did."""
    later = AS_OF + timedelta(days=17, hours=5)
    leads = build_scoring_set(tables, PLAYBOOK, AS_OF).arrow()["lead_id"].to_pylist()
    past = changed(touches=before("occurred_at"), stages=before("entered_at"), changes=before("known_at"))
    aged, truly, all_known = (
        build_scoring_set(source, PLAYBOOK, later, catalog=catalog, leads=leads, known_before=limit)
        for source, limit in ((tables, AS_OF), (past, None), (tables, None))
    )
    assert bits(aged) == bits(truly)
    assert bits(aged) != bits(all_known)
    assert len({aged.digest, all_known.digest}) == 2
