"""The classes of facts: what the data holds, as far as any feature tells it apart."""

from __future__ import annotations

from dataclasses import dataclass

from touchline.features.catalog.base import FactClass
from touchline.features.kernel import Lowered
from touchline.features.kernel.plan import Changes, Plan, Touches
from touchline.features.sources import DataError
from touchline.features.sources.sql import text
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace

_OPTIONAL = ("channel", "topic", "direction")


@dataclass(frozen=True)
class Classes:
    """Which facts are which class. In the workspace stands `class_numbers`, with a column for each of `told_apart`."""

    told_apart: tuple[str, ...]
    """Columns of touches that some feature looks at."""
    all: list[FactClass]
    """In order of their numbers."""
    for_account: list[FactClass]
    """The same as the pass over accounts sees them: what a merge copied is nothing to it."""

    @property
    def for_lead(self) -> list[FactClass]:
        """The same as the pass over leads sees them."""
        return self.all


_NOTHING = FactClass("changes", "")
"""A class that no selector matches."""


def find_classes(w: Workspace, tables: Tables, lowered: Lowered) -> Classes:
    """Find the classes of all facts that some feature looks at, and create `class_numbers`.

    Raises
    ------
    DataError
        If the tables hold kinds or stages that the playbook does not know.
    """
    told_apart = tuple(c for c in _OPTIONAL if _looks_at(lowered, c))
    found = [*_touches(w, tables, told_apart), *_stages(w, tables), *_changes(lowered)]
    _refuse_strangers(w, tables, found)
    both = (lowered.by_lead, lowered.by_account)
    wanted = [c for c in found if any(s.matches(c, w.playbook) for plan in both for s in plan.selectors)]
    w.con.execute(
        "CREATE OR REPLACE TEMP TABLE class_numbers (class BIGINT, source VARCHAR, kind VARCHAR, channel VARCHAR, "
        "topic VARCHAR, direction VARCHAR, machine BOOLEAN, copied BOOLEAN, of_account BOOLEAN)"
    )
    rows = [
        (i, c.table, c.kind, c.channel or "", c.topic or "", c.direction or "", c.machine, c.copied, c.of_account)
        for i, c in enumerate(wanted)
    ]
    if rows:
        w.con.executemany("INSERT INTO class_numbers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
    return Classes(told_apart, wanted, [_NOTHING if c.copied else c for c in wanted])


def _refuse_strangers(w: Workspace, tables: Tables, found: list[FactClass]) -> None:
    known = {"touches": set(w.playbook.kinds), "stages": {stage.name for stage in w.playbook.stages}}
    for table, names in known.items():
        strangers = sorted({c.kind for c in found if c.table == table} - names)
        if strangers:
            raise DataError(
                str(tables.file(table)),
                f"was checked with another playbook: this one does not know {', '.join(strangers)}",
                "run `touchline check` again with this playbook",
            )


def _looks_at(lowered: Lowered, name: str) -> bool:
    plans: tuple[Plan, ...] = (lowered.by_lead, lowered.by_account)
    asked = [s.of for plan in plans for s in plan.selectors if isinstance(s, Touches)]
    return name in lowered.dimensions or any(getattr(feature, name) for feature in asked)


def _touches(w: Workspace, tables: Tables, told_apart: tuple[str, ...]) -> list[FactClass]:
    columns = ["kind", *told_apart, "machine", "merged_from IS NOT NULL AS copied"]
    rows = w.con.execute(
        f"SELECT DISTINCT {', '.join(columns)} FROM read_parquet({text(tables.file('touches'))}) ORDER BY ALL"
    ).fetchall()
    names = ["kind", *told_apart, "machine", "copied"]
    return [FactClass(table="touches", **dict(zip(names, row, strict=True))) for row in rows]


def _stages(w: Workspace, tables: Tables) -> list[FactClass]:
    rows = w.con.execute(
        f"SELECT DISTINCT stage, merged_from IS NOT NULL FROM read_parquet({text(tables.file('stages'))}) ORDER BY ALL"
    ).fetchall()
    return [FactClass("stages", stage, copied=copied) for stage, copied in rows]


def _changes(lowered: Lowered) -> list[FactClass]:
    asked = [s for plan in (lowered.by_lead, lowered.by_account) for s in plan.selectors if isinstance(s, Changes)]
    return [FactClass("changes", s.field, of_account=s.of_account) for s in asked]
