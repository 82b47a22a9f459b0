"""The catalogue: the features of a training set, in order, each once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from fnmatch import fnmatchcase
from html import escape
from typing import TYPE_CHECKING

from touchline.features.catalog.base import CatalogError, Feature
from touchline.features.catalog.profile import Account, Attribute
from touchline.features.catalog.words import family_words, label
from touchline.playbook import Playbook

if TYPE_CHECKING:
    import pandas as pd


class Catalog:
    """The features a training set has: declarations that fit one playbook, with stable names.

    >>> from touchline.features.catalog import Catalog, Count
    >>> from touchline.playbook import starter_playbook
    >>> catalog = Catalog.default(starter_playbook())
    >>> catalog = catalog.add(Count(14, kind="webinar", topic="security"))
    >>> catalog.label("count_webinar_topic_security_14d", "en")
    'Attended a webinar, Security: how often in the last 14 days'

    Raises
    ------
    CatalogError
        If a feature names what the playbook does not have, two features share a name, or a category is bound to count
        in one direction only.
    """

    def __init__(self, playbook: Playbook, features: Iterable[Feature] = ()) -> None:
        self.playbook = playbook
        self._features: dict[str, Feature] = {}
        for feature in features:
            if not isinstance(feature, Feature):
                raise CatalogError(f"a catalogue holds features such as Count(30), not {type(feature).__name__}")
            if problem := feature.problem(playbook) or _problem_of_monotone(feature, playbook):
                raise CatalogError(f"{type(feature).__name__} {feature.name!r}: {problem}")
            if not feature.name.isidentifier() or feature.name in RESERVED:
                raise CatalogError(f"{feature.name!r} cannot be a feature's name; use letters, digits and underscores")
            known = self._features.get(feature.name)
            if known is not None and known.monotone != feature.monotone:
                raise CatalogError(
                    f"{feature.name!r} is there with another `monotone`; drop that one before you add it"
                )
            if known is not None and replace(known, family="") != replace(feature, family=""):
                raise CatalogError(f"two different features are called {feature.name!r}; give one a `name`")
            self._features[feature.name] = (
                feature if feature.family else replace(feature, family=feature.default_family(playbook))
            )

    @classmethod
    def default(cls, playbook: Playbook) -> Catalog:
        """The features that a playbook's kinds, families, stages and attributes give rise to."""
        from touchline.features.catalog.default import default_features

        return cls(playbook, default_features(playbook))

    def add(self, *features: Feature) -> Catalog:
        """A catalogue with more features; one that is there already is there once."""
        return Catalog(self.playbook, [*self, *features])

    def drop(self, *patterns: str) -> Catalog:
        """A catalogue without the features whose names match a pattern such as `count_*_7d`."""
        self._require_matches(patterns)
        return Catalog(self.playbook, [f for f in self if not any(fnmatchcase(f.name, p) for p in patterns)])

    def keep(self, *patterns: str) -> Catalog:
        """A catalogue of only the features whose names match a pattern."""
        self._require_matches(patterns)
        return Catalog(self.playbook, [f for f in self if any(fnmatchcase(f.name, p) for p in patterns)])

    def group(self, family: str, *patterns: str) -> Catalog:
        """A catalogue whose features that match a pattern belong to `family`, read by people as one reason."""
        self._require_matches(patterns)
        return Catalog(
            self.playbook,
            [replace(f, family=family) if any(fnmatchcase(f.name, p) for p in patterns) else f for f in self],
        )

    def _require_matches(self, patterns: Iterable[str]) -> None:
        for pattern in patterns:
            if not any(fnmatchcase(name, pattern) for name in self._features):
                raise CatalogError(f"no feature is called {pattern!r}; `catalog.names` lists them")

    @property
    def names(self) -> list[str]:
        """The features' names, in order of the columns."""
        return list(self._features)

    @property
    def families(self) -> list[str]:
        """The families, in order of first appearance."""
        return list(dict.fromkeys(feature.family for feature in self))

    @property
    def digest(self) -> str:
        """Identity of the catalogue: SHA-256 in hex of all declarations, in order."""
        content = json.dumps([f.to_dict() for f in self], sort_keys=True, default=_plain, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()

    def label(self, name: str, language: str | None = None) -> str:
        """What people read of a feature; in the playbook's first language by default."""
        return label(self[name], self.playbook, language or self.playbook.languages[0])

    def family_words(self, family: str, language: str | None = None) -> str:
        """What people read of a family."""
        return family_words(family, self.playbook)[language or self.playbook.languages[0]]

    def table(self) -> pd.DataFrame:
        """One row per feature: name, family, unit, whether it is a category, and its words in each language."""
        import pandas as pd

        rows = [
            {
                "name": f.name,
                "family": f.family,
                "unit": f.unit,
                "is_category": f.is_category,
                **{language: self.label(f.name, language) for language in self.playbook.languages},
            }
            for f in self
        ]
        return pd.DataFrame(rows)

    def __iter__(self) -> Iterator[Feature]:
        return iter(self._features.values())

    def __len__(self) -> int:
        return len(self._features)

    def __contains__(self, name: object) -> bool:
        return name in self._features

    def __getitem__(self, name: str) -> Feature:
        if name not in self._features:
            raise CatalogError(f"no feature is called {name!r}; `catalog.names` lists them")
        return self._features[name]

    def __repr__(self) -> str:
        return f"Catalog of {len(self)} features in {len(self.families)} families for playbook {self.playbook.name!r}"

    def _repr_html_(self) -> str:
        counts = {family: sum(f.family == family for f in self) for family in self.families}
        rows = "".join(
            f"<tr><td>{escape(self.family_words(family))}</td><td style='text-align:right'>{n}</td></tr>"
            for family, n in counts.items()
        )
        return f"<p>{escape(repr(self))}</p><table><tr><th>family</th><th>features</th></tr>{rows}</table>"


RESERVED = frozenset({
    "lead_id", "account_id", "as_of", "status", "won", "weight", "group", "deal_id", "won_at", "amount",
})  # fmt: skip
"""Columns that stand beside the features."""


def _problem_of_monotone(feature: Feature, playbook: Playbook) -> str | None:
    if feature.monotone not in (-1, 0, 1):
        return f"monotone is 1 (more never counts against), -1 (never for) or 0, not {feature.monotone!r}"
    if isinstance(feature, Account) and feature.inner.monotone:
        return "what a model sees is the whole of Account(…): write Account(Count(30), monotone=1)"
    is_text = isinstance(feature, Attribute) and feature.value_type(playbook) == "text"
    if feature.monotone and (feature.is_category or is_text):
        return "is a category, which has no more and no less; leave `monotone` out"
    return None


def _plain(value: object) -> object:
    return value.to_dict() if isinstance(value, Feature) else str(value)
