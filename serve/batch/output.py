"""A batch as files: a Parquet dataset with one row a lead, and a flat CSV that any program opens."""

from __future__ import annotations

import csv
import json
import os
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from touchline.features.catalog import Catalog
from touchline.features.sources import DataError
from touchline.features.tables.publish import MANIFEST, publish
from touchline.models.reasons import Grouping
from touchline.models.reasons.texts import sentences
from touchline.playbook.language import Language
from touchline.serve.store import Lineage
from touchline.serve.store.shapes import Part

FORMAT = 1
"""Of the files."""
LEADS = "leads"
"""The dataset's folder: alone in it, so that every reader of Parquet takes it as one table."""
CSV = "leads.csv"
_REASONS = 3
"""Columns of reasons in the CSV."""


class Output:
    """The files of one batch, in the making; `finish` puts them in place as a whole, the manifest last.

    Parameters
    ----------
    out
        Where they will be.
    scratch
        A folder on the same disk, to write them in.
    lineage
        What the batch is made from; it stands on every row.
    grouping, catalog
        What reasons are about.
    language
        Of the sentences in the CSV.
    """

    def __init__(
        self, out: Path, scratch: Path, lineage: Lineage, grouping: Grouping, catalog: Catalog, language: str
    ) -> None:
        (scratch / LEADS).mkdir(parents=True)
        self._out, self._folder, self._lineage = out, scratch, lineage
        self._grouping, self._catalog, self._language = grouping, catalog, Language.of(language)
        zone = ZoneInfo(catalog.playbook.time_zone) if catalog.playbook.time_zone else UTC
        self._today = lineage.as_of.astimezone(zone).date()
        self._parts = 0
        self._rows = 0
        self._csv = (scratch / CSV).open("w", encoding="utf-8-sig", newline="")  # so that Excel reads accents
        self._writer = csv.writer(self._csv)
        self._writer.writerow([*_FLAT, *(f"reason_{i + 1}" for i in range(_REASONS))])

    def add(self, part: Part) -> None:
        """Write the leads of a part."""
        table = _nested(part, self._grouping)
        table = pa.table({**{n: table[n] for n in table.column_names}, **_constant(self._lineage, len(part))})
        with (self._folder / LEADS / f"part-{self._parts:05}.parquet").open("wb") as file:
            parquet.write_table(table, file, compression="zstd")
            file.flush()
            os.fsync(file.fileno())
        self._write_flat(part)
        self._parts += 1
        self._rows += len(part)

    def _write_flat(self, part: Part) -> None:
        table = part.reasons.to_pandas(date_as_object=False)
        favourable = table[table["points"] > 0].copy()
        for name in ("count", "against"):
            favourable[name] = favourable[name].fillna(-1)
        favourable["said"] = sentences(favourable, self._grouping, self._catalog, self._language, self._today)
        place = favourable.groupby("row").cumcount()
        wide = favourable.assign(place=place).set_index(["row", "place"])["said"].unstack()  # noqa: PD010  # no means
        wide = wide.reindex(index=range(len(part)), columns=range(_REASONS))
        scores = part.scores.select(_FLAT).to_pandas()
        scores["score"] = scores["score"].round().astype(int)
        scores["probability"] = scores["probability"].round(6)
        both = pd.concat([scores, wide], axis=1)
        self._writer.writerows(both.astype(object).where(both.notna(), "").to_numpy().tolist())

    def finish(self) -> None:
        """Put the files in place."""
        self._csv.close()
        lineage = {**self._lineage.values()}
        lineage.pop("meta")
        as_of, scored_at = (t.isoformat() for t in (self._lineage.as_of, self._lineage.scored_at))
        manifest = {
            "touchline": self._lineage.code_version,
            "format": FORMAT,
            "kind": "batch",
            "rows": self._rows,
            "parts": [f"{LEADS}/part-{i:05}.parquet" for i in range(self._parts)],
            **lineage,
            "as_of": as_of,
            "scored_at": scored_at,
        }
        publish(self._folder, self._out, manifest)


_FLAT = [
    "lead_id", "account_id", "owner_id", "rank", "score", "tier", "grade", "stars", "flames", "trend", "change",
    "probability",
]  # fmt: skip


def _nested(part: Part, grouping: Grouping) -> pa.Table:
    """Scores with lists of reasons and touches; places in the grouping become names."""
    families = pa.array(grouping.families)
    about = pa.array([" ".join(filter(None, (s.scope, s.about, s.of))) for s in grouping.subjects])
    reasons, touches = part.reasons, part.touches
    reasons = reasons.set_column(1, "family", families.take(reasons["family"].combine_chunks()))
    reasons = reasons.set_column(2, "subject", about.take(reasons["subject"].combine_chunks()))
    touches = touches.set_column(1, "family", families.take(touches["family"].combine_chunks()))
    columns = {name: part.scores[name] for name in part.scores.column_names}
    return pa.table({**columns, "reasons": _lists(reasons, len(part)), "touches": _lists(touches, len(part))})


def _lists(table: pa.Table, size: int) -> pa.ListArray:
    """For each lead the list of its rows."""
    rows = table["row"].to_numpy()
    own = table.drop_columns("row").to_struct_array().combine_chunks()
    offsets = np.searchsorted(rows, np.arange(size + 1)).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), own)


def _constant(lineage: Lineage, size: int) -> dict[str, pa.Array]:
    """What all rows were made from, a column each; a dictionary of one value costs next to nothing."""
    values = {**lineage.values(), "as_of": lineage.as_of, "scored_at": lineage.scored_at}
    values.pop("meta")
    return {name: _repeated(value, size) for name, value in values.items()}


def _repeated(value: Any, size: int) -> pa.Array:
    kind = pa.timestamp("us", "UTC") if not isinstance(value, str) else pa.string()
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(size, np.int32)), pa.array([value], kind))


def refuse_other(out: Path) -> None:
    """Refuse a folder that holds anything but an earlier batch.

    Raises
    ------
    DataError
        If it does, or is a file.
    """
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    try:
        kind = json.loads((out / MANIFEST).read_text(encoding="utf-8"))["kind"]
    except (OSError, ValueError, KeyError, TypeError):
        kind = ""
    if kind != "batch":
        raise DataError(str(out), "holds something else", "name an empty or a new folder for the batch")
