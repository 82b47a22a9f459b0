"""Sentences of many reasons at once: each distinct one is put into words once."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from touchline.features.catalog import Attribute, Catalog
from touchline.models.reasons.grouping import Grouping
from touchline.models.reasons.subjects import Subject
from touchline.models.reasons.words import Facts, sentence
from touchline.playbook.language import Language

if TYPE_CHECKING:
    import pandas as pd


def sentences(
    table: pd.DataFrame, grouping: Grouping, catalog: Catalog, language: Language, as_of: date
) -> NDArray[np.object_]:
    """A sentence for each row of a table of reasons (`Reasons.table`), of shape (rows of the table,).

    Parameters
    ----------
    table
        `subject`, and the facts `count`, `against`, `last`, `value`.
    grouping, catalog
        What the subjects are, and the features they come from.
    language
        One that the playbook speaks.
    as_of
        The day on which the reasons hold, in the playbook's zone.
    """
    facts = table[["subject", "count", "against", "last", "value"]]
    group = facts.groupby(list(facts.columns), sort=False, dropna=False).ngroup().to_numpy()
    _, first = np.unique(group, return_index=True)
    said = [told(row, grouping, catalog, language, as_of) for row in facts.iloc[first].itertuples(index=False)]
    return np.array(said, object)[group] if said else np.array([], object)


def told(row: Any, grouping: Grouping, catalog: Catalog, language: Language, as_of: date) -> str:
    """The sentence of one row of a table of reasons."""
    subject = grouping.subjects[row.subject]
    facts = Facts(
        count=int(row.count) if row.count >= 0 else None,
        against=int(row.against) if row.against >= 0 else None,
        last=row.last.date() if row.last == row.last else None,  # NaT is not itself
        value=_typed(row.value, subject, catalog),
    )
    feature = catalog[subject.of] if subject.about in ("rate", "other") else None
    return sentence(subject, facts, playbook=catalog.playbook, language=language, as_of=as_of, feature=feature)


def _typed(value: Any, subject: Subject, catalog: Catalog) -> Any:
    """A value that was kept as text, as what it is."""
    if not isinstance(value, str) or not _is_number(subject, catalog):
        return value
    return float({"True": 1, "False": 0}.get(value, value))


def _is_number(subject: Subject, catalog: Catalog) -> bool:
    match subject.about:
        case "calendar":
            return True
        case "attribute":
            return Attribute(subject.of).value_type(catalog.playbook) != "text"
        case "rate" | "other":
            return not catalog[subject.of].is_category
        case _:
            return False
