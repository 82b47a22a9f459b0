"""A program: a plan bound to the classes of facts that the data holds, as arrays that compiled code walks.

Classes are few (kind x channel x topic x direction, as far as any feature tells them apart), and each knows by index
which accumulators it moves. So a touch costs what it moves, not what the catalogue asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from enum import IntEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from touchline.features.catalog.base import FactClass
from touchline.features.kernel.plan import At, Op, Output, Plan
from touchline.playbook import Playbook

I32 = NDArray[np.int32]
U32 = NDArray[np.uint32]
"""Indices: compiled code need not look whether they count from the end."""
I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


class From(IntEnum):
    """Where a fact's code in a dimension comes from."""

    CLASS = 0
    FACT = 1
    DAY = 2
    PERSON = 3


class Program(NamedTuple):
    """One pass, ready to run.

    Of class c, `x_at[c]` to `x_at[c + 1]` is the range of `x_slot` it moves; of lists by window,
    `x_at[c * windows + w]` to the next.
    """

    windows: I64
    """In order of length."""
    half_lives: I64
    selector_at: U32
    selector_slot: U32
    summed_at: U32
    summed_slot: U32
    tally_at: U32
    """By window."""
    tally_slot: U32
    outside_at: U32
    """By window."""
    outside_slot: U32
    pick_at: U32
    pick_slot: U32
    tally_dimension: U32
    tally_ring: I64
    pick_dimension: U32
    pick_last: NDArray[np.bool_]
    dimension_from: I32
    """One of `From`, for each dimension."""
    dimension_column: I32
    """Of dimensions from facts: the column of the facts."""
    dimension_size: I64
    """Number of codes; for persons it is found at run time."""
    class_code: I32
    """dimensions x classes"""
    op_at: U32
    """Outputs of operation o are `op_at[o]` to `op_at[o + 1]`."""
    out_a: U32
    """Place of the first accumulator, in its matrix laid out flat."""
    out_b: U32
    out_scale: F64
    out_column: U32
    sizes: I64
    """Number of selectors, of selectors with sums, of tallies, of picks."""


def bind(
    plan: Plan,
    playbook: Playbook,
    classes: Sequence[FactClass],
    *,
    vocabulary: dict[str, list[str]],
    fact_dimensions: dict[str, int],
    first_code: int,
) -> Program:
    """Bind a plan to data.

    Parameters
    ----------
    classes
        The classes of facts, in order of their numbers.
    vocabulary
        For dimensions that follow from the class (`kind`, `stage`, `channel`, `topic`): the values, in order of
        their codes.
    fact_dimensions
        For dimensions that facts bring (`campaign`, `asset`, `changed_value`): their number of codes; in the order of
        the facts' columns.
    first_code
        The column of the facts that holds the first of these codes.
    """
    member = np.array([[s.matches(c, playbook) for c in classes] for s in plan.selectors], bool)
    member = member.reshape(len(plan.selectors), len(classes))
    # Windows in order of length: a fact that is young enough for one is so for all that follow.
    windows = sorted(plan.windows)
    by_length = [windows.index(w) for w in plan.windows]
    dimensions = plan.dimensions
    brought = list(fact_dimensions)
    inside = [(i, t.selector, by_length[t.window]) for i, t in enumerate(plan.tallies) if not t.outside]
    outside = [(i, t.selector, by_length[t.window]) for i, t in enumerate(plan.tallies) if t.outside]
    outputs = sorted(plan.outputs, key=lambda o: o.op)
    return Program(
        np.array(windows, np.int64),
        np.array(plan.half_lives, np.int64),
        *_ranges([(i, i, 0) for i in range(len(plan.selectors))], member, 1),
        *_ranges([(i, s, 0) for i, s in enumerate(plan.summed)], member, 1),
        *_ranges(inside, member, len(windows)),
        *_ranges(outside, member, len(windows)),
        *_ranges([(i, s, 0) for i, (s, _, _) in enumerate(plan.picks)], member, 1),
        _index(dimensions.index(t.dimension) for t in plan.tallies),
        np.array([t.ring for t in plan.tallies], np.int64),
        _index(dimensions.index(d) for _, d, _ in plan.picks),
        np.array([last for _, _, last in plan.picks], bool),
        np.array([_source(d, vocabulary) for d in dimensions], np.int32),
        np.array([first_code + brought.index(d) if d in brought else -1 for d in dimensions], np.int32),
        np.array([fact_dimensions.get(d, len(vocabulary.get(d, []))) for d in dimensions], np.int64),
        _class_codes(dimensions, classes, vocabulary),
        _index(np.searchsorted([o.op for o in outputs], np.arange(len(Op) + 1))),
        _index(_first(o, by_length, len(plan.half_lives)) for o in outputs),
        _index(_windowed(o.b, by_length) if o.op in (Op.RATIO, Op.GAP) else o.b.row for o in outputs),
        np.array([o.scale for o in outputs], np.float64),
        _index(o.column for o in outputs),
        np.array([len(x) for x in (plan.selectors, plan.summed, plan.tallies, plan.picks)], np.int64),
    )


def _windowed(at: At, by_length: list[int]) -> int:
    """Where an accumulator stands in a matrix selectors x windows, laid out flat."""
    return at.row * len(by_length) + by_length[at.column]


def _first(output: Output, by_length: list[int], half_lives: int) -> int:
    if output.op in (Op.COUNT, Op.SUM, Op.RATIO):
        return _windowed(output.a, by_length)
    return output.a.row * half_lives + output.a.column if output.op is Op.DECAYED else output.a.row


def _source(dimension: str, vocabulary: dict[str, list[str]]) -> From:
    if dimension in ("day", "person"):
        return From.DAY if dimension == "day" else From.PERSON
    return From.CLASS if dimension in vocabulary else From.FACT


def _ranges(slots: list[tuple[int, int, int]], member: NDArray[np.bool_], columns: int) -> tuple[U32, U32]:
    """Slots, given as (slot, selector, column), by class and column: as one list, and where each part begins."""
    found: list[int] = []
    at = [0]
    for c in range(member.shape[1]):
        for column in range(columns):
            found += [slot for slot, selector, of in slots if of == column and member[selector, c]]
            at.append(len(found))
    return _index(at), _index(found)


def _class_codes(dimensions: list[str], classes: Sequence[FactClass], vocabulary: dict[str, list[str]]) -> I32:
    value: dict[str, Callable[[FactClass], str | None]] = {
        "kind": lambda c: c.kind if c.table == "touches" else None,
        "stage": lambda c: c.kind if c.table == "stages" else None,
        "channel": lambda c: c.channel,
        "topic": lambda c: c.topic,
    }
    codes = np.full((len(dimensions), len(classes)), -1, np.int32)
    for i, dimension in enumerate(dimensions):
        if dimension in vocabulary:
            number = {name: code for code, name in enumerate(vocabulary[dimension])}
            codes[i] = [number.get(value[dimension](c) or "", -1) for c in classes]
    return codes


def _index(values: Iterable[int]) -> U32:
    return np.fromiter(values, np.uint32)
