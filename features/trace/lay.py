"""Laying amounts to touches, row after row: compiled, over whole numbers, with no look at what a touch is called.

For each row its account's touches that had happened and were known are listed once; for each selector that some amount
needs, those it looks at; and then every feature of the selector shares its amount among them. So a row costs its
account's touches times the selectors, plus each feature's own touches; features without an amount cost nothing.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from touchline.features.kernel.program import F64, I64
from touchline.features.trace.weights import weigh


class Asked(NamedTuple):
    """The rows, one entry each but in `group`."""

    begin: I64
    """The account's touches are `begin` to `end`."""
    end: I64
    lead: I64
    as_of: I64
    amounts: F64
    """rows x features"""
    group: I64
    """For each feature its group."""


class Laid(NamedTuple):
    """What comes out: side by side, in order of row and group, and the largest amount first."""

    row: I64
    group: I64
    touch: I64
    amount: F64


@njit(nogil=True, cache=True)
def lay(rules, touches, asked, longest, untraced):
    """Lay every amount to touches, or add it to `untraced` (rows x groups).

    `longest` is how many touches an account has at most.
    """
    groups = untraced.shape[1]
    stands = _stands_on_touches(rules, asked.amounts.shape[1])
    pile = np.zeros((groups, longest))
    own, everyone, found = np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.int64)
    when, weight, cell = np.empty(longest, np.int64), np.empty(longest), np.zeros(touches.size, np.int64)
    laid = Laid(
        np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest, np.int64), np.empty(longest)
    )
    size = 0
    for r in range(len(asked.lead)):
        for f in range(len(stands)):
            if not stands[f]:
                untraced[r, asked.group[f]] += asked.amounts[r, f]
        here, mine = _known(touches, asked, r, everyone, own)
        for s in range(len(rules.of_account)):
            if _needed(rules, asked, r, s):
                listed, many = (everyone, here) if rules.of_account[s] else (own, mine)
                n = _select(rules.member[s], touches, listed, many, found, when)
                for e in range(rules.entry_at[s], rules.entry_at[s + 1]):
                    _share(rules, touches, asked, r, e, listed, many, found, when, n, cell, weight, pile, untraced)
        for g in range(groups):
            if size + here > len(laid.row):
                laid = _room(laid, size, 2 * (size + here))
            size = _gather(pile, g, everyone, here, asked.begin[r], r, laid, size)
    return Laid(laid.row[:size], laid.group[:size], laid.touch[:size], laid.amount[:size])


@njit(nogil=True, cache=True)
def _stands_on_touches(rules, features):
    stands = np.zeros(features, np.bool_)
    for column in rules.column:
        stands[column] = True
    return stands


@njit(nogil=True, cache=True)
def _room(laid, size, capacity):
    row, group = np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    touch, amount = np.empty(capacity, np.int64), np.empty(capacity)
    row[:size], group[:size] = laid.row[:size], laid.group[:size]
    touch[:size], amount[:size] = laid.touch[:size], laid.amount[:size]
    return Laid(row, group, touch, amount)


@njit(nogil=True, cache=True, _nrt=False)
def _known(touches, asked, r, everyone, own):
    """List the account's touches that a row may look at, and the lead's own among them; gives how many."""
    here, mine = 0, 0
    for i in range(asked.begin[r], asked.end[r]):
        if touches.entered[i] < asked.as_of[r]:
            everyone[here] = i
            here += 1
            if touches.lead[i] == asked.lead[r]:
                own[mine] = i
                mine += 1
    return here, mine


@njit(nogil=True, cache=True, _nrt=False)
def _needed(rules, asked, r, s):
    """Whether any feature of a selector has an amount."""
    for e in range(rules.entry_at[s], rules.entry_at[s + 1]):  # noqa: SIM110  # compiled code has no generators
        if asked.amounts[r, rules.column[e]] != 0:
            return True
    return False


@njit(nogil=True, cache=True, _nrt=False)
def _select(member, touches, listed, many, found, when):
    """List the touches that a selector looks at, and when they happened; gives how many."""
    n = 0
    for k in range(many):
        if member[touches.fact_class[listed[k]]]:
            found[n], when[n] = listed[k], touches.occurred[listed[k]]
            n += 1
    return n


@njit(nogil=True, cache=True, _nrt=False)
def _share(rules, touches, asked, r, e, listed, many, found, when, n, cell, weight, pile, untraced):
    """Share the amount of one feature among its touches."""
    amount, group = asked.amounts[r, rules.column[e]], asked.group[rules.column[e]]
    if amount == 0:
        return
    begin = asked.as_of[r] - rules.window[e]
    inside = _inside(when, n, begin)
    total = 0.0
    if rules.against[e] < 0 or _any(rules.member[rules.against[e]], touches, listed, many, begin):
        code = touches.names[max(rules.dimension[e], 0)]
        total = weigh(rules.how[e], rules.half_life[e], touches.value, code, found, when, n, inside, cell, weight)
    if total == 0:
        untraced[r, group] += amount
        return
    for k in range(inside):
        if weight[k] > 0:
            pile[group, found[k] - asked.begin[r]] += amount * (weight[k] / total)


@njit(nogil=True, cache=True, _nrt=False)
def _inside(when, n, begin):
    """How many of `n` times, the latest first, are not before a window begins."""
    low, high = 0, n
    while low < high:
        middle = (low + high) // 2
        if when[middle] >= begin:
            low = middle + 1
        else:
            high = middle
    return low


@njit(nogil=True, cache=True, _nrt=False)
def _any(member, touches, listed, many, begin):
    """Whether a selector has any touch in a window; they are the latest first."""
    for k in range(many):
        if touches.occurred[listed[k]] < begin:
            return False
        if member[touches.fact_class[listed[k]]]:
            return True
    return False


@njit(nogil=True, cache=True, _nrt=False)
def _gather(pile, g, everyone, here, begin, r, laid, size):
    """Append what lies on the pile of a group, the largest first, and clear it; gives the new size."""
    first = size
    for k in range(here):
        amount = pile[g, everyone[k] - begin]
        if amount != 0:
            laid.row[size], laid.group[size], laid.touch[size], laid.amount[size] = r, g, everyone[k], amount
            pile[g, everyone[k] - begin] = 0
            size += 1
    _sort(laid.touch, laid.amount, first, size)
    return size


@njit(nogil=True, cache=True, _nrt=False)
def _sort(touch, amount, first, end):
    """Sort entries in place, the largest first and of equal ones the earlier touch, by Shell's method."""
    gap = 1
    while gap < (end - first) // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(first + gap, end):
            of, size = touch[i], amount[i]
            j = i
            while j >= first + gap and (
                abs(amount[j - gap]) < abs(size) or (abs(amount[j - gap]) == abs(size) and touch[j - gap] > of)
            ):
                touch[j], amount[j] = touch[j - gap], amount[j - gap]
                j -= gap
            touch[j], amount[j] = of, size
        gap //= 3
