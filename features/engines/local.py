"""The local engine: DuckDB reads, the kernel computes, memory stays within a limit whatever the size.

One read of the facts. If they fit they stay in memory; else they are spilled by partition (a range of leads, whole
accounts together) and computed one partition after the other. Partitions follow each other in order of account and
lead, so that the result is the same however many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import duckdb
import numpy as np
import pyarrow as pa

from touchline.features.engines.facts import facts_query
from touchline.features.engines.prepare import Prepared
from touchline.features.engines.rows import assemble, rows_query
from touchline.features.engines.spill import Spill
from touchline.features.kernel import Block, compute
from touchline.features.kernel.program import I64
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace

_BATCH = 1 << 19
_COPIES = 2.2
"""Copies of a partition's facts that are held at once: as read, sorted, and some of the accounts' order."""


class LocalEngine:
    """Computes on this machine.

    Parameters
    ----------
    memory
        Bytes that facts and features of a partition may take; DuckDB has its own limit.
    threads
        By default as many as there are processors.
    partitions
        By default as many as the memory asks for.
    """

    name = "local"

    def __init__(self, *, memory: int = 1 << 30, threads: int | None = None, partitions: int | None = None) -> None:
        self.memory = memory
        self.threads = threads
        self.partitions = partitions

    def edges(self, w: Workspace, tables: Tables, prepared: Prepared) -> I64:
        """Where partitions begin and end, in leads; the same for the same data and settings."""
        leads = len(prepared.group)
        rows = w.count("SELECT count(*) FROM snapshots")
        facts = sum(tables.rows(name) for name in {c.table for c in prepared.classes.all})
        size = facts * prepared.width * 8 * _COPIES + rows * 4 * 3 * len(prepared.lowered.columns)
        parts = max(1, min(leads, self.partitions or int(np.ceil(size / self.memory))))
        first = np.searchsorted(prepared.group, np.arange(prepared.group[-1] + 2 if leads else 1))  # of each account
        wanted = np.linspace(0, leads, parts + 1)
        return np.unique(first[np.searchsorted(first, wanted)]).astype(np.int64)

    def run(
        self,
        w: Workspace,
        tables: Tables,
        prepared: Prepared,
        *,
        labels: bool,
        done: Callable[[int], bool] = lambda part: False,
    ) -> Iterator[tuple[int, pa.Table]]:
        """Compute partition after partition; those that are `done` are left out.

        Yields
        ------
        tuple
            Number of the partition, and its rows.
        """
        edges = self.edges(w, tables, prepared)
        missing = [p for p in range(len(edges) - 1) if not done(p)]
        if not missing:
            return
        span = (int(edges[missing[0]]), int(edges[missing[-1] + 1]))
        w.progress("reading facts")
        query = facts_query(tables, prepared, span)
        if len(edges) == 2:  # all fits at once
            facts = _read_sorted(w.con, query, prepared.width, len(prepared.group))
            yield 0, self._part(w, tables, prepared, facts, (0, len(prepared.group)), labels=labels)
            return
        folder = w.scratch / "facts"
        folder.mkdir()
        spill = Spill(folder, edges[missing[0] : missing[-1] + 2], prepared.width)
        try:
            for columns, size in _buffered(w.con.sql(query).to_arrow_reader(_BATCH), prepared.width):
                spill.add(columns, size)
            for p in range(missing[0], missing[-1] + 1):
                facts = spill.take(p - missing[0])
                if p in missing:
                    w.progress(f"computing part {p + 1} of {len(edges) - 1}")
                    yield p, self._part(w, tables, prepared, facts, (int(edges[p]), int(edges[p + 1])), labels=labels)
        finally:
            spill.close()

    def _part(
        self, w: Workspace, tables: Tables, prepared: Prepared, facts: I64, leads: tuple[int, int], *, labels: bool
    ) -> pa.Table:
        rows = w.con.sql(rows_query(tables, w.playbook, prepared, leads)).to_arrow_table().combine_chunks()
        group = prepared.group[leads[0] : leads[1]]
        block = Block(
            facts,
            group - group[0] if len(group) else group,
            (rows["lead_no"].to_numpy() - leads[0]).astype(np.int32),
            rows["as_of"].to_numpy(),
        )
        lowered = prepared.lowered
        shape = (lowered.numbers, lowered.codes)
        computed = compute(block, prepared.by_lead, prepared.by_account, shape, threads=self.threads)
        return assemble(rows, computed, prepared, labels=labels)


def _read_sorted(con: duckdb.DuckDBPyConnection, query: str, width: int, leads: int) -> I64:
    """All facts, in order of their leads: read once, counted, and then each put in its place."""
    from touchline.features.kernel.layout import count_keys, place_columns

    batches: list[pa.RecordBatch] = []
    counts = np.zeros(leads, np.int64)
    for batch in con.sql(query).to_arrow_reader(_BATCH):
        count_keys(batch.column(0).to_numpy(), counts)
        batches.append(batch)
    done = np.empty((counts.sum(), width), np.int64)
    place = np.cumsum(counts) - counts
    for columns, size in _buffered(_emptying(batches), width):
        place_columns(columns, size, columns[0], place, done)
    return done


def _buffered(batches: Iterable[pa.RecordBatch], width: int) -> Iterator[tuple[I64, int]]:
    """Batches as a matrix of columns and their number of facts; the matrix is the same one each time."""
    columns = np.empty((width, 0), np.int64)
    for batch in batches:
        if batch.num_rows > columns.shape[1]:
            columns = np.empty((width, batch.num_rows), np.int64)
        for i in range(width):
            columns[i, : batch.num_rows] = batch.column(i).to_numpy()
        yield columns, batch.num_rows


def _emptying(batches: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The batches in turn, each let go of when the next is asked for."""
    batches.reverse()
    while batches:
        yield batches.pop()
