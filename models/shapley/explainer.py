"""`TreeShapley`: packed trees, and batches of rows run through them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from touchline.models.encoding import Matrix
from touchline.models.errors import ModelError
from touchline.models.shapley.codes import Codes, Nodes, lay_out_codes
from touchline.models.shapley.forest import F64, I64, read_forest
from touchline.models.shapley.layout import (
    F32,
    I32,
    Deep,
    Leaves,
    Masks,
    Patterns,
    lay_out_deep,
    lay_out_masks,
    lay_out_tables,
    unit_nodes,
)
from touchline.models.shapley.packing import pack

BITS = 10
"""Of a table: more make fewer look-ups, in tables that fit less well into the processor's cache."""
ALONE = 11
"""Of a table of a single leaf."""
DEEPEST = 13
"""Features on the way to a leaf that are still one table, where no integral can stand in (interventional)."""
CHUNK = 8192
"""Rows that a thread works on at a time: some megabytes of codes and sums."""
_PIECES = 32
"""Of the work of filling tables."""
ADDITIVITY = 1e-5
"""The most by which a row's contributions may miss its margin."""
_GROUP = 16
"""Trees whose contributions are summed in 32 bits; of a group of fewer units are finer, and carried more often."""
_GROUP_ENTRIES = 1 << 19
"""Entries of tables that stay in the processor's cache."""


@dataclass(frozen=True)
class _Packed:
    """A forest as compiled code reads it."""

    codes: Codes
    nodes: Nodes
    masks: Masks
    patterns: Patterns
    entries: I32
    deep: Deep
    unit: F64
    groups: I64


