"""What a scan works on: its segments, and what it keeps up to date for one segment after the other."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from touchline.features.kernel.program import F64, I32, I64, U32, From, Program

LEAD, OCCURRED, ENTERED, CLASS, REST = range(5)
"""Columns of the facts; from REST on values in millionths (if any feature sums), then codes."""


class Segments(NamedTuple):
    """What is scanned together: leads, or all leads of an account."""

    fact_at: I64
    """Facts of segment s are `fact_at[s]` to `fact_at[s + 1]`."""
    row_at: I64
    lead: I64
    """The first lead of each segment; persons are counted from it."""
    people: int
    """The largest number of leads in a segment."""
    rows: I64
    """Row numbers, by segment and in order of as_of."""
    as_of: I64
    """For each entry of `rows`."""


class State(NamedTuple):
    """What a scan keeps up to date for one segment after the other."""

    count: I64
    """selectors x windows"""
    total: I64
    """selectors with sums x windows"""
    first: I64
    last: I64
    decayed: F64
    """selectors x half-lives, relative to `2 ** base`"""
    base: I64
    weight: F64
    fade: F64
    different: I64
    cells: I32
    cell_at: I64
    pick_time: I64
    pick_code: I64
    low: I64
    """For each window the first fact that is in it."""
    occurred: I64
    """From here on the segment's facts, in order of time."""
    entered: I64
    kind: U32
    code: I32
    """dimensions x facts"""
    place: I64
    turn: I64
    spare: I64
    runs: I64


def new_state(program: Program, people: int, longest: int) -> State:
    """A fresh state for segments of at most `longest` facts and `people` leads."""
    selectors, summed, tallies, picks = map(int, program.sizes)
    windows, half_lives = len(program.windows), len(program.half_lives)
    size = program.dimension_size[program.tally_dimension]
    source = program.dimension_from[program.tally_dimension]
    size = np.where(source == From.DAY, program.tally_ring, np.where(source == From.PERSON, people, size))
    cell_at = np.concatenate([[0], np.cumsum(size)]).astype(np.int64)

    def whole(*shape: int) -> I64:
        return np.zeros(shape, np.int64)

    return State(
        count=whole(selectors * windows),
        total=whole(summed * windows),
        first=whole(selectors),
        last=whole(selectors),
        decayed=np.zeros(selectors * half_lives),
        base=whole(half_lives),
        weight=np.zeros(half_lives),
        fade=np.zeros(half_lives),
        different=whole(tallies),
        cells=np.zeros(cell_at[-1], np.int32),
        cell_at=cell_at,
        pick_time=whole(picks),
        pick_code=whole(picks),
        low=whole(windows),
        occurred=whole(longest),
        entered=whole(longest),
        kind=np.zeros(longest, np.uint32),
        code=np.zeros((len(program.dimension_from), longest), np.int32),
        place=whole(longest),
        turn=whole(longest),
        spare=whole(longest),
        runs=whole(longest + 1),
    )
