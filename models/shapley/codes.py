"""Codes: each value as its place between the thresholds of its feature, or the class of its category.

A node then compares small whole numbers, 64 rows at a time. Nothing is lost: two values with the same code take the
same way through every tree.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from touchline.models.shapley.forest import F64, I64, Forest, Missing, Tree

U8 = NDArray[np.uint8]
Small = NDArray[Any]
"""uint8 if codes fit, else uint16."""

UNUSED, PLAIN, ZERO_MISSING, NAN_MISSING, CATEGORY = range(5)
"""Kinds of features: of no tree; numbers by what is missing; categories."""

MOST_CODES = 1 << 16
"""Of a feature."""
_KINDS = {Missing.NONE: PLAIN, Missing.ZERO: ZERO_MISSING, Missing.NAN: NAN_MISSING}


class Codes(NamedTuple):
    """How values of each feature become codes.

    A number's code is 1 + the thresholds below it; 0 is missing. A category's is its class, 0 if no node knows it.
    """

    kind: U8
    edge_at: I64
    """Thresholds of feature f are `edges[edge_at[f] : edge_at[f + 1]]`, rising."""
    edges: F64
    class_at: I64
    classes: I64
    """Classes of categories 0, 1, ... of feature f, from `class_at[f]` on."""


class Nodes(NamedTuple):
    """What each node asks of a code, tree after tree."""

    at: I64
    """Nodes of tree t are `at[t]` to `at[t + 1]`."""
    feature: NDArray[np.int32]
    low: Small
    high: Small
    """A number goes left if its code is from `low` to `high`."""
    set_of: NDArray[np.int32]
    """Which of `sets` a node of categories looks in; -1 for numbers."""
    sets: U8
    """sets x classes: whether the class goes left."""


def lay_out_codes(forest: Forest) -> tuple[Codes, Nodes]:
    """Codes of a forest, and its nodes in terms of them.

    Raises
    ------
    ValueError
        If a feature is used in two ways, or has more than 65,000 thresholds or classes.
    """
    kind = _kinds(forest)
    edges = _edges(forest)
    classes = _classes(forest)
    size = max([1, *(len(e) + 2 for e in edges), *(int(c.max()) + 1 for c in classes if len(c))])
    if size > MOST_CODES:
        raise ValueError(f"a feature has {size:,} thresholds or categories that matter, more than fit into 16 bits")
    codes = Codes(kind, _offsets(edges), np.concatenate([np.zeros(0), *edges]), _offsets(classes), _joined(classes))
    return codes, _nodes(forest, edges, classes, np.uint8 if size <= 1 << 8 else np.uint16)


def _kinds(forest: Forest) -> U8:
    kind = np.full(forest.features, UNUSED, np.uint8)
    for tree in forest.trees:
        for node, feature in enumerate(tree.feature):
            mine = CATEGORY if node in tree.members else _KINDS[Missing(int(tree.missing[node]))]
            if kind[feature] not in (UNUSED, mine):
                raise ValueError(f"feature {feature} treats missing values in two ways in the same model")
            kind[feature] = mine
    return kind


def _edges(forest: Forest) -> list[F64]:
    found: list[set[float]] = [set() for _ in range(forest.features)]
    for tree in forest.trees:
        for node, feature in enumerate(tree.feature):
            if node not in tree.members:
                found[feature].add(float(tree.threshold[node]))
    return [np.array(sorted(one), np.float64) for one in found]


def _classes(forest: Forest) -> list[I64]:
    """Categories that always go the same way share a class."""
    ways: list[dict[int, list[int]]] = [defaultdict(list) for _ in range(forest.features)]
    sets = 0
    for tree in forest.trees:
        for node, members in tree.members.items():
            for category in members:
                ways[tree.feature[node]][int(category)].append(sets)
            sets += 1
    return [_class_of(mine) for mine in ways]


def _class_of(ways: dict[int, list[int]]) -> I64:
    found = np.zeros(max(ways, default=-1) + 1, np.int64)
    numbers: dict[tuple[int, ...], int] = {}
    for category in sorted(ways):
        found[category] = numbers.setdefault(tuple(ways[category]), len(numbers) + 1)
    return found


def _nodes(forest: Forest, edges: list[F64], classes: list[I64], dtype: type[np.uint8 | np.uint16]) -> Nodes:
    width = max([1, *(int(c.max()) + 1 for c in classes if len(c))])
    members = [(tree.feature[node], one) for tree in forest.trees for node, one in tree.members.items()]
    sets = np.zeros((max(len(members), 1), width), np.uint8)
    for row, (feature, one) in zip(sets, members, strict=False):
        row[classes[feature][one]] = 1
    begin = np.concatenate([[0], np.cumsum([len(tree.members) for tree in forest.trees])])
    parts = [_nodes_of(tree, edges, int(first)) for tree, first in zip(forest.trees, begin, strict=False)]
    feature, low, high, set_of = (np.concatenate([np.zeros(0, np.int64), *part]) for part in zip(*parts, strict=True))
    at = _offsets([tree.feature for tree in forest.trees])
    return Nodes(at, feature.astype(np.int32), low.astype(dtype), high.astype(dtype), set_of.astype(np.int32), sets)


def _nodes_of(tree: Tree, edges: list[F64], first: int) -> tuple[I64, I64, I64, I64]:
    nodes = len(tree.feature)
    place = np.array(
        [np.searchsorted(edges[f], t) for f, t in zip(tree.feature, tree.threshold, strict=True)], np.int64
    )
    missing_left = tree.default_left & (tree.missing != Missing.NONE)
    set_of = np.full(nodes, -1, np.int64)
    for k, node in enumerate(tree.members):
        set_of[node] = first + k
        place[node] = 0
    return tree.feature, np.where(missing_left, 0, 1), place + 1, set_of


def _offsets(parts: list[F64] | list[I64]) -> I64:
    return np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)


def _joined(parts: list[I64]) -> I64:
    return np.concatenate([np.zeros(0, np.int64), *parts])
