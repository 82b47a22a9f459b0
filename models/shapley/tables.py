"""Tables: for each pattern of a table what each of its features contributes, compiled.

Entries are made in double precision, kept as float32, and then turned into whole numbers of a unit for each feature, as
small as the largest sum that can come up in a group of trees leaves room for in 32 bits. Sums of whole numbers are
exact, so that what is lost is half a unit for each look-up, some 1e-9 of log-odds.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

_SMALLEST_SHARE = 1e-12


@njit(nogil=True, cache=True, error_model="numpy")
def fill(patterns, leaves, counts, rows, quadrature, begin, end, entries):
    """Fill tables `begin` to `end`.

    With `counts`, how many of `rows` background rows show each pattern (as long as tables are, for one feature each),
    contributions are interventional; with none they are by shares of training rows.
    """
    weights = _orders()
    count_at = 0
    for k in range(begin):
        count_at += 1 << (patterns.bit_at[k + 1] - patterns.bit_at[k])
    for k in range(begin, end):
        size = 1 << (patterns.bit_at[k + 1] - patterns.bit_at[k])
        sums = np.zeros((patterns.feature_at[k + 1] - patterns.feature_at[k], size))
        passed = np.zeros(size, np.int64)
        for leaf in range(leaves.at[k], leaves.at[k + 1]):
            a, b = leaves.feature_at[leaf], leaves.feature_at[leaf + 1]
            _which_pass(leaves.ones[a:b], leaves.zeros[a:b], passed)
            if len(counts):
                frequency = np.zeros(1 << (b - a))
                for pattern in range(size):
                    frequency[passed[pattern]] += counts[count_at + pattern] / rows
                found = _by_background(leaves.value[leaf], frequency, b - a, weights)
            else:
                found = _by_shares(leaves.value[leaf], leaves.share[a:b], quadrature)
            for j in range(b - a):
                place = leaves.place[a + j]
                for pattern in range(size):
                    sums[place, pattern] += found[j, passed[pattern]]
        count_at += size
        to = patterns.entry_at[k]
        for place in range(len(sums)):
            for pattern in range(size):
                entries[to + pattern * len(sums) + place] = sums[place, pattern]


@njit(nogil=True, cache=True)
def _which_pass(ones, zeros, passed):
    """For each pattern which of a leaf's features pass, as bits."""
    for pattern in range(len(passed)):
        bits = 0
        for j in range(len(ones)):
            if pattern & ones[j] == ones[j] and not pattern & zeros[j]:
                bits |= 1 << j
        passed[pattern] = bits


@njit(nogil=True, cache=True, error_model="numpy")
def _by_shares(value, share, quadrature):
    """Contributions to one leaf, features x which of them pass: the integral of the room's docstring."""
    features = len(share)
    found = np.zeros((features, 1 << features))
    factor = np.empty(features)
    count = (features + 1) // 2
    for passed in range(1 << features):
        for node in range(count):
            t, product = quadrature[count, 0, node], quadrature[count, 1, node] * value
            for j in range(features):
                factor[j] = max(share[j], _SMALLEST_SHARE) * (1 - t) + (t if passed >> j & 1 else 0.0)
                product *= factor[j]
            for j in range(features):
                found[j, passed] += ((passed >> j & 1) - share[j]) * product / factor[j]
    return found


@njit(nogil=True, cache=True)
def _orders():
    """Of orders in which `a` features come from the row and `n` do not: the share where one of the `a` is the last."""
    found = np.zeros((40, 40))
    for a in range(1, 40):
        for n in range(40):
            found[a, n] = math.exp(math.lgamma(a) + math.lgamma(n + 1) - math.lgamma(a + n + 1))
    return found


@njit(nogil=True, cache=True)
def _by_background(value, frequency, features, weights):
    """The same over a background, of whose rows `frequency` says how many pass each set of tests.

    A row in which the features `passed` pass reaches the leaf together with a background row in which all others do.
    `own` are those in which only the row passes, `missing` those in which only the background row does.
    """
    found = np.zeros((features, 1 << features))
    full = (1 << features) - 1
    for passed in range(1 << features):
        missing = full & ~passed
        lacking = _ones(missing)
        shared = passed
        while True:
            part = frequency[missing | shared] * value
            if part != 0.0:
                own = passed & ~shared
                count = _ones(own)
                for j in range(features):
                    if own >> j & 1:
                        found[j, passed] += part * weights[count, lacking]
                    elif missing >> j & 1:
                        found[j, passed] -= part * weights[lacking, count]
            if shared == 0:
                break
            shared = (shared - 1) & passed
    return found


@njit(nogil=True, cache=True, inline="always")
def _ones(bits):
    count = 0
    while bits:
        bits &= bits - 1
        count += 1
    return count


@njit(nogil=True, cache=True)
def add_largest(patterns, entries, begin, end, largest):
    """Add to `largest`, of shape (features,), the largest entry that each of some tables has for a feature."""
    for k in range(begin, end):
        first, last = patterns.feature_at[k], patterns.feature_at[k + 1]
        for i in range(first, last):
            most = np.float32(0)
            for entry in range(patterns.entry_at[k] + i - first, patterns.entry_at[k + 1], last - first):
                most = max(most, abs(entries[entry]))
            largest[patterns.features[i]] += most


@njit(nogil=True, cache=True)
def in_units(patterns, entries, unit, whole):
    """Write entries as whole numbers of each feature's unit; `whole` may be the same memory."""
    for k in range(len(patterns.entry_at) - 1):
        first, last = patterns.feature_at[k], patterns.feature_at[k + 1]
        for i in range(first, last):
            per = 1.0 / unit[patterns.features[i]]
            for entry in range(patterns.entry_at[k] + i - first, patterns.entry_at[k + 1], last - first):
                whole[entry] = np.int32(np.rint(np.float64(entries[entry]) * per))
