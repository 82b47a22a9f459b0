"""The steps of the scan: small compiled functions over plain arrays."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from touchline.features.kernel.state import CLASS, ENTERED, LEAD, OCCURRED

_DAY = 86_400_000_000
NEVER = -(1 << 62)
"""Before all times; its negative is after them."""
_FAR = 2_000
"""Half-lives after which nothing is left."""


@njit(nogil=True, cache=True, _nrt=False)
def reset(count, total, different, low, first, last, decayed, base, pick_time, pick_code):
    """Empty the accumulators for the next segment."""
    for whole in (count, total, different, low):
        for i in range(len(whole)):
            whole[i] = 0
    for i in range(len(first)):
        first[i], last[i] = -NEVER, NEVER
    for i in range(len(decayed)):
        decayed[i] = 0
    for i in range(len(base)):
        base[i] = NEVER
    for i in range(len(pick_time)):
        pick_time[i], pick_code[i] = NEVER, -1


@njit(nogil=True, cache=True, _nrt=False)
def load(facts, a, n, occurred, entered, kind, place, turn, spare, runs):
    """Lay out a segment in order of time, and find the turn in which its facts enter."""
    for i in range(n):
        occurred[i], place[i], turn[i] = facts[a + i, OCCURRED], i, i
    if _sort(occurred, n, place, spare, runs):
        for i in range(n):
            occurred[i] = facts[a + place[i], OCCURRED]
    for i in range(n):
        place[i] += a
        entered[i], kind[i] = facts[place[i], ENTERED], facts[place[i], CLASS]
    _sort(entered, n, turn, spare, runs)


@njit(nogil=True, cache=True, _nrt=False)
def _sort(key, n, place, spare, runs):
    """Sort `place`, given as 0 to n - 1, by `key`; equal keys stay in order. Returns whether anything moved.

    A natural merge sort: an account is a few leads, each in order already, so that merging them takes few rounds.
    """
    found = 1
    runs[0] = 0
    for i in range(1, n):
        if key[i] < key[i - 1]:
            runs[found] = i
            found += 1
    runs[found] = n
    moved = found > 1
    while found > 1:
        kept = 0
        for r in range(0, found, 2):
            begin, middle = runs[r], runs[r + 1]
            end = runs[r + 2] if r + 1 < found else middle
            i, j = begin, middle
            for k in range(begin, end):
                if i < middle and (j == end or key[place[i]] <= key[place[j]]):
                    spare[k] = place[i]
                    i += 1
                else:
                    spare[k] = place[j]
                    j += 1
            runs[kept] = begin
            kept += 1
        runs[kept] = n
        found = kept
        for k in range(n):
            place[k] = spare[k]
    return moved


@njit(nogil=True, cache=True, _nrt=False)
def load_codes(facts, n, first_lead, source, column, class_code, occurred, kind, place, code):
    """The code of each fact in each dimension, -1 if it has none; of days their number since 1970."""
    for d in range(len(source)):
        if source[d] == 0:
            for p in range(n):
                code[d, p] = class_code[d, kind[p]]
        elif source[d] == 1:
            for p in range(n):
                code[d, p] = facts[place[p], column[d]]
        elif source[d] == 2:
            for p in range(n):
                code[d, p] = occurred[p] // _DAY
        else:
            for p in range(n):
                code[d, p] = facts[place[p], LEAD] - first_lead


@njit(nogil=True, cache=True, _nrt=False)
def tally(begin, end, slot, step, p, code, dimension, ring, cell_at, cells, different):
    """Count a fact's code in (or out of) the tallies `slot[begin]` to `slot[end]`."""
    for i in range(begin, end):
        t = slot[i]
        of = code[dimension[t], p]
        if of >= 0:
            cell = cell_at[t] + (of % ring[t] if ring[t] else of)
            was = cells[cell]
            cells[cell] = was + step
            different[t] += (was == 0) - (was + step == 0)


