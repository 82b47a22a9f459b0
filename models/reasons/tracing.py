"""Which part of a contribution may be laid to touches.

A touch that shows interest never counts against a lead: if its feature does, the reason is that there was little of it,
or that it was long ago, and that stands on no touch. Touches that show none (an unsubscription, what marketing sent)
are laid what their features say, for or against.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from touchline.features.catalog import Account, Catalog, Feature, TouchFeature
from touchline.features.catalog.base import FactClass
from touchline.models.explainer import Contributions
from touchline.playbook import Playbook

Floats = NDArray[np.float64]


def traceable(contributions: Contributions, catalog: Catalog) -> Floats:
    """The amounts that may be laid to touches, of shape (rows, features); what is left stands on none.

    Its columns are `contributions.names`, which the catalogue must have.
    """
    interest = np.array([shows_interest(catalog[name], catalog.playbook) for name in contributions.names], bool)
    return np.where(interest & (contributions.of_features < 0), 0.0, contributions.of_features)


def catalog_of(catalog: Catalog, names: Sequence[str]) -> Catalog:
    """The catalogue of these features only, in this order, as `touchline.features.trace` asks for it."""
    return Catalog(catalog.playbook, [catalog[name] for name in names])


def shows_interest(feature: Feature, playbook: Playbook) -> bool:
    """Whether all kinds of touches that a feature looks at show interest."""
    inner = feature.inner if isinstance(feature, Account) else feature
    if not isinstance(inner, TouchFeature):
        return False
    kinds = [name for name in playbook.kinds if inner.matches(_plain(name, inner), playbook)]
    return bool(kinds) and all(playbook.kinds[name].engagement for name in kinds)


def _plain(kind: str, feature: TouchFeature) -> FactClass:
    """A touch of a kind that meets all filters but those that look at kinds."""
    first = [names if isinstance(names, str) else next(iter(names), None)
             for names in (feature.channel, feature.topic, feature.direction)]  # fmt: skip
    return FactClass("touches", kind, *(name or None for name in first), machine=bool(feature.machine))
