"""Catalogue: what each feature is, as small declarations, apart from how and where it is computed.

In: the playbook, whose kinds, families, stages and attributes the default catalogue expands. Out: a `Catalog` of named
features, each with a unit, a family, and words in every language of the playbook.

One's own feature takes three lines:

    >>> from touchline.features.catalog import Account, Catalog, Count
    >>> from touchline.playbook import starter_playbook
    >>> catalog = Catalog.default(starter_playbook()).add(Account(Count(14, kind="webinar")))
"""

from touchline.features.catalog.base import CatalogError, FactClass, Feature, TouchFeature
from touchline.features.catalog.catalog import Catalog
from touchline.features.catalog.profile import (
    Account,
    Age,
    Attribute,
    Calendar,
    DaysInStage,
    DaysSinceStage,
    StageCount,
    StageNow,
    new_people,
    people,
)
from touchline.features.catalog.touches import (
    Burst,
    Count,
    DaysSince,
    DaysSinceFirst,
    Decayed,
    Distinct,
    First,
    Gap,
    Last,
    New,
    Rate,
    Share,
    Sum,
    Trend,
)

__all__ = [
    "Account",
    "Age",
    "Attribute",
    "Burst",
    "Calendar",
    "Catalog",
    "CatalogError",
    "Count",
    "DaysInStage",
    "DaysSince",
    "DaysSinceFirst",
    "DaysSinceStage",
    "Decayed",
    "Distinct",
    "FactClass",
    "Feature",
    "First",
    "Gap",
    "Last",
    "New",
    "Rate",
    "Share",
    "StageCount",
    "StageNow",
    "Sum",
    "TouchFeature",
    "Trend",
    "new_people",
    "people",
]
