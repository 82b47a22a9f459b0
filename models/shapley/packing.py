"""Packing: which leaves of a tree are summed into one table, and which are too deep for that.

A subtree's table has a bit for each feature tested on the way to the subtree (all its tests passed) and one for each
node inside it (goes left). The highest subtrees that need few enough bits become tables: few and large ones cost fewer
look-ups than many small ones, until they no longer fit into the processor's cache.
"""

from __future__ import annotations

from dataclasses import dataclass

from touchline.models.shapley.forest import Tree

Step = tuple[int, bool]
"""A node, and whether the way goes left there."""


@dataclass(frozen=True)
class Leaf:
    """A leaf of a table.

    Attributes
    ----------
    place
        Of each feature on the way, its place among the table's features.
    share
        Of each, the share of training rows that passes its tests.
    ones, zeros
        Of each, the bits of a pattern that must be set, or must not be, for its tests to be passed.
    """

    value: float
    place: list[int]
    share: list[float]
    ones: list[int]
    zeros: list[int]


@dataclass(frozen=True)
class Table:
    """A table: its features, what each bit of its patterns means, and its leaves.

    `bits` are lists of tests, numbered `2 * node + (0 if it must go left else 1)`; a bit is set if all are passed.
    """

    features: list[int]
    bits: list[list[int]]
    leaves: list[Leaf]


@dataclass(frozen=True)
class DeepLeaf:
    """A leaf that stands alone: for each feature the share of training rows that passes its tests, and the tests."""

    value: float
    features: list[int]
    share: list[float]
    tests: list[list[int]]


def pack(tree: Tree, bits: int, alone: int) -> tuple[list[Table], list[DeepLeaf]]:
    """Tables of at most `bits` bits (of a single leaf: `alone`), and the leaves that are too deep for one."""
    tables: list[Table] = []
    deep: list[DeepLeaf] = []
    if not len(tree.feature):
        return tables, deep
    inside = _nodes_inside(tree)
    waiting: list[tuple[int, tuple[Step, ...]]] = [(0, ())]
    while waiting:
        top, way = waiting.pop()
        features = len({int(tree.feature[node]) for node, _ in way})
        if features + (inside[top] if top >= 0 else 0) <= (bits if top >= 0 else max(bits, alone)):
            tables.append(_table(tree, top, way))
        elif top >= 0:
            waiting.append((int(tree.right[top]), (*way, (top, False))))
            waiting.append((int(tree.left[top]), (*way, (top, True))))
        else:
            shares = _shares(tree, top, way)
            tests = _tests(tree, way)
            deep.append(
                DeepLeaf(float(tree.leaf_value[~top]), list(tests), list(shares.values()), list(tests.values()))
            )
    return tables, deep


def _nodes_inside(tree: Tree) -> list[int]:
    """How many nodes each subtree has."""
    inside = [1] * len(tree.feature)
    for node in reversed(range(len(inside))):
        inside[node] += sum(inside[child] for child in (tree.left[node], tree.right[node]) if child >= 0)
    return inside


def _tests(tree: Tree, way: tuple[Step, ...]) -> dict[int, list[int]]:
    """Tests on the way, by feature."""
    found: dict[int, list[int]] = {}
    for node, left in way:
        found.setdefault(int(tree.feature[node]), []).append(2 * node + (not left))
    return found


def _shares(tree: Tree, end: int, way: tuple[Step, ...]) -> dict[int, float]:
    """For each feature the share of training rows that passes its tests, as TreeSHAP counts it."""
    found: dict[int, float] = {}
    for (node, _), child in zip(way, [*(node for node, _ in way[1:]), end], strict=True):
        feature = int(tree.feature[node])
        found[feature] = found.get(feature, 1.0) * tree.cover(child) / tree.cover(node)
    return found


def _table(tree: Tree, top: int, way: tuple[Step, ...]) -> Table:
    above = _tests(tree, way)
    bits = list(above.values())
    features = list(above)
    bit_of_node: dict[int, int] = {}
    ends: list[tuple[int, tuple[Step, ...]]] = []
    waiting: list[tuple[int, tuple[Step, ...]]] = [(top, ())]
    while waiting:
        node, inner = waiting.pop()
        if node < 0:
            ends.append((node, inner))
            continue
        bit_of_node[node] = len(bits)
        bits.append([2 * node])
        if int(tree.feature[node]) not in features:
            features.append(int(tree.feature[node]))
        waiting.append((int(tree.right[node]), (*inner, (node, False))))
        waiting.append((int(tree.left[node]), (*inner, (node, True))))
    first = {feature: 1 << k for k, feature in enumerate(above)}
    place = {feature: k for k, feature in enumerate(features)}
    return Table(features, bits, [_leaf(tree, end, way, inner, first, place, bit_of_node) for end, inner in ends])


def _leaf(
    tree: Tree,
    end: int,
    way: tuple[Step, ...],
    inner: tuple[Step, ...],
    first: dict[int, int],
    place: dict[int, int],
    bit_of_node: dict[int, int],
) -> Leaf:
    shares = _shares(tree, end, (*way, *inner))
    ones = dict.fromkeys(shares, 0) | first
    zeros = dict.fromkeys(shares, 0)
    for node, left in inner:
        (ones if left else zeros)[int(tree.feature[node])] |= 1 << bit_of_node[node]
    return Leaf(
        float(tree.leaf_value[~end]),
        [place[f] for f in shares],
        list(shares.values()),
        [ones[f] for f in shares],
        [zeros[f] for f in shares],
    )
