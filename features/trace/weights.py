"""How much of one feature each of its touches carries: small compiled functions, one for each way to share.

All look at `found`, the touches that a selector looks at, which happened at `when`, the latest first; the first `n` of
them lie in the feature's window. They write the `weight` of each of the `n` and give the sum of weights; where that is
0 the feature stands on no touch.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from touchline.features.trace.rules import How


@njit(nogil=True, cache=True, _nrt=False)
def weigh(how, half_life, value, code, found, when, many, n, cell, weight):
    """Weights by the rule `how`; `many` touches are found in all, `code` tells names apart."""
    total = 0.0
    if n == 0 or (how == How.PAIRED and n < 2):
        pass
    elif how in (How.EQUALLY, How.PAIRED):
        weight[:n] = 1.0
        total = float(n)
    elif how == How.BY_VALUE:
        total = _by_value(value, found, n, weight)
    elif how == How.FADING:
        total = _fading(half_life, when, n, weight)
    elif how in (How.LAST, How.FIRST):
        total = _at(when[0 if how == How.LAST else n - 1], when, n, weight)
    elif how in (How.LAST_NAMED, How.FIRST_NAMED):
        total = _picked(how == How.LAST_NAMED, code, found, when, n, weight)
    elif how == How.BUSIEST:
        total = _busiest(code, found, n, cell, weight)
    else:
        total = _by_name(many if how == How.BY_NEW_NAME else n, code, found, n, cell, weight)
    return total


@njit(nogil=True, cache=True, _nrt=False)
def _by_value(value, found, n, weight):
    total = 0.0
    for k in range(n):
        weight[k] = abs(np.float64(value[found[k]]))
        total += weight[k]
    return total


@njit(nogil=True, cache=True, _nrt=False)
def _fading(half_life, when, n, weight):
    """Relative to the latest touch, so that what happened long ago does not fade to nothing as a whole."""
    total = 0.0
    for k in range(n):
        weight[k] = np.exp2((when[k] - when[0]) / half_life)
        total += weight[k]
    return total


@njit(nogil=True, cache=True, _nrt=False)
def _at(moment, when, n, weight):
    total = 0.0
    for k in range(n):
        weight[k] = 1.0 if when[k] == moment else 0.0
        total += weight[k]
    return total


@njit(nogil=True, cache=True, _nrt=False)
def _picked(is_last, code, found, when, n, weight):
    """The last (or first) touch that has a name; of several at once the last (or first) name."""
    sign = 1 if is_last else -1
    best = -1
    for k in range(n):
        of = code[found[k]]
        if of >= 0 and (
            best < 0
            or sign * when[k] > sign * when[best]
            or (when[k] == when[best] and sign * of > sign * code[found[best]])
        ):
            best = k
    total = 0.0
    for k in range(n):
        same = best >= 0 and when[k] == when[best] and code[found[k]] == code[found[best]]
        weight[k] = 1.0 if same else 0.0
        total += weight[k]
    return total


@njit(nogil=True, cache=True, _nrt=False)
def _by_name(many, code, found, n, cell, weight):
    """One for each name, shared by its touches; not for names that touches from `n` to `many`, before them, have."""
    for k in range(n):
        if code[found[k]] >= 0:
            cell[code[found[k]]] += 1
    for k in range(n, many):
        if code[found[k]] >= 0:
            cell[code[found[k]]] = 0
    total = 0.0
    for k in range(n):
        times = cell[code[found[k]]] if code[found[k]] >= 0 else 0
        weight[k] = 1.0 / times if times else 0.0
        total += weight[k]
    _empty(code, found, n, cell)
    return total


@njit(nogil=True, cache=True, _nrt=False)
def _busiest(code, found, n, cell, weight):
    """The day with the most touches; they are the latest first, so that of equal days the one reached last."""
    day, most = -1, 0
    for k in range(n):
        of = code[found[k]]
        cell[of] += 1
        if cell[of] >= most:
            day, most = of, cell[of]
    for k in range(n):
        weight[k] = 1.0 if code[found[k]] == day else 0.0
    _empty(code, found, n, cell)
    return float(most)


@njit(nogil=True, cache=True, _nrt=False)
def _empty(code, found, n, cell):
    for k in range(n):
        if code[found[k]] >= 0:
            cell[code[found[k]]] = 0
