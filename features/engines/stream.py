"""Heads and facts as one stream: how whole accounts pass through a worker that holds one block of them at a time.

A stream is sorted by lead. The facts of some accounts follow their head, a row of class -1 which holds, packed, what is
fixed of their rows, and which lead belongs to which account. Nothing here knows Spark; it is what its workers import.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from touchline.features.engines.prepare import Prepared
from touchline.features.engines.rows import assemble
from touchline.features.kernel import Block, compute
from touchline.features.kernel.program import I32, I64

_FACTS, _ROWS = 500_000, 1 << 16
"""A block is computed once it has so many facts or rows; an account that has more is computed whole."""
_HEAD = 1 << 14
"""What accounts of one head have, about: facts, and four times their rows."""
_SENT, _GIVEN = 1 << 19, 1 << 13
"""Bytes of heads that go to Spark at once, and rows that come back at once: little for a small Java heap."""


def fact_columns(prepared: Prepared) -> list[str]:
    """Names of the columns of `Block.facts`, in their order."""
    value = ["value"] if prepared.lowered.needs_values else []
    return ["lead_no", "occurred", "entered", "class", *value, *prepared.brought]


def borders(prepared: Prepared, work: int) -> I64:
    """Where heads begin and end, in leads; `work` is how many facts there are, and four times how many rows."""
    leads = len(prepared.group)
    account_at = np.searchsorted(prepared.group, np.arange(prepared.group[-1] + 2))
    wanted = np.arange(0, leads, max(1, leads * _HEAD // max(1, work)))
    return np.unique([*account_at[np.searchsorted(account_at, wanted)], leads]).astype(np.int64)


def heads(rows: Iterable[pa.RecordBatch], prepared: Prepared, border: I64) -> pa.Table:
    """Heads of rows, as a table of the columns of facts, of `head_no`, and of `head`.

    Parameters
    ----------
    rows
        What `rows_query` gives, in its order.
    border
        Head i is of leads `border[i]` to `border[i + 1]`.
    """
    names = [*fact_columns(prepared), "head_no"]
    schema = pa.schema([*((name, pa.int64()) for name in names), ("head", pa.binary())])
    batches: list[pa.RecordBatch] = []
    numbers: list[int] = []
    packed: list[bytes] = []

    def close() -> None:
        number = np.array(numbers, np.int64)
        known = {"lead_no": border[number], "class": np.full(len(number), -1), "head_no": number}
        columns = [pa.array(known.get(name, np.zeros(len(number), np.int64))) for name in names]
        batches.append(pa.record_batch([*columns, pa.array(packed, pa.binary())], schema=schema))
        numbers.clear()
        packed.clear()

    for i, cut in _cut(rows, border):
        numbers.append(i)
        packed.append(Head(int(border[i]), prepared.group[border[i] : border[i + 1]], cut).pack())
        if sum(map(len, packed)) > _SENT:
            close()
    close()
    return pa.Table.from_batches(batches)


def _cut(rows: Iterable[pa.RecordBatch], border: I64) -> Iterator[tuple[int, pa.Table]]:
    """The rows between each border and the next, where there are any."""
    held: list[pa.RecordBatch] = []
    current = -1
    for batch in rows:
        number = np.searchsorted(border, batch.column("lead_no").to_numpy(), side="right") - 1
        starts = np.flatnonzero(np.diff(number, prepend=-1))
        for a, b in zip(starts, [*starts[1:], len(number)], strict=True):
            if held and number[a] != current:
                yield current, pa.Table.from_batches(held)
                held = []
            current = int(number[a])
            held.append(batch.slice(a, b - a))
    if held:
        yield current, pa.Table.from_batches(held)


@dataclass(frozen=True)
class Head:
    """What goes before the facts of some whole accounts."""

    first: int
    """The number of its first lead."""
    group: I32
    """For each of its leads the number of its account."""
    rows: pa.Table
    facts: list[pa.RecordBatch] = field(default_factory=list[pa.RecordBatch])
    """What followed it in a stream."""

    def pack(self) -> bytes:
        """As bytes: the rows in Arrow, with the rest beside their schema."""
        rest = {"first": str(self.first), "group": self.group.astype("<i4").tobytes()}
        return pack(self.rows.replace_schema_metadata(rest))

    @classmethod
    def unpack(cls, packed: pa.Buffer) -> Head:
        """From bytes."""
        rows = unpack(packed)
        rest = rows.schema.metadata
        return cls(int(rest[b"first"]), np.frombuffer(rest[b"group"], "<i4"), rows.replace_schema_metadata())


@dataclass(frozen=True)
class Compute:
    """What a worker does with a stream."""

    prepared: Prepared
    labels: bool

    def packed(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """For each head its first lead, and its rows in Arrow, packed."""
        for held, rows in self._computed(batches):
            at = 0
            for head in held:
                cut = pa.array([pack(rows.slice(at, head.rows.num_rows))], pa.binary())
                yield pa.record_batch({"first": pa.array([head.first], pa.int64()), "rows": cut})
                at += head.rows.num_rows

    def plain(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """The rows as they are, but for categories, which become text."""
        for _, rows in self._computed(batches):
            fields = [f.with_type(f.type.value_type) if pa.types.is_dictionary(f.type) else f for f in rows.schema]
            yield from rows.cast(pa.schema(fields)).to_batches(max_chunksize=_GIVEN)

    def _computed(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[list[Head], pa.Table]]:
        p = self.prepared
        shape = (p.lowered.numbers, p.lowered.codes)
        for held in _gathered(batches):
            rows = pa.concat_tables([head.rows for head in held]).combine_chunks()
            block = _block(held, fact_columns(p), rows["as_of"].to_numpy())
            computed = compute(block, p.by_lead, p.by_account, shape, threads=1)
            yield held, assemble(rows, computed, p, labels=self.labels)


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[list[Head]]:
    """Heads with their facts, as many together as make a block."""
    held: list[Head] = []
    for batch in batches:
        starts = np.flatnonzero(batch.column("class").to_numpy() < 0)
        ends = [*starts, batch.num_rows]
        if held:
            held[-1].facts.append(batch.slice(0, ends[0]))
        for a, b in zip(starts, ends[1:], strict=True):
            if sum(f.num_rows for head in held for f in head.facts) > _FACTS or (
                sum(head.rows.num_rows for head in held) > _ROWS
            ):
                yield held
                held = []
            held.append(Head.unpack(batch.column("head")[int(a)].as_buffer()))
            held[-1].facts.append(batch.slice(a + 1, b - a - 1))
    if held:
        yield held


def _block(held: list[Head], names: list[str], as_of: I64) -> Block:
    """Numbers leads and accounts anew, from 0 and without gaps."""
    facts = np.empty((sum(f.num_rows for head in held for f in head.facts), len(names)), np.int64)
    row_lead: list[I64] = []
    at = lead = 0
    for head in held:
        for batch in head.facts:
            for i, name in enumerate(names):
                facts[at : at + batch.num_rows, i] = batch.column(name).to_numpy()
            facts[at : at + batch.num_rows, 0] += lead - head.first
            at += batch.num_rows
        row_lead.append(head.rows["lead_no"].to_numpy() + (lead - head.first))
        lead += len(head.group)
    group = np.concatenate([head.group for head in held])
    dense = np.cumsum(np.diff(group, prepend=group[0]) != 0)
    return Block(facts, dense.astype(np.int32), np.concatenate(row_lead).astype(np.int32), as_of)


def pack(table: pa.Table) -> bytes:
    """A table as an Arrow stream, compressed; no threads, for a worker has one processor."""
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
        writer.write_table(table)
    return sink.getvalue().to_pybytes()


def unpack(packed: bytes | pa.Buffer) -> pa.Table:
    """A table from `pack`."""
    return pa.ipc.open_stream(packed, options=pa.ipc.IpcReadOptions(use_threads=False)).read_all()
