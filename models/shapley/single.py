"""One lead: the same sums as of a batch, to the last bit, without vectors."""

from __future__ import annotations

import numpy as np
from numba import njit

from touchline.models.shapley.batch import code_of


@njit(nogil=True, cache=True, error_model="numpy")
def explain_one(plan, nodes, patterns, entries, deep, row, sums):
    """Sum one row's contributions in units, of shape (features,)."""
    code = np.zeros(len(plan.kind), np.int64)
    for f in range(len(plan.kind)):
        edges = plan.edges[plan.edge_at[f] : plan.edge_at[f + 1]]
        code[f] = code_of(row[f], plan.kind[f], edges, plan.classes[plan.class_at[f] : plan.class_at[f + 1]])
    left = np.zeros(np.max(nodes.at[1:] - nodes.at[:-1]), np.int64)
    passed = np.zeros(2 * deep.factor.shape[2] + 1, np.int64)
    for tree in range(len(nodes.at) - 1):
        first = nodes.at[tree]
        for node in range(first, nodes.at[tree + 1]):
            mine = code[nodes.feature[node]]
            if nodes.set_of[node] >= 0:
                left[node - first] = nodes.sets[nodes.set_of[node], mine]
            else:
                left[node - first] = (mine >= nodes.low[node]) & (mine <= nodes.high[node])
        for table in range(patterns.at[tree], patterns.at[tree + 1]):
            begin, bits = patterns.bit_at[table], patterns.bit_at[table + 1] - patterns.bit_at[table]
            pattern = 0
            for bit in range(bits):
                pattern |= _passes(patterns.test_at, patterns.tests, begin + bit, left) << bit
            first_feature, last_feature = patterns.feature_at[table], patterns.feature_at[table + 1]
            at = patterns.entry_at[table] + pattern * (last_feature - first_feature) - first_feature
            for i in range(first_feature, last_feature):
                sums[patterns.features[i]] += entries[at + i]
        for leaf in range(deep.at[tree], deep.at[tree + 1]):
            _add_deep(deep, leaf, left, passed, sums)


@njit(nogil=True, cache=True, inline="always")
def _passes(at, tests, which, left):
    """Whether all tests of one bit are passed."""
    passed = 1
    for i in range(at[which], at[which + 1]):
        passed &= left[tests[i] >> 1] ^ (tests[i] & 1)
    return passed


@njit(nogil=True, cache=True)
def _add_deep(deep, leaf, left, passed, sums):
    """Add what a deep leaf gives, in the order of steps in which a batch does."""
    first, last, count = deep.feature_at[leaf], deep.feature_at[leaf + 1], deep.nodes[leaf]
    for i in range(first, last):
        passed[i - first] = _passes(deep.test_at, deep.tests, i, left)
    product = np.ones(count, np.float32)
    for node in range(count):
        for i in range(first, last):
            product[node] *= deep.factor[i, passed[i - first], node]
    for i in range(first, last):
        part = np.float32(0)
        for node in range(count):
            part += product[node] * deep.part[i, passed[i - first], node]
        sums[deep.features[i]] += np.int32(np.rint(part))
