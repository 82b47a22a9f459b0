"""Schemas: the columns of each table, and how they are stored."""

# pyarrow ships no types, and its stubs know little of its arrays:
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportUnknownParameterType=false, reportMissingTypeArgument=false

from collections.abc import Mapping
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq

TIME = pa.timestamp("us", tz="UTC")

SCHEMAS: Mapping[str, pa.Schema] = {
    "leads": pa.schema(
        [
            ("lead_id", pa.string()),
            ("created_at", TIME),
            ("account_id", pa.string()),
            ("owner_id", pa.string()),
            ("language", pa.string()),
            ("name", pa.string()),
            ("email_domain_kind", pa.string()),
            ("role", pa.string()),
            ("phone_filled", pa.bool_()),
        ]
    ),
    "accounts": pa.schema(
        [
            ("account_id", pa.string()),
            ("created_at", TIME),
            ("name", pa.string()),
            ("industry", pa.string()),
            ("size", pa.int32()),
            ("region", pa.string()),
        ]
    ),
    "touches": pa.schema(
        [
            ("touch_id", pa.string()),
            ("lead_id", pa.string()),
            ("occurred_at", TIME),
            ("known_at", TIME),
            ("kind", pa.string()),
            ("channel", pa.string()),
            ("campaign", pa.string()),
            ("asset", pa.string()),
            ("topic", pa.string()),
            ("direction", pa.string()),
        ]
    ),
    "deals": pa.schema(
        [
            ("deal_id", pa.string()),
            ("lead_id", pa.string()),
            ("account_id", pa.string()),
            ("opened_at", TIME),
            ("closed_at", TIME),
            ("outcome", pa.string()),
            ("amount", pa.float64()),
        ]
    ),
    "stages": pa.schema(
        [
            ("lead_id", pa.string()),
            ("stage", pa.string()),
            ("entered_at", TIME),
            ("known_at", TIME),
            ("reason", pa.string()),
        ]
    ),
    "changes": pa.schema(
        [("lead_id", pa.string()), ("field", pa.string()), ("value", pa.string()), ("known_at", TIME)]
    ),
    "assets": pa.schema(
        [
            ("asset", pa.string()),
            ("title", pa.string()),
            ("topic", pa.string()),
            ("language", pa.string()),
            ("address", pa.string()),
            ("shareable", pa.bool_()),
        ]
    ),
    "merges": pa.schema([("from_lead", pa.string()), ("into_lead", pa.string()), ("merged_at", TIME)]),
    "truth": pa.schema([("lead_id", pa.string()), ("as_of", TIME), ("probability", pa.float64()), ("won", pa.bool_())]),
}

_PLAIN = frozenset({"touch_id", "deal_id"})  # values that never repeat


class TableWriter:
    """Writes the tables of a simulation block by block, one row group each, under temporary names.

    Strings arrive dictionary-encoded and are stored so; the files read back as plain strings. `publish` gives them
    their names; leaving the context without it removes them.
    """

    def __init__(self, out: Path, schemas: Mapping[str, pa.Schema]) -> None:
        self.out = out
        self.rows = dict.fromkeys(schemas, 0)
        self._writers = {name: self._open(name, schema) for name, schema in schemas.items()}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for name, writer in self._writers.items():
            writer.close()
            self._partial(name).unlink(missing_ok=True)

    def write(self, tables: Mapping[str, pa.Table]) -> None:
        """Append one block's tables."""
        for name, table in tables.items():
            if table.num_rows:
                self._writers[name].write_table(table)
                self.rows[name] += table.num_rows

    def publish(self) -> None:
        """Close all files and move them to their names; a table of an earlier run that is not written now goes."""
        for writer in self._writers.values():
            writer.close()
        for name in SCHEMAS:
            if name in self._writers:
                self._partial(name).replace(self.out / f"{name}.parquet")
            else:
                (self.out / f"{name}.parquet").unlink(missing_ok=True)

    def _partial(self, name: str) -> Path:
        return self.out / f".{name}.parquet.partial"

    def _open(self, name: str, schema: pa.Schema) -> pq.ParquetWriter:
        times = [field.name for field in schema if pa.types.is_timestamp(field.type)]
        encodings = dict.fromkeys(times, "DELTA_BINARY_PACKED")
        encodings |= dict.fromkeys(_PLAIN & set(schema.names), "DELTA_BYTE_ARRAY")
        return pq.ParquetWriter(
            self._partial(name),
            stored(schema),
            compression="zstd",
            compression_level=1,
            use_dictionary=[item.name for item in schema if item.name not in encodings],  # pyright: ignore[reportArgumentType] # guessed from the default
            column_encoding=encodings,
            store_schema=False,
        )


def stored(schema: pa.Schema) -> pa.Schema:
    """Return `schema` with repeating strings as dictionaries, the form in which blocks hand them over."""
    return pa.schema(
        [
            field.with_type(pa.dictionary(pa.int32(), pa.string()))
            if pa.types.is_string(field.type) and field.name not in _PLAIN
            else field
            for field in schema
        ]
    )
