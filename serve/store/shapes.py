"""What a batch is made of: one shape of each kind of rows, the same on the way in and on the way out.

Scores hold one row per lead. Rows of the other tables name their lead by `row`, its place among the scores of the same
part (from 0), or by `lead_id`, as the room that makes them does; those of one lead stand in the order they are shown.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from touchline.serve.insight import MOMENTS_SCHEMA, PRESSURE_SCHEMA, SHARE_SCHEMA, TOLD_SCHEMA
from touchline.serve.store.errors import StoreError

if TYPE_CHECKING:
    import pandas as pd


def _required(name: str, of: pa.DataType) -> pa.Field[Any]:
    return pa.field(name, of, nullable=False)


SCORES = pa.schema(
    [
        _required("lead_id", pa.string()),
        pa.field("account_id", pa.string()),
        pa.field("owner_id", pa.string()),
        _required("rank", pa.int32()),  # by chance, 1 is the likeliest of the batch
        _required("log_odds", pa.float64()),
        _required("probability", pa.float64()),
        _required("low", pa.float64()),
        _required("high", pa.float64()),
        _required("score", pa.float64()),  # 1 to 99, not rounded
        _required("tier", pa.string()),
        _required("grade", pa.string()),
        _required("stars", pa.int8()),  # among the leads of the batch
        _required("stars_frozen", pa.int8()),  # among the population of the first model
        _required("flames", pa.int8()),
        _required("trend", pa.string()),
        pa.field("change", pa.float64()),  # points since the earlier date; missing if there was no score then
        _required("rest", pa.float64()),  # points that no reason stands for
        pa.field("stage", pa.string()),
        pa.field("language", pa.string()),
    ]
)
"""Columns of scores: one row per lead."""
REASONS = pa.schema(
    [
        _required("row", pa.int32()),
        _required("family", pa.int16()),  # places in the grouping that `meta` of the batch spells out
        _required("subject", pa.int16()),
        _required("points", pa.float64()),
        pa.field("count", pa.int32()),
        pa.field("against", pa.int32()),
        pa.field("last", pa.date32()),
        pa.field("value", pa.string()),
    ]
)
"""Columns of reasons, with their facts."""
TOUCHES = pa.schema(
    [
        _required("row", pa.int32()),
        pa.field("family", pa.int16()),
        _required("touch_id", pa.string()),
        _required("kind", pa.string()),
        pa.field("asset", pa.string()),  # or else its campaign
        _required("day", pa.date32()),
        _required("points", pa.float64()),
    ]
)
"""Columns of the touches that reasons stand on; those without a family count most of all, whatever the reason."""
CHANGES = pa.schema(
    [
        _required("row", pa.int32()),
        _required("step", pa.int8()),  # place in `touchline.models.reasons.STEPS`
        pa.field("subject", pa.int16()),  # missing: what the step did to every lead alike
        _required("points", pa.float64()),
    ]
)
"""Columns of what changed since an earlier date."""
SHAPES: dict[str, pa.Schema] = {
    "scores": SCORES,
    "reasons": REASONS,
    "touches": TOUCHES,
    "changes": CHANGES,
    "moments": MOMENTS_SCHEMA,
    "told": TOLD_SCHEMA,
    "share": SHARE_SCHEMA,
    "pressure": PRESSURE_SCHEMA,
}
"""All tables of a part, by name."""


@dataclass(frozen=True)
class Part:
    """Some leads of a batch with all that is known of them, as Arrow tables of `SHAPES`.

    Frames of pandas are taken as well; further columns are left out, and types are converted where nothing is lost.

    Raises
    ------
    StoreError
        If a table lacks a column or a value, has one of another type or a number that is not finite, or speaks of leads
        that the scores do not have.
    """

    scores: pa.Table
    reasons: pa.Table = field(default_factory=REASONS.empty_table)
    touches: pa.Table = field(default_factory=TOUCHES.empty_table)
    changes: pa.Table = field(default_factory=CHANGES.empty_table)
    moments: pa.Table = field(default_factory=MOMENTS_SCHEMA.empty_table)
    told: pa.Table = field(default_factory=TOLD_SCHEMA.empty_table)
    share: pa.Table = field(default_factory=SHARE_SCHEMA.empty_table)
    pressure: pa.Table = field(default_factory=PRESSURE_SCHEMA.empty_table)

    def __post_init__(self) -> None:
        for name, schema in SHAPES.items():
            object.__setattr__(self, name, _shaped(name, getattr(self, name), schema))
        for name in self.names():
            rows = self.rows(name)
            places = rows.drop_null().to_numpy()
            strangers = rows.null_count + int(np.count_nonzero((places < 0) | (places >= len(self))))
            if strangers:
                raise StoreError(
                    f"{strangers:,} rows of {name} speak of leads that are not among the scores of the same part; "
                    "give each part all that belongs to its leads, and nothing else"
                )

    @classmethod
    def names(cls) -> list[str]:
        """The tables besides the scores."""
        return [f.name for f in fields(cls) if f.name != "scores"]

    def rows(self, name: str) -> pa.Array[Any]:
        """For each row of a table the place of its lead among the scores."""
        table: pa.Table = getattr(self, name)
        if "row" in table.column_names:
            return table["row"].combine_chunks()
        places: Any = pc.index_in(table["lead_id"], self.scores["lead_id"])
        return places.combine_chunks()

    def without(self, gone: Any) -> Self:
        """The same without some leads, given as an Arrow column of one boolean per score."""
        kept = pc.invert(gone)
        place = pc.cast(pc.subtract(pc.cumulative_sum(pc.cast(kept, pa.int32())), 1), pa.int32())
        tables: dict[str, pa.Table] = {"scores": self.scores.filter(kept)}
        for name in self.names():
            rows = self.rows(name)
            mine = pc.take(kept, rows)
            table: pa.Table = getattr(self, name).filter(mine)
            if "row" in table.column_names:
                moved = pc.take(place, rows.filter(mine))
                table = table.set_column(table.column_names.index("row"), "row", moved)
            tables[name] = table
        return type(self)(**tables)

    def __len__(self) -> int:
        return self.scores.num_rows


def _shaped(name: str, given: pa.Table | pd.DataFrame, schema: pa.Schema) -> pa.Table:
    """A table in its shape; messages name columns and never values."""
    try:
        table = given if isinstance(given, pa.Table) else pa.Table.from_pandas(given, preserve_index=False)
        missing = [column for column in schema.names if column not in table.column_names]
        if missing:
            raise StoreError(f"{name} lack {', '.join(missing)}; give the columns {', '.join(schema.names)}")
        table = pa.table([_cast(table[f.name], f, name) for f in schema], schema=schema)
    except pa.ArrowException:
        raise StoreError(f"{name} are no table of columns; give an Arrow table or a frame of pandas") from None
    for of in schema:
        column = table[of.name]
        if not of.nullable and column.null_count:
            raise StoreError(f"{name} lack {of.name} in {column.null_count:,} rows; every row needs one")
        if pa.types.is_floating(of.type) and pc.any(pc.invert(pc.is_finite(column))).as_py():
            raise StoreError(f"{name} have numbers in {of.name} that are not finite; leave those leads out")
        if pa.types.is_string(of.type) and pc.any(pc.match_substring(column, "\0")).as_py():
            raise StoreError(f"{name} have a NUL character in {of.name}, which no database keeps; take it out")
    return table


def _cast(column: pa.ChunkedArray[Any], to: pa.Field[Any], name: str) -> Any:
    try:
        return column.cast(to.type)
    except pa.ArrowException:
        raise StoreError(f"{name} have a {to.name} of type {column.type} that is no {to.type}; convert it") from None
