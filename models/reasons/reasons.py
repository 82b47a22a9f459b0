"""Reasons: the families that count most for and against each lead, each with its strongest subject and its facts.

Everything is in log-odds and adds up: base + families = log-odds, for every lead. Families whose share is below what a
retrain moves them are never reasons; with all that is not among the first few they make up the rest.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from touchline.models.explainer import Contributions
from touchline.models.reasons.grouping import Floats, Grouping, Places

if TYPE_CHECKING:
    import pandas as pd

Days = NDArray[np.datetime64]

_SECOND = np.timedelta64(1, "s")


class Most(NamedTuple):
    """How many reasons a lead gets at most."""

    favourable: int = 3
    against: int = 2


FEW = Most()
"""What a person reads in ten seconds."""


@dataclass(frozen=True)
class Reasons:
    """The reasons of some leads.

    Attributes
    ----------
    grouping
        What features, subjects and families there are.
    base
        Log-odds of the baseline.
    of_subjects, of_families
        What each adds to each lead's log-odds, of shape (rows, subjects) and (rows, families).
    table
        The reasons: `row`, `family` and `subject` (places in the grouping), `log_odds` (of the family), and the facts
        `count`, `against` (whole numbers, -1 if there are none), `last` (a day; NaT) and `value`. Sorted by row; within
        one first what counts for the lead, strongest first, then what counts against it.
    rest
        Log-odds of each lead that no reason of its stands for, of shape (rows,).
    """

    grouping: Grouping
    base: float
    of_subjects: Floats
    of_families: Floats
    table: pd.DataFrame
    rest: Floats

    def __len__(self) -> int:
        return len(self.rest)


def find_reasons(
    contributions: Contributions,
    grouping: Grouping,
    features: pd.DataFrame,
    as_of: pd.Series[Any],
    *,
    shown: Collection[str] | None = None,
    most: Most = FEW,
    zone: tzinfo | None = None,
) -> Reasons:
    """Find the reasons of leads.

    Parameters
    ----------
    contributions
        Of the model's features to each lead's log-odds.
    grouping
        Of the same features.
    features
        The features, and those that tell facts (`evidence_features`).
    as_of
        As of when, for each row (UTC).
    shown
        Families that may be reasons; by default all.
    most
        How many reasons a lead gets at most.
    zone
        In which days are told; UTC by default.

    Raises
    ------
    KeyError
        If a feature that tells facts is missing.
    """
    of_subjects = grouping.by_subject(contributions.of_features)
    table, rest = tell(of_subjects, grouping, features, as_of, shown=shown, most=most, zone=zone)
    return Reasons(grouping, contributions.base, of_subjects, grouping.by_family(of_subjects), table, rest)


def tell(
    of_subjects: Floats,
    grouping: Grouping,
    features: pd.DataFrame,
    as_of: pd.Series[Any],
    *,
    shown: Collection[str] | None = None,
    most: Most = FEW,
    zone: tzinfo | None = None,
) -> tuple[pd.DataFrame, Floats]:
    """The families that weigh most in each row, with facts; parameters and results as in `find_reasons` and `Reasons`.

    Returns
    -------
    tuple
        The table, and for each row what the families in it leave.
    """
    of_families = grouping.by_family(of_subjects)
    row, family = _strongest(of_families, grouping.families, shown, most)
    subject = _leading_subjects(of_subjects, of_families, grouping, row, family)
    table = _facts(grouping, features, as_of, row, subject, zone)
    table.insert(1, "family", family)
    table.insert(3, "log_odds", of_families[row, family])
    told = np.bincount(row, table["log_odds"], minlength=len(of_families))
    return table, of_families.sum(axis=1) - told


def _strongest(
    of_families: Floats, families: Collection[str], shown: Collection[str] | None, most: Most
) -> tuple[Places, Places]:
    """Rows and families of the reasons, in the table's order."""
    may = np.array([shown is None or name in shown for name in families])
    values = np.where(may, of_families, 0.0)
    rows: list[Places] = []
    places: list[Places] = []
    ranks: list[Places] = []
    for sign, number, first in ((1, most.favourable, 0), (-1, most.against, most.favourable)):
        order = np.argsort(-sign * values, axis=1, kind="stable")[:, :number]
        row, rank = np.nonzero(sign * np.take_along_axis(values, order, axis=1) > 0)
        rows.append(row)
        places.append(order[row, rank])
        ranks.append(rank + first)
    row, place, rank = (np.concatenate(parts) for parts in (rows, places, ranks))
    turn = np.lexsort((rank, row))
    return row[turn], place[turn]


def _leading_subjects(
    of_subjects: Floats, of_families: Floats, grouping: Grouping, row: Places, family: Places
) -> Places:
    """Within each reason's family the subject that says the same most strongly."""
    found = np.zeros(len(row), np.intp)
    begins = np.searchsorted(grouping.family_of, np.arange(len(grouping.families) + 1))
    for f in range(len(grouping.families)):
        mine = np.flatnonzero(family == f)
        rows = row[mine]
        same_way = of_subjects[rows, begins[f] : begins[f + 1]] * np.sign(of_families[rows, f])[:, None]
        found[mine] = begins[f] + same_way.argmax(axis=1)
    return found


def _facts(
    grouping: Grouping, features: pd.DataFrame, as_of: pd.Series[Any], row: Places, subject: Places, zone: tzinfo | None
) -> pd.DataFrame:
    """Facts of each reason's subject, read from the features that tell them."""
    import pandas as pd

    size = len(row)
    count, against = np.full(size, -1, np.int64), np.full(size, -1, np.int64)
    last = np.full(size, np.datetime64("NaT"), "datetime64[us]")
    value = np.full(size, None, object)
    instants = as_of.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[us]")
    order = np.argsort(subject, kind="stable")
    edges = np.searchsorted(subject[order], np.arange(len(grouping.subjects) + 1))
    for i, evidence in enumerate(grouping.evidence):
        mine = order[edges[i] : edges[i + 1]]
        rows = row[mine]
        for numbers, feature in ((count, evidence.count), (against, evidence.against)):
            if feature is not None and len(mine):
                numbers[mine] = np.nan_to_num(_numbers(features, feature.name)[rows], nan=-1).astype(np.int64)
        if evidence.since is not None and len(mine):
            last[mine] = _ago(instants[rows], _numbers(features, evidence.since.name)[rows])
        if evidence.value is not None and len(mine):
            value[mine] = features[evidence.value.name].iloc[rows].astype(object).to_numpy()
    days = pd.Series(last)
    if zone is not None:
        days = days.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
    return pd.DataFrame({
        "row": row, "subject": subject, "count": count, "against": against, "last": days.dt.floor("D"), "value": value,
    })  # fmt: skip


def _numbers(features: pd.DataFrame, name: str) -> Floats:
    return features[name].to_numpy(np.float64, na_value=np.nan)


def _ago(as_of: Days, days: Floats) -> Days:
    """Instants so many days before; a second later than told, for features are float32 and midnights are common."""
    known = ~np.isnan(days)
    found = np.full(len(days), np.datetime64("NaT"), "datetime64[us]")
    found[known] = as_of[known] - (days[known] * 86_400e6).astype("timedelta64[us]") + _SECOND
    return found
