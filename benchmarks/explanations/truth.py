"""The truth's own reasons: exact conditional Shapley values of the optimal log-odds by group of evidence.

The simulator's filter gives the chance v(S) given only the groups of facts S, for all 2^5 sets; a group's value is its
mean marginal contribution over all orders, as in Shapley (1953), "A value for n-person games".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from itertools import combinations
from math import factorial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from touchline.features.sources.simulated import GROUPS, World, truth_given

Floats = NDArray[np.float64]


def true_reasons(world: World, leads: int, seed: int, as_of: Sequence[date]) -> pd.DataFrame:
    """For each lead in question on each date its true log-odds and what each group of `GROUPS` adds, in log-odds.

    Indexed by `lead_id` and `as_of`; columns `base` (nothing told), the groups, and `log_odds`, their sum.
    """
    told = {
        frozenset(some): truth_given(some, leads=leads, seed=seed, world=world, truth_as_of=as_of)
        for size in range(len(GROUPS) + 1)
        for some in combinations(GROUPS, size)
    }
    worth = {some: _log_odds(table["probability"].to_numpy()) for some, table in told.items()}
    keys = told[frozenset()].select(["lead_id", "as_of"]).to_pandas()
    values = {"base": worth[frozenset()], **shapley_values(worth), "log_odds": worth[frozenset(GROUPS)]}
    return keys.assign(**values).set_index(["lead_id", "as_of"])


def shapley_values(worth: Mapping[frozenset[str], Floats]) -> dict[str, Floats]:
    """Each group's Shapley value from the worth of every set of groups."""
    everyone = max(worth, key=len)
    found: dict[str, Floats] = {}
    for group in [name for name in GROUPS if name in everyone]:
        others = everyone - {group}
        found[group] = np.sum(
            [_weight(len(some), len(everyone)) * (worth[some | {group}] - worth[some]) for some in _subsets(others)],
            axis=0,
        )
    return found


def _subsets(of: Collection[str]) -> list[frozenset[str]]:
    return [frozenset(some) for size in range(len(of) + 1) for some in combinations(sorted(of), size)]


def _weight(before: int, all_of_them: int) -> float:
    return factorial(before) * factorial(all_of_them - before - 1) / factorial(all_of_them)


def _log_odds(chance: Floats) -> Floats:
    return np.log(chance) - np.log1p(-chance)
