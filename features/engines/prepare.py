"""Making ready: everything small that an engine needs before it reads the first fact.

Leads get dense numbers in order of account and lead, facts get classes, names get codes. Whatever reads the facts then
moves whole numbers only, and every engine gives the kernel the same ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from touchline.features.catalog import Catalog
from touchline.features.catalog.base import FactClass
from touchline.features.engines.classes import Classes, find_classes
from touchline.features.kernel import Lowered, Program, bind, lower
from touchline.features.kernel.program import I32
from touchline.features.kernel.state import REST
from touchline.features.sources import DataError
from touchline.features.sources.sql import column, text, texts
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace

_LARGEST = 9.2e12
"""Sum of all values that fits 64 bits in millionths."""


@dataclass(frozen=True)
class Prepared:
    """What every engine works from; in the workspace stand `numbered`, `class_numbers` and `names_<dimension>`."""

    lowered: Lowered
    by_lead: Program
    by_account: Program
    classes: Classes
    group: I32
    """For each lead its account's number."""
    names: dict[str, list[str]]
    """Dimension -> the names of its codes."""
    categories: dict[str, list[str]]
    """Attribute of type text -> its values, in order."""
    last: int
    """The latest as_of; what happened later is not read."""
    known_before: int
    """Facts that became known at this instant or later are not read; usually the latest as_of."""

    @property
    def width(self) -> int:
        """Columns of the matrix of facts."""
        return REST + self.lowered.needs_values + len(self.brought)

    @property
    def brought(self) -> tuple[str, ...]:
        """Dimensions whose codes facts bring, in order of their columns."""
        return tuple(d for d in self.lowered.dimensions if d in BROUGHT)


BROUGHT = {"campaign": "touches", "asset": "touches", "changed_value": "changes"}
"""Dimensions with many names, and the tables they come from; others follow from a fact's class."""


def prepare(w: Workspace, tables: Tables, catalog: Catalog, *, known_before: int | None = None) -> Prepared:
    """Number leads, classes and names, and bind the catalogue to them. Needs the table `snapshots`.

    With `known_before` (microseconds since 1970) facts that became known then or later are left out, so that rows as of
    a later date tell what that date alone changed.

    Raises
    ------
    DataError
        If a declared attribute is not in the tables, or values are too large to be summed exactly.
    """
    lowered = lower(catalog)
    _number_leads(w)
    numbers = w.con.execute("SELECT group_no FROM numbered ORDER BY lead_no").fetchnumpy()
    classes = find_classes(w, tables, lowered)
    names = {d: _number_names(w, tables, d, lowered) for d in lowered.dimensions if d in BROUGHT}
    if lowered.needs_values:
        _refuse_overflow(w, tables)
    vocabulary = _vocabulary(w, classes.all)
    sizes = {d: len(n) + 1 for d, n in names.items()}  # one more for values that were taken away
    first_code = REST + lowered.needs_values
    programs = [
        bind(plan, w.playbook, members, vocabulary=vocabulary, fact_dimensions=sizes, first_code=first_code)
        for plan, members in ((lowered.by_lead, classes.for_lead), (lowered.by_account, classes.for_account))
    ]
    last = w.count("SELECT max(as_of) FROM snapshots")
    return Prepared(
        lowered,
        *programs,
        classes,
        np.ascontiguousarray(numbers["group_no"], np.int32),
        {**names, **vocabulary},
        _categories(w, tables, lowered),
        last,
        last if known_before is None else min(last, known_before),
    )


def _number_leads(w: Workspace) -> None:
    """Create `numbered`: the leads of all accounts that a snapshot is about, in order of account and lead."""
    w.con.execute(
        "CREATE OR REPLACE TEMP TABLE numbered AS "
        "WITH keyed AS (SELECT lead_id, account_id, epoch_us(known_at) AS known, "
        "coalesce('a' || account_id, 'l' || lead_id) AS key FROM leads), "
        "wanted AS (SELECT DISTINCT key FROM keyed SEMI JOIN snapshots USING (lead_id)) "
        "SELECT lead_id, account_id, known, (row_number() OVER (ORDER BY key, lead_id) - 1)::INTEGER AS lead_no, "
        "(dense_rank() OVER (ORDER BY key) - 1)::INTEGER AS group_no FROM keyed SEMI JOIN wanted USING (key)"
    )


def _number_names(w: Workspace, tables: Tables, dimension: str, lowered: Lowered) -> list[str]:
    """Create `names_<dimension>` (name, code), in order of the names."""
    table = BROUGHT[dimension]
    name = "value" if dimension == "changed_value" else dimension
    asked = ""
    if dimension == "changed_value":
        fields = [c.feature.attribute for c in lowered.columns if c.dimension == dimension]  # type: ignore[attr-defined]
        asked = f" AND field IN ({texts(fields)})"
    w.con.execute(
        f"CREATE OR REPLACE TEMP TABLE names_{dimension} AS "
        "SELECT name, (row_number() OVER (ORDER BY name) - 1)::BIGINT AS code FROM ("
        f"SELECT DISTINCT {name} AS name FROM read_parquet({text(tables.file(table))}) WHERE {name} IS NOT NULL{asked})"
    )
    return [str(n) for (n,) in w.con.execute(f"SELECT name FROM names_{dimension} ORDER BY code").fetchall()]


def _vocabulary(w: Workspace, classes: list[FactClass]) -> dict[str, list[str]]:
    """The names of dimensions that follow from the class; stages in the playbook's order, all else by name."""
    return {
        "kind": sorted(w.playbook.kinds),
        "stage": [stage.name for stage in w.playbook.stages],
        "channel": sorted({c.channel for c in classes if c.channel}),
        "topic": sorted({c.topic for c in classes if c.topic}),
    }


def _refuse_overflow(w: Workspace, tables: Tables) -> None:
    (row,) = w.con.execute(f"SELECT sum(abs(value)) FROM read_parquet({text(tables.file('touches'))})").fetchall()
    if (row[0] or 0) > _LARGEST:
        raise DataError(
            str(tables.file("touches")),
            "has values too large to be summed exactly",
            "state them in a larger unit, such as thousands",
        )


def _categories(w: Workspace, tables: Tables, lowered: Lowered) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for c in lowered.columns:
        if c.place != "static" or not hasattr(c.feature, "attribute"):
            continue
        name: str = c.feature.attribute  # type: ignore[attr-defined]
        declared = w.playbook.attributes.get(name)
        table = declared.table if declared else "leads"
        file = f"read_parquet({text(tables.file(table))})"
        present = {str(row[0]) for row in w.con.execute(f"DESCRIBE SELECT * FROM {file}").fetchall()}
        if name not in present:
            raise DataError(
                str(tables.file(table)), f"has no attribute {name}", "check the data again with this playbook"
            )
        if c.value_type == "text":
            values = w.con.execute(
                f"SELECT DISTINCT {column(name)} FROM {file} WHERE {column(name)} IS NOT NULL ORDER BY 1"
            ).fetchall()
            found[name] = [str(v) for (v,) in values]
    return found
