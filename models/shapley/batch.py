"""Batches: rows explained and scored by blocks, compiled.

A block is as many rows as make the innermost loops worth while; its size is fixed, so that these compile to straight
vector code. Blocks that are not full hold zeros at their end, which are computed and never given out.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.core import types
from numba.extending import intrinsic

from touchline.models.shapley.codes import CATEGORY, NAN_MISSING, UNUSED, ZERO_MISSING

BLOCK = 512
PADDED = BLOCK + 16
"""Sums of features stand this far apart: a power of two would put them all into the same set of the cache."""
_ZERO = 1.0000000180025095e-35
"""LightGBM takes smaller values as 0."""


@njit(nogil=True, cache=True, inline="always")
def code_of(value, kind, edges, classes):
    """The code of a value, as LightGBM would decide on it."""
    if kind == CATEGORY:
        return classes[int(value)] if -1 < value < len(classes) else 0
    missing = value != value  # noqa: PLR0124  # NaN
    if missing or abs(value) <= _ZERO:
        if kind == ZERO_MISSING or (missing and kind == NAN_MISSING):
            return 0
        value = 0.0
    low, size = 0, len(edges)
    while size > 1:  # without branches: the processor cannot guess them
        half = size >> 1
        low = low + half if edges[low + half - 1] < value else low
        size -= half
    return low + 1 + (size == 1 and edges[low] < value)


@njit(nogil=True, cache=True, error_model="numpy")
def encode(plan, columns, codes):
    """Codes of rows given column by column, into blocks x features x BLOCK."""
    for f in range(len(plan.kind)):
        kind = plan.kind[f]
        if kind != UNUSED:
            edges = plan.edges[plan.edge_at[f] : plan.edge_at[f + 1]]
            classes = plan.classes[plan.class_at[f] : plan.class_at[f + 1]]
            column = columns[f]
            for begin in range(0, len(column), BLOCK):
                to = codes[begin // BLOCK, f]
                for r in range(min(BLOCK, len(column) - begin)):
                    to[r] = code_of(column[begin + r], kind, edges, classes)


@njit(nogil=True, cache=True)
def _decide(nodes, tree, codes, left):
    """Whether each row of a block goes left at each node of a tree."""
    first = nodes.at[tree]
    for node in range(first, nodes.at[tree + 1]):
        code, to = codes[nodes.feature[node]], left[node - first]
        if nodes.set_of[node] >= 0:
            members = nodes.sets[nodes.set_of[node]]
            for r in range(BLOCK):
                to[r] = members[code[r]]
        else:
            low, high = nodes.low[node], nodes.high[node]
            for r in range(BLOCK):
                to[r] = (code[r] >= low) & (code[r] <= high)


@njit(nogil=True, cache=True)
def _pass(tests, left, to):
    """Whether each row passes all tests."""
    first, turned = left[tests[0] >> 1], np.uint8(tests[0] & 1)
    for r in range(BLOCK):
        to[r] = first[r] ^ turned
    for i in range(1, len(tests)):
        more, turned = left[tests[i] >> 1], np.uint8(tests[i] & 1)
        for r in range(BLOCK):
            to[r] &= more[r] ^ turned


@njit(nogil=True, cache=True)
def _pattern(patterns, table, left, passed, pattern):
    """Each row's pattern in a table."""
    first = patterns.bit_at[table]
    for r in range(BLOCK):
        pattern[r] = 0
    for bit in range(first, patterns.bit_at[table + 1]):
        _pass(patterns.tests[patterns.test_at[bit] : patterns.test_at[bit + 1]], left, passed)
        shift = np.uint16(bit - first)
        for r in range(BLOCK):
            pattern[r] |= np.uint16(passed[r]) << shift


@njit(nogil=True, cache=True)
def _look_up(patterns, table, entries, pattern, place, sums):
    """Add a table's entries for each row's pattern; two features at a time, so that a pattern is read half as often."""
    i, last = patterns.feature_at[table], patterns.feature_at[table + 1]
    width = np.uint32(last - i)
    own = entries[patterns.entry_at[table] : patterns.entry_at[table + 1]]
    for r in range(BLOCK):
        place[r] = pattern[r] * width
    while i + 1 < last:
        one, two = own, own[1:]
        to_one, to_two = sums[patterns.features[i]], sums[patterns.features[i + 1]]
        for r in range(BLOCK):
            p = place[r]
            to_one[r] += one[p]
            to_two[r] += two[p]
        own = own[2:]
        i += 2
    if i < last:
        to_one = sums[patterns.features[i]]
        for r in range(BLOCK):
            to_one[r] += own[place[r]]


@njit(nogil=True, cache=True)
def _add_deep(deep, leaf, left, passed, product, part, sums):  # noqa: C901  # loops over rows stay innermost
    """Add what a deep leaf gives to each of its features."""
    first, last, count = deep.feature_at[leaf], deep.feature_at[leaf + 1], deep.nodes[leaf]
    for i in range(first, last):
        _pass(deep.tests[deep.test_at[i] : deep.test_at[i + 1]], left, passed[i - first])
    for node in range(count):
        to = product[node]
        for r in range(BLOCK):
            to[r] = 1
        for i in range(first, last):
            ok, failed, met = passed[i - first], deep.factor[i, 0, node], deep.factor[i, 1, node]
            for r in range(BLOCK):
                to[r] *= met if ok[r] else failed
    for i in range(first, last):
        ok, to = passed[i - first], sums[deep.features[i]]
        for r in range(BLOCK):
            part[r] = 0
        for node in range(count):
            failed, met = deep.part[i, 0, node], deep.part[i, 1, node]
            of = product[node]
            for r in range(BLOCK):
                part[r] += of[r] * (met if ok[r] else failed)
        for r in range(BLOCK):
            to[r] += np.int32(np.rint(part[r]))


