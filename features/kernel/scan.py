"""The scan: one pass over the facts of a lead (or account), with windows that move from row to row.

For each row of a segment, in order of as_of: facts that the windows' older edges passed leave, facts that became known
enter, and every output is read from its accumulator. A fact enters when it has happened and is known (`entered`, the
later of the two), and leaves a window by the time it happened. So a fact known late is counted from then on, in the
windows it still belongs to, as if every row were computed alone.

Nothing depends on which other rows there are: counts and sums are whole numbers, and decayed sums are kept relative to
whole half-lives since 1970, added up in order of `entered`. A row alone gives the same bits as a row among thousands.

Compiled functions here are without numba's reference counting (`_nrt=False`), which took most of the time; so they
allocate nothing, and their state is made in Python.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from touchline.features.kernel.program import I32, I64, Program
from touchline.features.kernel.state import REST, Segments, new_state
from touchline.features.kernel.steps import (
    NEVER,
    fading,
    give,
    load,
    load_codes,
    repeat,
    reset,
    tally,
    weigh,
    wipe,
)


def scan(
    program: Program, facts: I64, segments: Segments, begin: int, end: int, numbers: NDArray[np.float32], codes: I32
) -> None:
    """Scan segments `begin` to `end` and write their rows' outputs into `numbers` and `codes` (columns x rows).

    `facts` is a matrix, a row each, sorted by lead and in any order within a lead; one row is one line of the cache.
    """
    if begin < end:
        longest = int(np.diff(segments.fact_at[begin : end + 1]).max())
        _walk(program, facts, segments, new_state(program, segments.people, longest), begin, end, numbers, codes)


@njit(nogil=True, cache=True, _nrt=False)
def _walk(program, facts, segments, state, begin, end, numbers, codes):
    windows, half_lives = program.windows, program.half_lives
    selector_at, selector_slot = program.selector_at, program.selector_slot
    summed_at, summed_slot = program.summed_at, program.summed_slot
    tally_at, tally_slot = program.tally_at, program.tally_slot
    outside_at, outside_slot = program.outside_at, program.outside_slot
    pick_at, pick_slot, pick_last = program.pick_at, program.pick_slot, program.pick_last
    pick_dimension, dimension, ring = program.pick_dimension, program.tally_dimension, program.tally_ring
    source, column, class_code = program.dimension_from, program.dimension_column, program.class_code
    op_at, out_a, out_b = program.op_at, program.out_a, program.out_b
    out_scale, out_column = program.out_scale, program.out_column
    fact_at, row_at, rows, row_as_of = segments.fact_at, segments.row_at, segments.rows, segments.as_of
    first_lead = segments.lead

    count, total, different, cells, cell_at = state.count, state.total, state.different, state.cells, state.cell_at
    first, last, decayed, weight = state.first, state.last, state.decayed, state.weight
    base, fade, low, pick_time, pick_code = state.base, state.fade, state.low, state.pick_time, state.pick_code
    occurred, entered, kind, code = state.occurred, state.entered, state.kind, state.code
    place, turn, spare, runs = state.place, state.turn, state.spare, state.runs
    slots, many = len(different), np.uint32(len(windows))

    for s in range(begin, end):
        if row_at[s] == row_at[s + 1]:
            continue
        n = fact_at[s + 1] - fact_at[s]
        load(facts, fact_at[s], n, occurred, entered, kind, place, turn, spare, runs)
        load_codes(facts, n, first_lead[s], source, column, class_code, occurred, kind, place, code)
        reset(count, total, different, low, first, last, decayed, base, pick_time, pick_code)
        before, entry = NEVER, 0
        for r in range(row_at[s], row_at[s + 1]):
            as_of, row = row_as_of[r], rows[r]
            if as_of == before:
                repeat(op_at, out_column, rows[r - 1], row, numbers, codes)
                continue
            for w in range(len(windows)):
                edge, p = as_of - windows[w], low[w]
                while p < n and occurred[p] < edge:
                    if entered[p] < before:
                        c = kind[p]
                        for i in range(selector_at[c], selector_at[c + 1]):
                            count[selector_slot[i] * many + w] -= 1
                        for i in range(summed_at[c], summed_at[c + 1]):
                            total[summed_slot[i] * many + w] -= facts[place[p], REST]
                        k = c * len(windows) + w
                        if tally_at[k] < tally_at[k + 1]:
                            tally(
                                tally_at[k],
                                tally_at[k + 1],
                                tally_slot,
                                -1,
                                p,
                                code,
                                dimension,
                                ring,
                                cell_at,
                                cells,
                                different,
                            )
                        if outside_at[k] < outside_at[k + 1]:
                            tally(
                                outside_at[k],
                                outside_at[k + 1],
                                outside_slot,
                                1,
                                p,
                                code,
                                dimension,
                                ring,
                                cell_at,
                                cells,
                                different,
                            )
                    p += 1
                low[w] = p
            while entry < n and entered[turn[entry]] < as_of:
                p = turn[entry]
                time, c = occurred[p], kind[p]
                youngest = 0  # windows are in order of length: from here on it belongs to all
                while youngest < len(windows) and time < as_of - windows[youngest]:
                    youngest += 1
                weigh(half_lives, time, base, weight, decayed)
                for i in range(selector_at[c], selector_at[c + 1]):
                    x = selector_slot[i]
                    for w in range(youngest, len(windows)):
                        count[x * many + w] += 1
                    first[x], last[x] = min(first[x], time), max(last[x], time)
                    for h in range(len(half_lives)):
                        decayed[x * len(half_lives) + h] += weight[h]
                for i in range(summed_at[c], summed_at[c + 1]):
                    for w in range(youngest, len(windows)):
                        total[summed_slot[i] * many + w] += facts[place[p], REST]
                k = c * len(windows)
                z = k + len(windows)
                if tally_at[k + youngest] < tally_at[z]:
                    tally(
                        tally_at[k + youngest],
                        tally_at[z],
                        tally_slot,
                        1,
                        p,
                        code,
                        dimension,
                        ring,
                        cell_at,
                        cells,
                        different,
                    )
                if outside_at[k] < outside_at[k + youngest]:
                    tally(
                        outside_at[k],
                        outside_at[k + youngest],
                        outside_slot,
                        1,
                        p,
                        code,
                        dimension,
                        ring,
                        cell_at,
                        cells,
                        different,
                    )
                for i in range(pick_at[c], pick_at[c + 1]):
                    x = pick_slot[i]
                    of = code[pick_dimension[x], p]
                    sign = 1 if pick_last[x] else -1
                    # Of several at once the last by code, or the first.
                    if of >= 0 and (
                        pick_code[x] < 0
                        or sign * time > sign * pick_time[x]
                        or (time == pick_time[x] and sign * of > sign * pick_code[x])
                    ):
                        pick_time[x], pick_code[x] = time, of
                entry += 1
            fading(half_lives, base, as_of, fade)
            give(
                op_at, out_a, out_b, out_scale, out_column, as_of, row, count, total, different,
                first, last, decayed, fade, cell_at, cells, pick_code, numbers, codes,
            )  # fmt: skip
            before = as_of
        if slots:
            wipe(n, code, dimension, ring, cell_at, cells)
