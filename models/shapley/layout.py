"""Layout: packed trees as flat arrays, which is what compiled code reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from touchline.models.shapley.forest import F64, I64, Forest
from touchline.models.shapley.packing import DeepLeaf, Table

I32 = NDArray[np.int32]
F32 = NDArray[np.float32]


class Patterns(NamedTuple):
    """Where the tables are, and how a row's pattern in each is made."""

    at: I64
    """Tables of tree t are `at[t]` to `at[t + 1]`."""
    bit_at: I64
    """Bits of table k are `bit_at[k]` to `bit_at[k + 1]`."""
    test_at: I64
    tests: I32
    feature_at: I64
    features: I32
    entry_at: I64
    """Table k's entries begin here: for each pattern one for each of its features, side by side for the cache."""


class Leaves(NamedTuple):
    """Leaves of tables, of which entries are made."""

    at: I64
    """Leaves of table k are `at[k]` to `at[k + 1]`."""
    value: F64
    feature_at: I64
    place: I64
    share: F64
    ones: I64
    zeros: I64


class Deep(NamedTuple):
    """Leaves too deep for tables; their integrals are summed row by row."""

    at: I64
    """Deep leaves of tree t are `at[t]` to `at[t + 1]`."""
    feature_at: I64
    features: I32
    test_at: I64
    tests: I32
    nodes: I64
    """How many nodes each leaf's integral has."""
    factor: F32
    """features x (tests failed, passed) x nodes: what a feature multiplies the integrand by."""
    part: F32
    """The same shape: what the product over all features is multiplied by to give the feature's own contribution."""


class Masks(NamedTuple):
    """Leaves that are out of reach when a node sends a row right, as bits: what is left in the end is the row's leaf.

    (Lucchese et al., QuickScorer, SIGIR 2015.)
    """

    at: I64
    """Masks of node n are `at[n]` to `at[n + 1]`, one for each word that it changes."""
    word: I32
    mask: NDArray[np.uint64]
    value_at: I64
    values: F64
    """Leaves of each tree from left to right."""


def lay_out_tables(tables: Sequence[Sequence[Table]]) -> tuple[Patterns, Leaves]:
    """Tables of each tree as arrays."""
    flat = [table for tree in tables for table in tree]
    leaves = [leaf for table in flat for leaf in table.leaves]
    bits = [bit for table in flat for bit in table.bits]
    patterns = Patterns(
        offsets(len(tree) for tree in tables),
        offsets(len(table.bits) for table in flat),
        offsets(len(bit) for bit in bits),
        np.array([test for bit in bits for test in bit], np.int32),
        offsets(len(table.features) for table in flat),
        np.array([f for table in flat for f in table.features], np.int32),
        offsets(len(table.features) << len(table.bits) for table in flat),
    )
    return patterns, Leaves(
        offsets(len(table.leaves) for table in flat),
        np.array([leaf.value for leaf in leaves], np.float64),
        offsets(len(leaf.place) for leaf in leaves),
        np.array([p for leaf in leaves for p in leaf.place], np.int64),
        np.array([s for leaf in leaves for s in leaf.share], np.float64),
        np.array([b for leaf in leaves for b in leaf.ones], np.int64),
        np.array([b for leaf in leaves for b in leaf.zeros], np.int64),
    )


def lay_out_deep(leaves: Sequence[Sequence[DeepLeaf]]) -> tuple[Deep, F64]:
    """Deep leaves of each tree as arrays, and the largest contribution of each of their features.

    The parts still have to be multiplied by their features' units.
    """
    flat = [leaf for tree in leaves for leaf in tree]
    nodes = [(len(leaf.features) + 1) // 2 for leaf in flat]
    total, most = sum(len(leaf.features) for leaf in flat), max(nodes, default=1)
    factor, part = np.ones((total, 2, most)), np.zeros((total, 2, most))
    largest = np.zeros(total)
    begin = offsets(len(leaf.features) for leaf in flat)
    for leaf, a, b, count in zip(flat, begin, begin[1:], nodes, strict=False):
        t, weight = unit_nodes(count)
        share = np.maximum(leaf.share, 1e-12)[:, None]  # no rows passed: as good as none, and nothing is divided by 0
        factor[a:b, 0, :count] = share * (1 - t)
        factor[a:b, 1, :count] = t + share * (1 - t)
        gain = leaf.value * np.hstack([-share, 1 - share])[:, :, None]
        part[a:b, :, :count] = gain * weight / factor[a:b, :, :count]
        others = factor[a:b, 1, :count].prod(axis=0) / factor[a:b, 1, :count]
        largest[a:b] = np.abs(gain[:, :, 0]).max(axis=1) * (others @ weight)
    tests = [test for leaf in flat for test in leaf.tests]
    deep = Deep(
        offsets(len(tree) for tree in leaves),
        begin,
        np.array([f for leaf in flat for f in leaf.features], np.int32),
        offsets(len(one) for one in tests),
        np.array([test for one in tests for test in one], np.int32),
        np.array(nodes, np.int64),
        factor.astype(np.float32),
        part.astype(np.float32),
    )
    return deep, largest


def lay_out_masks(forest: Forest) -> Masks:
    """Masks of all nodes, and the leaves' values in their order."""
    at, words, masks, values = [0], [], [], []
    for tree in forest.trees:
        first, order = _leaves_in_order(tree.left.tolist(), tree.right.tolist())
        values.append(tree.leaf_value[order])
        for begin, end in first:
            cleared = (1 << end) - (1 << begin)
            for word in range(begin // 64, (end + 63) // 64):
                words.append(word)
                masks.append(~(cleared >> 64 * word) & (1 << 64) - 1)
            at.append(len(words))
    value_at = offsets(len(one) for one in values)
    joined = np.concatenate([np.zeros(0), *values])
    return Masks(np.array(at, np.int64), np.array(words, np.int32), np.array(masks, np.uint64), value_at, joined)


def _leaves_in_order(left: list[int], right: list[int]) -> tuple[list[tuple[int, int]], list[int]]:
    """For each node the leaves on its left side, as places from begin to end; and the leaves from left to right."""
    span = [(0, 0)] * len(left)
    order: list[int] = []
    waiting: list[tuple[int, bool]] = [(0 if left else -1, False)]
    while waiting:
        node, between = waiting.pop()
        if node < 0:
            order.append(~node)
        elif between:
            span[node] = (span[node][0], len(order))
        else:
            span[node] = (len(order), 0)
            waiting += [(right[node], False), (node, True), (left[node], False)]
    return span, order


@lru_cache
def unit_nodes(count: int) -> tuple[F64, F64]:
    """Nodes and weights of Gauss-Legendre on [0, 1]; exact for polynomials of degree 2 * count - 1."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return (nodes + 1) / 2, weights / 2


def offsets(counts: Iterable[int]) -> I64:
    """Where each of several parts of given lengths begins, and where the last one ends."""
    return np.cumsum([0, *counts]).astype(np.int64)
