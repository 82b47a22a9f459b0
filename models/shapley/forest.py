"""Reading LightGBM's model text: trees as plain arrays.

The text, not the JSON of `dump_model`, because only the text has thresholds to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]

_CATEGORY = 1
_DEFAULT_LEFT = 2
_MISSING_SHIFT = 2


class Missing(IntEnum):
    """What a split takes as missing; the numbers are LightGBM's."""

    NONE = 0
    """Nothing: NaN counts as 0."""
    ZERO = 1
    """Zero and NaN."""
    NAN = 2


@dataclass(frozen=True)
class Tree:
    """A tree; nodes are numbered such that a child comes after its parent.

    Attributes
    ----------
    left, right
        Of each node its children: the number of a node, or `~` that of a leaf.
    members
        Of each node that splits categories, by its number: the categories that go left.
    node_cover, leaf_cover
        Training rows in each.
    """

    feature: I64
    threshold: F64
    default_left: NDArray[np.bool_]
    missing: I64
    left: I64
    right: I64
    members: dict[int, I64]
    node_cover: F64
    leaf_value: F64
    leaf_cover: F64

    def cover(self, child: int) -> float:
        """Training rows in a node or leaf."""
        return float(self.leaf_cover[~child] if child < 0 else self.node_cover[child])

    @property
    def expected(self) -> float:
        """Mean of the leaves, by training rows."""
        if not len(self.feature):
            return float(self.leaf_value[0])
        return float(self.leaf_value @ self.leaf_cover / self.node_cover[0])


@dataclass(frozen=True)
class Forest:
    """The trees of a model with one output; its margin is their sum (of a random forest, too, as in LightGBM)."""

    features: int
    trees: tuple[Tree, ...]


def read_forest(text: str) -> Forest:
    """Read a model from LightGBM's text.

    Raises
    ------
    ValueError
        If it is no such text, or the model has several outputs or linear trees.
    """
    head, *bodies = text.split("\nTree=")
    settings = _pairs(head)
    if not head.startswith("tree") or "max_feature_idx" not in settings or "end of trees" not in text:
        raise ValueError("this is not the text of a LightGBM model; give what Booster.model_to_string() returns")
    if settings.get("num_tree_per_iteration", "1") != "1":
        raise ValueError("the model has several outputs; contributions are made for models with one")
    trees = tuple(_tree(_pairs(body.split("\n\n")[0])) for body in bodies)
    return Forest(int(settings["max_feature_idx"]) + 1, trees)


def _pairs(part: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in part.split("\n") if "=" in line)


def _tree(pairs: dict[str, str]) -> Tree:
    def whole(name: str) -> I64:
        return np.array(pairs.get(name, "").split(), np.int64)

    def real(name: str) -> F64:
        return np.array(pairs.get(name, "").split(), np.float64)

    if pairs.get("is_linear", "0") != "0":
        raise ValueError("the model has linear trees, whose leaves are not numbers")
    leaves = int(pairs["num_leaves"])
    names = ["split_feature", "threshold", "decision_type", "left_child", "right_child"] if leaves > 1 else []
    if len(real("leaf_value")) != leaves or any(len(real(name)) != leaves - 1 for name in names):
        raise ValueError("a tree of the model is not whole; save the model again")
    decision, threshold, node_cover = whole("decision_type"), real("threshold"), real("internal_count")
    if leaves == 1:  # LightGBM writes some fields of the split that was not made
        decision, threshold, node_cover = decision[:0], threshold[:0], node_cover[:0]
    leaf_cover = real("leaf_count") if leaves > 1 else np.ones(1)
    if len(node_cover) != leaves - 1 or len(leaf_cover) != leaves or (node_cover <= 0).any():
        raise ValueError("the model does not say how many training rows each node had")
    return Tree(
        whole("split_feature")[: leaves - 1],
        threshold,
        (decision & _DEFAULT_LEFT) > 0,
        decision >> _MISSING_SHIFT & 3,
        whole("left_child")[: leaves - 1],
        whole("right_child")[: leaves - 1],
        _members(decision, threshold, whole("cat_boundaries"), whole("cat_threshold")),
        node_cover,
        real("leaf_value"),
        leaf_cover,
    )


def _members(decision: I64, threshold: F64, begin: I64, words: I64) -> dict[int, I64]:
    """Sets are bits in words of 32."""
    found: dict[int, I64] = {}
    for node in np.flatnonzero(decision & _CATEGORY):
        k = int(threshold[node])
        mine = words[begin[k] : begin[k + 1]]
        found[int(node)] = np.flatnonzero(mine[:, None] >> np.arange(32) & 1).astype(np.int64)
    return found
