"""Laying facts out for the scan: counting sorts, because numbers of leads are dense."""

from __future__ import annotations

import numpy as np
from numba import njit

from touchline.features.kernel.program import I64


@njit(nogil=True, cache=True)
def offsets(key, size):
    """Where each key's entries begin once sorted, `size + 1` long; keys are numbers from 0 to `size - 1`."""
    at = np.zeros(size + 1, np.int64)
    for i in range(len(key)):
        at[key[i] + 1] += 1
    for k in range(size):
        at[k + 1] += at[k]
    return at


@njit(nogil=True, cache=True)
def is_sorted(key) -> bool:
    """Whether no entry is smaller than the one before."""
    for i in range(1, len(key)):  # noqa: SIM110  # compiled code has no generators
        if key[i] < key[i - 1]:
            return False
    return True


@njit(nogil=True, cache=True)
def sort_rows(rows, at, done):
    """Rows of a matrix, stably sorted by their first column, whose `offsets` are `at`; written into `done`."""
    place = at[:-1].copy()
    for i in range(len(rows)):
        target = place[rows[i, 0]]
        place[rows[i, 0]] += 1
        for c in range(rows.shape[1]):
            done[target, c] = rows[i, c]
    return done


@njit(nogil=True, cache=True)
def by_time(row_at: I64, rows: I64, as_of: I64) -> None:
    """Sort each segment's rows by as_of, in place."""
    for s in range(len(row_at) - 1):
        a, b = row_at[s], row_at[s + 1]
        if b - a > 1:
            turn = np.argsort(as_of[a:b], kind="mergesort")
            rows[a:b] = rows[a:b][turn]
            as_of[a:b] = as_of[a:b][turn]


@njit(nogil=True, cache=True)
def count_keys(key, counts):
    """Add to `counts` how often each key is there."""
    for i in range(len(key)):
        counts[key[i]] += 1


@njit(nogil=True, cache=True)
def place_columns(columns, size, key, place, done):
    """Write `size` facts, given column by column, as rows of `done`, each where `place` of its key says."""
    for i in range(size):
        target = place[key[i]]
        place[key[i]] += 1
        for c in range(len(columns)):
            done[target, c] = columns[c, i]
