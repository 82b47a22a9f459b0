"""Scoring every open lead: sets on disk, then part after part explained and traced, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
from pyarrow import parquet

from touchline.features import FeatureSet, build_scoring_set
from touchline.features.catalog import Catalog
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Progress
from touchline.features.trace import Apportioned, Trace
from touchline.models.reasons.tracing import catalog_of, traceable
from touchline.playbook import Playbook
from touchline.serve.batch.explaining import FORTNIGHT, WEEK, Explained, Explaining, Frames

if TYPE_CHECKING:
    from touchline.models.registry import LoadedModel

_ROWS = 50_000
"""Explained at once."""
_TOUCHES = 3
"""Kept of each reason, and twice as many over all of them."""


class Earlier(NamedTuple):
    """The scoring that changes are told against: when it was, and by which model."""

    as_of: datetime
    model: LoadedModel


class Part(NamedTuple):
    """Some leads of a batch: explained, the touches they stand on by family, and those that count most of all."""

    explained: Explained
    by_family: Apportioned
    overall: Apportioned


@dataclass(frozen=True)
class Scoring:
    """A batch to be scored.

    Attributes
    ----------
    tables, playbook, catalog
        What is known, what was agreed on, and the features that the model was trained with.
    model
        The champion, resolved once.
    as_of
        As of when.
    earlier
        What changes are told against; None if nothing was scored before.
    memory
        What building features may use.
    """

    tables: Tables
    playbook: Playbook
    catalog: Catalog
    model: LoadedModel
    as_of: datetime
    earlier: Earlier | None = None
    memory: str = "2GB"

    @cached_property
    def explaining(self) -> Explaining:
        """The models, made ready."""
        before = None
        if self.earlier is not None and self.earlier.model.digest != self.model.digest:
            before = self.earlier.model.model
        return Explaining(self.playbook, self.catalog, self.model.model, self.model.scale, before=before)

    def run(self, scratch: Path, progress: Progress = lambda step: None) -> Iterator[Part]:
        """Score and explain all open leads, in order of account and lead.

        Raises
        ------
        DataError
            If there is no lead to score.
        """
        explaining = self.explaining
        sets = self._build(explaining.catalog, scratch, progress)
        keys = sets["now"].arrow(["lead_id", "as_of"])
        progress("explaining")
        start = 0
        catalog = catalog_of(self.catalog, explaining.grouping.names)
        with Trace(self.tables, self.playbook, catalog, keys) as trace:
            for frames in _frames(sets):
                explained = explaining.explain(frames)
                amounts = traceable(explained.contributions, self.catalog)
                groups = explained.reasons.grouping.family_of_feature
                touched = trace.apportion(amounts, start=start, groups=groups)
                whole = touched.together()
                overall = whole.where(whole.amount > 0).top(2 * _TOUCHES)
                yield Part(explained, touched.top(_TOUCHES), overall)
                start += len(explained)
                progress(f"explained {start:,} of {len(keys):,} leads")

    def _build(self, catalog: Catalog, scratch: Path, progress: Progress) -> dict[str, FeatureSet]:
        """The sets that `Frames` names, of the same leads."""

        def build(name: str, at: datetime, leads: list[str] | None, known_before: datetime | None = None) -> FeatureSet:
            progress(f"computing features ({name.replace('_', ' ')})")
            return build_scoring_set(
                self.tables, self.playbook, at, catalog=catalog, leads=leads, known_before=known_before,
                out=scratch / name, memory=self.memory,
            )  # fmt: skip

        sets = {"now": build("now", self.as_of, None)}
        leads: list[str] = sets["now"].arrow(["lead_id"])["lead_id"].to_pylist()
        for name, days in (("without_week", WEEK), ("without_fortnight", FORTNIGHT)):
            sets[name] = build(name, self.as_of, leads, self.as_of - timedelta(days=days))
        if self.earlier is not None:
            sets["then"] = build("then", self.earlier.as_of, leads)
            sets["aged"] = build("aged", self.as_of, leads, self.earlier.as_of)
        return sets


def _frames(sets: dict[str, FeatureSet]) -> Iterator[Frames]:
    """The same leads of every set, some at a time."""
    streams = {name: _slices(one) for name, one in sets.items()}
    for now in streams.pop("now"):
        others = {name: next(stream) for name, stream in streams.items()}
        for name, one in others.items():
            if not one["lead_id"].equals(now["lead_id"]):
                raise RuntimeError(f"the set {name!r} has other leads")
        yield Frames(now.to_pandas(), **{name: one.to_pandas() for name, one in others.items()})


def _slices(one: FeatureSet) -> Iterator[pa.Table]:
    """Tables of so many rows, whatever the parts on disk."""
    assert one.folder is not None
    held: list[pa.Table] = []
    for name in one.manifest["parts"]:
        for group in parquet.ParquetFile(one.folder / name).iter_batches(_ROWS):
            held.append(pa.Table.from_batches([group]))
            if sum(len(table) for table in held) >= _ROWS:
                whole = pa.concat_tables(held).unify_dictionaries()
                yield whole.slice(0, _ROWS)
                held = [whole.slice(_ROWS)]
    if held and (rest := pa.concat_tables(held).unify_dictionaries()):
        yield rest