@njit(nogil=True, cache=True, _nrt=False)
def weigh(half_lives, time, base, weight, decayed):
    """Weights `2 ** (time / half_life)`, relative to `2 ** base`: shifting by whole half-lives loses nothing."""
    for h in range(len(half_lives)):
        span = half_lives[h]
        since = time - base[h] * span if base[h] > NEVER else -1
        if since < 0 or since >= span:
            whole = time // span
            since = time - whole * span
            if whole > base[h]:
                if base[h] > NEVER:
                    shrink = math.ldexp(1.0, -min(whole - base[h], _FAR))
                    for i in range(h, len(decayed), len(half_lives)):
                        decayed[i] *= shrink
                base[h] = whole
                weight[h] = np.exp2(since / span)
            else:
                weight[h] = np.exp2(since / span) * math.ldexp(1.0, -min(base[h] - whole, _FAR))
        else:
            weight[h] = np.exp2(since / span)


@njit(nogil=True, cache=True, _nrt=False)
def fading(half_lives, base, as_of, fade):
    """What a weight of `2 ** base` has come to at as_of."""
    for h in range(len(half_lives)):
        whole = as_of // half_lives[h]
        shift = math.ldexp(1.0, max(base[h] - whole, -_FAR))
        fade[h] = np.exp2(-((as_of - whole * half_lives[h]) / half_lives[h])) * shift


@njit(nogil=True, cache=True, _nrt=False)
def give(
    at, a, b, scale, column, as_of, row, count, total, different, first, last, decayed, fade, cell_at, cells,
    pick_code, numbers, codes,
):  # fmt: skip
    """Write the outputs of one row; each operation's outputs stand together, so that its loop stays short."""
    for o in range(at[0], at[1]):
        numbers[column[o], row] = count[a[o]]
    for o in range(at[1], at[2]):
        numbers[column[o], row] = total[a[o]] / 1e6
    for o in range(at[2], at[3]):
        numbers[column[o], row] = different[a[o]]
    for o in range(at[3], at[4]):
        numbers[column[o], row] = different[a[o]] - different[b[o]]
    for o in range(at[4], at[5]):
        most = 0
        if different[a[o]] > 0:
            for cell in range(cell_at[a[o]], cell_at[a[o] + 1]):
                most = max(most, cells[cell])
        numbers[column[o], row] = most
    for o in range(at[5], at[6]):
        numbers[column[o], row] = np.nan if last[a[o]] == NEVER else (as_of - last[a[o]]) / _DAY
    for o in range(at[6], at[7]):
        numbers[column[o], row] = np.nan if last[a[o]] == NEVER else (as_of - first[a[o]]) / _DAY
    for o in range(at[7], at[8]):
        times = count[b[o]]
        numbers[column[o], row] = np.nan if times < 2 else (last[a[o]] - first[a[o]]) / (times - 1) / _DAY
    for o in range(at[8], at[9]):
        numbers[column[o], row] = decayed[a[o]] * fade[b[o]]
    for o in range(at[9], at[10]):
        against = count[b[o]]
        numbers[column[o], row] = np.nan if against == 0 else scale[o] * count[a[o]] / against
    for o in range(at[10], at[11]):
        codes[column[o], row] = pick_code[a[o]]


@njit(nogil=True, cache=True, _nrt=False)
def repeat(at, column, source, target, numbers, codes):
    """Rows of one account and one date have the same outputs."""
    for o in range(at[0], at[10]):
        numbers[column[o], target] = numbers[column[o], source]
    for o in range(at[10], at[11]):
        codes[column[o], target] = codes[column[o], source]


@njit(nogil=True, cache=True, _nrt=False)
def wipe(n, code, dimension, ring, cell_at, cells):
    """Empty the tallies' cells: all of them, or only those that this segment's facts can have touched."""
    for t in range(len(dimension)):
        if cell_at[t + 1] - cell_at[t] <= 4 * n:
            for cell in range(cell_at[t], cell_at[t + 1]):
                cells[cell] = 0
            continue
        for p in range(n):
            of = code[dimension[t], p]
            if of >= 0:
                cells[cell_at[t] + (of % ring[t] if ring[t] else of)] = 0
