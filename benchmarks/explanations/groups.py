"""From our features to the truth's groups of evidence, in two ways.

By evidence: each feature goes to the group of the touches it looks at, whoever did them; people counted go to `people`;
what looks at interest of every kind is shared among web, e-mail and events as the account's touches of the last quarter
are. As shown: whole families go to the group that their name promises; what colleagues do is then `people`. Journey,
calendar, age, machines and calls are no evidence in the truth and stand beside the groups, on both sides.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from touchline.features import Catalog
from touchline.features.sources.simulated import GROUPS
from touchline.models.reasons import Grouping, Subject

Floats = NDArray[np.float64]

_GROUP_OF = {"fit": "fit", "web": "web", "email": "email", "marketing": "email", "events": "events"}
_SHARED = ("web", "email", "events")
_BESIDE = len(GROUPS)
_MIXED = len(GROUPS) + 1


def by_evidence(values: Floats, grouping: Grouping, catalog: Catalog, features: pd.DataFrame) -> Floats:
    """Sums over the features that look at each group's facts; from (rows, features) to (rows, groups)."""
    place = np.array([_place(subject, catalog) for subject in grouping.subjects])[grouping.subject_of]
    found = _summed(values, place, _MIXED + 1)
    touches = features[[f"account_count_family_{name}_91d" for name in _SHARED]].to_numpy(np.float64) + 1e-9
    shares = touches / touches.sum(axis=1, keepdims=True)
    for column, name in enumerate(_SHARED):
        found[:, GROUPS.index(name)] += found[:, _MIXED] * shares[:, column]
    return found[:, : len(GROUPS)]


def as_shown(values: Floats, grouping: Grouping) -> Floats:
    """Sums over the families of each group; from (rows, features) to (rows, groups)."""
    groups = {**_GROUP_OF, "buying_group": "people"}
    family = np.array([GROUPS.index(groups[name]) if name in groups else _BESIDE for name in grouping.families])
    return _summed(values, family[grouping.family_of_feature], _MIXED)[:, : len(GROUPS)]


def _place(subject: Subject, catalog: Catalog) -> int:
    kinds = catalog.playbook.kinds
    family = subject.family
    if subject.about == "people":
        return GROUPS.index("people")
    if subject.about == "kind":
        family = kinds[subject.of].family
    elif subject.about == "family":
        family = subject.of
    if family in ("interest", "buying_group"):
        return _MIXED
    return GROUPS.index(_GROUP_OF[family]) if family in _GROUP_OF else _BESIDE


def _summed(values: Floats, place: NDArray[np.integer], places: int) -> Floats:
    found = np.zeros((len(values), places))
    for column, at in enumerate(place):
        found[:, at] += values[:, column]
    return found