@njit(nogil=True, cache=True)
def _carry(sums, total):
    """Move a group's sums to those of all trees, which have room for them."""
    for f in range(len(sums)):
        group, whole = sums[f], total[f]
        for r in range(BLOCK):
            whole[r] += group[r]
            group[r] = 0


@njit(nogil=True, cache=True)
def explain(nodes, patterns, entries, deep, groups, codes, total):
    """Sum contributions in units, blocks x features x PADDED; by groups of trees whose tables stay in the cache."""
    most = np.max(nodes.at[1:] - nodes.at[:-1])
    left = np.zeros((most, BLOCK), np.uint8)
    pattern = np.zeros(BLOCK, np.uint16)
    deepest = deep.factor.shape[2]
    passed = np.zeros((2 * deepest + 1, BLOCK), np.uint8)
    place = np.zeros(BLOCK, np.uint32)
    product = np.zeros((deepest, BLOCK), np.float32)
    part = np.zeros(BLOCK, np.float32)
    sums = np.zeros((total.shape[1], PADDED), np.int32)
    for group in range(len(groups) - 1):
        for block in range(len(codes)):
            for tree in range(groups[group], groups[group + 1]):
                _decide(nodes, tree, codes[block], left)
                for table in range(patterns.at[tree], patterns.at[tree + 1]):
                    _pattern(patterns, table, left, passed[0], pattern)
                    _look_up(patterns, table, entries, pattern, place, sums)
                for leaf in range(deep.at[tree], deep.at[tree + 1]):
                    _add_deep(deep, leaf, left, passed, product, part, sums)
            _carry(sums, total[block])


@njit(nogil=True, cache=True)
def count(nodes, patterns, codes, rows, counts):
    """Count how many of the first `rows` rows show each pattern of each table."""
    most = np.max(nodes.at[1:] - nodes.at[:-1])
    left = np.zeros((most, BLOCK), np.uint8)
    passed = np.zeros(BLOCK, np.uint8)
    pattern = np.zeros(BLOCK, np.uint16)
    for block in range(len(codes)):
        at = 0
        for tree in range(len(nodes.at) - 1):
            _decide(nodes, tree, codes[block], left)
            for table in range(patterns.at[tree], patterns.at[tree + 1]):
                _pattern(patterns, table, left, passed, pattern)
                for r in range(min(BLOCK, rows - block * BLOCK)):
                    counts[at + pattern[r]] += 1
                at += 1 << (patterns.bit_at[table + 1] - patterns.bit_at[table])


@njit(nogil=True, cache=True)
def give(sums, unit, scale, rows, out):
    """Add contributions to `out`, rows x features, and give their sums, unscaled, of shape (rows,)."""
    total = np.zeros(rows)
    for begin in range(0, rows, 16):
        block = sums[begin // BLOCK]
        first = begin % BLOCK
        for f in range(len(unit)):
            to, per = block[f], unit[f] * scale
            for r in range(min(16, rows - begin)):
                total[begin + r] += to[first + r] * unit[f]
                out[begin + r, f] += to[first + r] * per
    return total


@intrinsic
def _lowest(context, bits):  # noqa: ARG001  # numba names them
    """Place of the lowest bit that is set."""

    def generate(context, builder, signature, arguments):  # noqa: ARG001
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.uint64(types.uint64), generate


@njit(nogil=True, cache=True)
def margins(nodes, masks, codes, total):  # noqa: C901  # loops over rows stay innermost
    """Sum the values of the leaves that rows reach, in the order of trees, into blocks x BLOCK."""
    most = 1 + np.max(masks.value_at[1:] - masks.value_at[:-1]) // 64
    alive = np.zeros((most, BLOCK), np.uint64)
    member = np.zeros(BLOCK, np.uint8)
    everything = ~np.uint64(0)
    for block in range(len(codes)):
        to = total[block]
        for tree in range(len(nodes.at) - 1):
            values = masks.values[masks.value_at[tree] : masks.value_at[tree + 1]]
            words = (len(values) + 63) // 64
            alive[:words] = everything
            for node in range(nodes.at[tree], nodes.at[tree + 1]):
                code = codes[block, nodes.feature[node]]
                low, high = nodes.low[node], nodes.high[node]
                if nodes.set_of[node] >= 0:
                    members = nodes.sets[nodes.set_of[node]]
                    for r in range(BLOCK):
                        member[r] = members[code[r]]
                    for i in range(masks.at[node], masks.at[node + 1]):
                        kept, mask = alive[masks.word[i]], masks.mask[i]
                        for r in range(BLOCK):
                            kept[r] &= everything if member[r] else mask
                else:
                    for i in range(masks.at[node], masks.at[node + 1]):
                        kept, mask = alive[masks.word[i]], masks.mask[i]
                        for r in range(BLOCK):
                            kept[r] &= everything if (code[r] >= low) & (code[r] <= high) else mask
            for r in range(BLOCK):
                word = 0
                while alive[word, r] == 0:
                    word += 1
                to[r] += values[64 * word + np.int64(_lowest(alive[word, r]))]  # pyright: ignore[reportCallIssue]  # numba brings the context
