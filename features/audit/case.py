"""The case: all that checks may look at, read once and column by column."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from touchline.features.audit.codes import Code
from touchline.features.audit.findings import Finding
from touchline.features.audit.look import Outcome, Told, Values, look
from touchline.features.audit.ranks import Bools, Ints
from touchline.features.catalog import Attribute, Catalog
from touchline.features.snapshots.credits import create_credits
from touchline.features.snapshots.draw import Windows, open_leads, windows
from touchline.features.sources.sql import text
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace
from touchline.features.training import ScoringSet, TrainingSet
from touchline.playbook import Playbook

if TYPE_CHECKING:
    import pyarrow as pa

    from touchline.features.training import FeatureSet

Check = Callable[["Case"], Iterator[Finding]]
"""Looks at a case and gives findings; of each of its codes at least one, if only to say that all is well."""


@dataclass(frozen=True)
class Case:
    """A company's tables, its playbook, and the sets to audit."""

    tables: Tables
    playbook: Playbook
    catalog: Catalog
    training: TrainingSet
    scoring: ScoringSet | None
    earlier: Tables | None
    sample_leads: int
    seed: int
    w: Workspace
    """A connection and a scratch folder for questions to the tables."""

    @cached_property
    def label(self) -> Bools:
        """For each row of the training set whether it was won."""
        return self.training.y

    @cached_property
    def group(self) -> Ints:
        """For each row the number of its account, or of its lead where there is none."""
        return groups(self.training)

    @cached_property
    def as_of(self) -> Ints:
        """For each row its as_of in microseconds."""
        return microseconds(self.training)

    @cached_property
    def outcome(self) -> Outcome:
        """Labels and accounts of all rows, and which of their leads were ever won."""
        import pyarrow as pa
        import pyarrow.compute as pc

        _ = self.wins
        won: Any = pa.array([str(lead) for (lead,) in self.rows("SELECT lead_id FROM wins")], pa.string())
        lead: Any = self.training.arrow(["lead_id"])["lead_id"].cast(pa.string())
        return Outcome(self.label, self.group, np.asarray(pc.is_in(lead, won)))

    @cached_property
    def won_accounts(self) -> int:
        """Accounts with a won row."""
        return self.outcome.accounts(self.label)

    @cached_property
    def told(self) -> list[Told]:
        """What each feature alone tells; one column is in memory at a time."""
        self.w.progress("looking at each feature alone")
        return [
            look(name, self.read(name), self.outcome, is_attribute=self.is_attribute(name))
            for name in self.training.names
        ]

    @cached_property
    def windows(self) -> Windows:
        """The lengths of time that labels depend on; creates the view `leads`."""
        open_leads(self.w, self.tables)
        return windows(self.w, self.tables)

    @cached_property
    def wins(self) -> int:
        """Leads that were won; creates the table `wins` (lead_id, closed in microseconds: the first win of each)."""
        _ = self.windows
        create_credits(self.w, self.tables)
        self.w.con.execute(
            "CREATE TEMP TABLE wins AS SELECT lead_id, min(closed) AS closed FROM credits WHERE is_win GROUP BY 1"
        )
        self.forget_credits()
        return self.w.count("SELECT count(*) FROM wins")

    def forget_credits(self) -> None:
        """Make room for `credits` to be created again."""
        self.w.con.execute("DROP TABLE IF EXISTS credits; DROP TABLE IF EXISTS roots")

    def read(self, name: str) -> Values:
        """A feature's column of the training set."""
        return values_of(self.training, name)

    def is_attribute(self, name: str) -> bool:
        """Whether a feature is a property that is believed on the playbook's word."""
        return name in self.catalog and isinstance(self.catalog[name], Attribute)

    def file(self, table: str) -> str:
        """SQL for a canonical table."""
        return f"read_parquet({text(self.tables.file(table))})"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What a query gives."""
        return self.w.con.execute(query).fetchall()


def groups(data: FeatureSet) -> Ints:
    """For each row of a set the number of its account, or of its lead."""
    import pyarrow as pa
    import pyarrow.compute as pc

    keys = data.arrow(["lead_id", "account_id"])
    named: list[Any] = []
    for mark, name in (("a", "account_id"), ("l", "lead_id")):
        column: Any = keys[name].cast(pa.string())
        named.append(pc.binary_join_element_wise(pa.scalar(mark), column, pa.scalar("")))  # pyright: ignore[reportCallIssue, reportArgumentType]
    whole: Any = pc.dictionary_encode(pc.coalesce(*named)).unify_dictionaries().combine_chunks()
    return np.asarray(whole.indices)


def microseconds(data: FeatureSet) -> Ints:
    """For each row of a set its as_of in microseconds."""
    import pyarrow as pa

    return data.arrow(["as_of"])["as_of"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()


def values_of(data: FeatureSet, name: str) -> Values:
    """A column of a set, as numbers or codes."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column: pa.ChunkedArray[Any] = data.arrow([name])[name]
    kind = column.type
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    if pa.types.is_boolean(kind) or pa.types.is_floating(kind) or pa.types.is_integer(kind):
        numbers = column.cast(pa.float32()).to_numpy(zero_copy_only=False)
        return Values(np.asarray(numbers, np.float32), np.empty(0, np.int64), 0)
    if not pa.types.is_dictionary(kind):
        column = pc.dictionary_encode(column.cast(pa.string()))
    whole: Any = column.unify_dictionaries().combine_chunks()
    names = tuple(str(v) for v in whole.dictionary.to_pylist())
    code = np.asarray(whole.indices.fill_null(len(names)), np.int64)
    return Values(None, code, len(names) + 1, names)


def quiet(code: Code, reason: str) -> Finding:
    """The finding of a check that had nothing to look at."""
    return Finding(code, "note", "not looked at", {}, f"not looked at: {reason}")
