"""Computing one block: whole accounts, their facts and their rows, in memory.

What is compiled is imported when a block is there: numba takes half a second, and not every command computes.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from touchline.features.kernel.program import I32, I64, Program
from touchline.features.kernel.state import LEAD, Segments

_PIECES = 8
"""Pieces of work for each thread, so that one heavy account does not leave the others waiting."""


@dataclass(frozen=True)
class Block:
    """Whole accounts with all their facts and rows; the unit of work of every engine.

    Attributes
    ----------
    facts
        A matrix of int64, a row each, in any order. Columns: number of the lead (0 to leads - 1), when it happened,
        when it had happened and was known (microseconds UTC), number of its class; then, if any feature sums, its value
        in millionths; then its code in each dimension, -1 where missing.
    group
        For each lead, the number of its account; never decreasing.
    row_lead, row_as_of
        For each row its lead and as_of; sorted by both.
    """

    facts: I64
    group: I32
    row_lead: I32
    row_as_of: I64


@dataclass(frozen=True)
class Computed:
    """What the kernel gives: `numbers` is columns x rows in float32, `codes` columns x rows in int32."""

    numbers: NDArray[np.float32]
    codes: I32


def compute(
    block: Block, by_lead: Program, by_account: Program, shape: tuple[int, int], *, threads: int | None = None
) -> Computed:
    """Run both passes over a block.

    Parameters
    ----------
    shape
        How many columns of numbers and of codes there are.
    threads
        By default as many as there are processors.
    """
    from touchline.features.kernel.layout import is_sorted, offsets, sort_rows

    rows = len(block.row_lead)
    numbers = _columns(shape[0], rows, np.float32)
    codes = _columns(shape[1], rows, np.int32)
    leads = len(block.group)
    fact_at = offsets(block.facts[:, LEAD], leads)
    facts = (
        block.facts if is_sorted(block.facts[:, LEAD]) else sort_rows(block.facts, fact_at, np.empty_like(block.facts))
    )
    row_at = offsets(block.row_lead, leads)
    threads = threads or os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        if len(by_lead.out_a):
            own = Segments(fact_at, row_at, np.arange(leads), 1, np.arange(rows), block.row_as_of)
            _scan_all(pool, threads, by_lead, facts, own, numbers, codes)
        if len(by_account.out_a):
            groups = _accounts(block, fact_at, row_at)
            _scan_all(pool, threads, by_account, facts, groups, numbers, codes)
    return Computed(numbers[:, :rows], codes[:, :rows])


def _columns(count: int, rows: int, dtype: type) -> NDArray[np.generic]:
    """A matrix whose columns do not all begin in the same set of the cache: rows are written across all of them."""
    return np.empty((count, -(-rows // 1024) * 1024 + 16), dtype)


def _accounts(block: Block, fact_at: I64, row_at: I64) -> Segments:
    from touchline.features.kernel.layout import by_time

    group_at = np.searchsorted(block.group, np.arange(block.group[-1] + 2 if len(block.group) else 1)).astype(np.int64)
    rows = np.arange(len(block.row_lead))
    as_of = block.row_as_of.copy()
    by_time(row_at[group_at], rows, as_of)
    people = int(np.diff(group_at).max(initial=0))
    return Segments(fact_at[group_at], row_at[group_at], group_at[:-1], people, rows, as_of)


def _scan_all(
    pool: ThreadPoolExecutor,
    threads: int,
    program: Program,
    facts: I64,
    segments: Segments,
    numbers: NDArray[np.generic],
    codes: NDArray[np.generic],
) -> None:
    """Scan all segments, cut into pieces of about equal work."""
    from touchline.features.kernel.scan import scan

    work = segments.fact_at + 4 * segments.row_at
    edges = np.unique(np.searchsorted(work, np.linspace(0, work[-1], threads * _PIECES + 1)))
    edges[-1] = len(work) - 1
    tasks = [pool.submit(scan, program, facts, segments, int(a), int(b), numbers, codes) for a, b in pairwise(edges)]
    for task in tasks:
        task.result()