class TreeShapley:
    """Exact Shapley values of a LightGBM model with one output, in units of its margin (log-odds, of a classifier).

    By default they are those of `pred_contrib`: what a feature is worth where others are not known is averaged by the
    training rows in each node (path-dependent TreeSHAP, Lundberg et al., Nature Machine Intelligence 2, 2020). Over a
    `background` they are interventional: unknown features take their values from each of its rows, in turn.

    Attributes
    ----------
    expected
        The margin that contributions add to: of the training rows by their nodes, or the background's mean.
    features
        How many columns a matrix has.
    """

    def __init__(self, packed: _Packed, expected: float, features: int) -> None:
        self._packed = packed
        self.expected = expected
        self.features = features

    @classmethod
    def of(cls, text: str, *, features: int | None = None, background: Matrix | None = None) -> Self:
        """Pack a model.

        Parameters
        ----------
        text
            The model, as `Booster.model_to_string` gives it.
        features
            How many columns matrices have; by default as many as the model knows.
        background
            Rows of leads like those to be explained, of shape (rows, features); thousands cost no more than few.

        Raises
        ------
        ValueError
            If the text is no model that can be packed, or its trees are too deep for a background.
        """
        forest = read_forest(text)
        features = forest.features if features is None else features
        if features < forest.features:
            raise ValueError(f"the model has {forest.features} features, and the matrix only {features}")
        codes, nodes = lay_out_codes(forest)
        masks = lay_out_masks(forest)
        packs = [pack(tree, BITS, ALONE if background is None else DEEPEST) for tree in forest.trees]
        if background is not None and any(deep for _, deep in packs):
            raise ValueError(
                f"some leaves depend on more than {DEEPEST} features, too many for exact contributions over a "
                "background; train with a max_depth of 8 or less, or leave the background out"
            )
        patterns, leaves = lay_out_tables([tables for tables, _ in packs])
        deep, largest = lay_out_deep([deep for _, deep in packs])
        counts, rows, expected = np.zeros(0, np.int64), 1, sum(tree.expected for tree in forest.trees)
        if background is not None:
            counts, expected = _count(codes, nodes, masks, patterns, background)
            rows = len(background)
        entries = _entries(patterns, leaves, counts, rows)
        groups = _groups(patterns)
        unit = _units(patterns, entries, deep, largest, groups, forest.features)
        whole = _in_units(patterns, entries, unit)
        per = (1 / unit[deep.features]).astype(np.float32)
        deep = deep._replace(part=deep.part * per[:, None, None])
        packed = _Packed(codes, nodes, masks, patterns, whole, deep, unit, groups)
        return cls(packed, float(expected), features)

    def contributions(
        self,
        matrix: Matrix,
        *,
        out: NDArray[np.floating[Any]] | None = None,
        scale: float = 1.0,
        threads: int | None = None,
    ) -> NDArray[np.floating[Any]]:
        """What each feature adds to each row's margin: `margin = expected + contributions.sum(axis=1)`.

        Parameters
        ----------
        matrix
            Of shape (rows, features), as the model was trained on; C or Fortran order.
        out
            Where to add `scale` times the contributions, of shape (rows, features); by default zeros in float32.
        threads
            By default as many as there are processors; the result is the same to the last bit.

        Raises
        ------
        ModelError
            If contributions miss the margin by more than 1e-5 in one of the first 512 of every 8192 rows.
        """
        matrix = self._checked(matrix)
        out = np.zeros(matrix.shape, np.float32) if out is None else out
        if out.shape != matrix.shape:
            raise ValueError(f"out has shape {out.shape}, and the matrix {matrix.shape}")

        def explain(begin: int, end: int) -> float:
            return self._explain(matrix[begin:end], out[begin:end], scale)

        error = max(_in_threads(explain, len(matrix), threads), default=0.0)
        if not error <= ADDITIVITY:
            raise ModelError(
                f"contributions miss the margin by {error:.1e}, more than {ADDITIVITY:g}; explain with LightGBMShapley"
            )
        return out

    def margin(self, matrix: Matrix, *, threads: int | None = None) -> F64:
        """The model's margin of each row, of shape (rows,): what `Booster.predict(raw_score=True)` gives."""
        matrix = self._checked(matrix)
        total = np.zeros(len(matrix))

        def score(begin: int, end: int) -> None:
            codes = _encoded(self._packed.codes, self._packed.nodes, matrix[begin:end])
            total[begin:end] = self._margins(codes).reshape(-1)[: end - begin]

        list(_in_threads(score, len(matrix), threads))
        return total

    def one(self, row: NDArray[np.floating[Any]]) -> F64:
        """One row's contributions, of shape (features,): those of a batch, in the time of one row."""
        from touchline.models.shapley.single import explain_one

        row = np.ascontiguousarray(row, np.float64)
        if row.shape != (self.features,):
            raise ValueError(f"a row has shape ({self.features},); got {row.shape}")
        p = self._packed
        sums = np.zeros(self.features, np.int64)
        if len(p.nodes.feature):
            explain_one(p.codes, p.nodes, p.patterns, p.entries, p.deep, row, sums)
        found = np.zeros(self.features)
        found[: len(p.unit)] = sums[: len(p.unit)] * p.unit
        return found

    def _checked(self, matrix: Matrix) -> Matrix:
        if matrix.ndim != 2 or matrix.shape[1] != self.features:
            raise ValueError(f"a matrix has shape (rows, {self.features}); got {matrix.shape}")
        return matrix

    def _explain(self, matrix: Matrix, out: NDArray[np.floating[Any]], scale: float) -> float:
        """Add one chunk's contributions; gives the largest error of those rows whose margin is computed too."""
        from touchline.models.shapley.batch import BLOCK, PADDED, explain, give

        p = self._packed
        codes = _encoded(p.codes, p.nodes, matrix)
        sums = np.zeros((len(codes), len(p.unit), PADDED), np.int64)
        if len(p.nodes.feature):
            explain(p.nodes, p.patterns, p.entries, p.deep, p.groups, codes, sums)
        total = give(sums, p.unit, scale, len(matrix), out)
        check = min(BLOCK, len(matrix))
        return float(np.abs(self._margins(codes[:1]).reshape(-1)[:check] - self.expected - total[:check]).max())

    def _margins(self, codes: NDArray[Any]) -> F64:
        return _margins(self._packed.nodes, self._packed.masks, codes)


def _encoded(plan: Codes, nodes: Nodes, matrix: Matrix) -> NDArray[Any]:
    """Codes of rows, blocks x features x BLOCK."""
    from touchline.models.shapley.batch import BLOCK, encode

    codes = np.zeros((-(-len(matrix) // BLOCK), len(plan.kind), BLOCK), nodes.low.dtype)
    encode(plan, np.ascontiguousarray(matrix.T, np.float64), codes)
    return codes


def _margins(nodes: Nodes, masks: Masks, codes: NDArray[Any]) -> F64:
    """Sums of leaves, blocks x BLOCK."""
    from touchline.models.shapley.batch import BLOCK, margins

    total = np.zeros((len(codes), BLOCK))
    if len(nodes.at) > 1:
        margins(nodes, masks, codes, total)
    return total


def _count(codes: Codes, nodes: Nodes, masks: Masks, patterns: Patterns, background: Matrix) -> tuple[I64, float]:
    """How many background rows show each pattern of each table, and their mean sum of leaves."""
    from touchline.models.shapley.batch import count

    if not len(background):
        raise ValueError("the background has no rows")
    counts = np.zeros((1 << np.diff(patterns.bit_at)).sum(), np.int64)
    total = 0.0
    for begin in range(0, len(background), CHUNK):
        rows = background[begin : begin + CHUNK]
        coded = _encoded(codes, nodes, rows)
        if len(nodes.feature):
            count(nodes, patterns, coded, len(rows), counts)
        total += _margins(nodes, masks, coded).reshape(-1)[: len(rows)].sum()
    return counts, total / len(background)


def _entries(patterns: Patterns, leaves: Leaves, counts: I64, rows: int) -> F32:
    """Entries of all tables."""
    from touchline.models.shapley.tables import fill

    most = int(np.diff(leaves.feature_at).max(initial=1) + 1) // 2
    quadrature = np.zeros((most + 1, 2, most))
    for size in range(1, most + 1):
        quadrature[size, :, :size] = unit_nodes(size)
    entries = np.empty(patterns.entry_at[-1], np.float32)
    edges = np.unique(np.linspace(0, len(patterns.entry_at) - 1, _PIECES + 1).astype(int))
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        tasks = [
            pool.submit(fill, patterns, leaves, counts, rows, quadrature, int(a), int(b), entries)
            for a, b in pairwise(edges)
        ]
        for task in tasks:
            task.result()
    return entries


def _groups(patterns: Patterns) -> I64:
    """Where groups of trees begin, and where the last one ends."""
    begins = [0]
    before = patterns.entry_at[patterns.at]
    for tree in range(1, len(patterns.at) - 1):
        if tree - begins[-1] >= _GROUP or before[tree + 1] - before[begins[-1]] > _GROUP_ENTRIES:
            begins.append(tree)
    return np.array([*begins, len(patterns.at) - 1], np.int64)


def _units(patterns: Patterns, entries: F32, deep: Deep, largest: F64, groups: I64, features: int) -> F64:
    """For each feature the smallest unit in which no group's sum can outgrow 32 bits."""
    from touchline.models.shapley.tables import add_largest

    bound = np.zeros((len(groups) - 1, features))
    for own, begin, end in zip(bound, patterns.at[groups], patterns.at[groups[1:]], strict=False):
        add_largest(patterns, entries, begin, end, own)
    leaf_of = np.repeat(np.arange(len(deep.nodes)), np.diff(deep.feature_at))
    tree_of = np.searchsorted(deep.at, leaf_of, side="right") - 1
    np.add.at(bound, (np.searchsorted(groups, tree_of, side="right") - 1, deep.features), largest)
    return np.maximum(bound.max(axis=0), 1e-30) / ((1 << 31) - (1 << 20))  # some room, as entries are rounded


def _in_units(patterns: Patterns, entries: F32, unit: F64) -> I32:
    """Entries in whole units, in the same memory."""
    from touchline.models.shapley.tables import in_units

    whole = entries.view(np.int32)
    in_units(patterns, entries, unit, whole)
    return whole


def _in_threads(work: Callable[[int, int], Any], rows: int, threads: int | None) -> Iterator[Any]:
    """Do work on each chunk of rows, in threads if there are several."""
    threads = threads or os.cpu_count() or 1
    chunks = [(begin, min(begin + CHUNK, rows)) for begin in range(0, rows, CHUNK)]
    if threads == 1 or len(chunks) < 2:
        yield from (work(*chunk) for chunk in chunks)
        return
    with ThreadPoolExecutor(threads) as pool:
        begins, ends = zip(*chunks, strict=True)
        yield from pool.map(work, begins, ends)
