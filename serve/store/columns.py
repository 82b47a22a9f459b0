"""Between Arrow's columns and the database's rows, many at once: no row is handled by itself."""

from __future__ import annotations

import json
from io import BytesIO
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.csv
from sqlalchemy import Connection, Result, Table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.int64]


def keyed(table: pa.Table, batch: int, rows: Numbers, *, places: bool) -> pa.Table:
    """A table of a part as it is kept: its keys, then its own columns in plain types, by lead.

    Parameters
    ----------
    table
        As in `SHAPES`.
    batch
        The batch's number.
    rows
        For each row the number of its lead in the batch.
    places
        Whether a lead has several rows, which are numbered in the order given.
    """
    if np.any(np.diff(rows) < 0):
        order = np.argsort(rows, kind="stable")
        turn: Any = pa.array(order)
        table, rows = table.take(turn), rows[order]
    keys: dict[str, Any] = {
        "batch": pa.array(np.full(len(rows), batch, np.int32)),
        "row": pa.array(rows.astype(np.int32)),
    }
    if places:
        place = np.arange(len(rows)) - np.searchsorted(rows, rows, side="left")
        keys["place"] = pa.array(place.astype(np.int16))
    # Scores are kept with the lead they are of; all else finds it by its row.
    own = [name for name in table.column_names if name != "row" and not (places and name == "lead_id")]
    return pa.table({**keys, **{name: _plain(table[name]) for name in own}})


def _plain(column: Any) -> Any:
    """Times and days as whole numbers, lists as JSON."""
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.int64())
    if pa.types.is_date32(column.type):
        return column.cast(pa.int32())
    if pa.types.is_list(column.type):
        with duckdb.connect() as con:
            con.register("given", pa.table({"of": column}))
            return con.sql("SELECT to_json(of)::VARCHAR AS of FROM given").to_arrow_table()["of"]
    return column


def insert(con: Connection, into: Table, rows: pa.Table) -> None:
    """Write rows into a table, by the fastest way that the database has."""
    if not rows.num_rows:
        return
    names = ", ".join(f'"{name}"' for name in rows.column_names)
    driver: Any = con.connection.driver_connection
    if con.dialect.name == "sqlite":
        marks = ", ".join("?" * rows.num_columns)
        driver.executemany(f'INSERT INTO "{into.name}" ({names}) VALUES ({marks})', zip(*_lists(rows), strict=True))
        return
    text = BytesIO()
    # Missing values stand empty, and texts in quotes, so that an empty text is told from none.
    options = pyarrow.csv.WriteOptions(include_header=False, quoting_style="needed")
    pyarrow.csv.write_csv(rows, text, options)
    with driver.cursor() as cursor, cursor.copy(f'COPY "{into.name}" ({names}) FROM STDIN (FORMAT csv)') as copy:
        copy.write(text.getbuffer())


def _lists(rows: pa.Table) -> list[list[Any]]:
    return [
        column.to_pylist() if column.null_count or not _is_number(column.type) else column.to_numpy().tolist()
        for column in rows.columns
    ]


def _is_number(of: pa.DataType) -> bool:
    return pa.types.is_integer(of) or pa.types.is_floating(of)


def read(result: Result[*tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """The rows of a query whose columns are a schema's, in its types."""
    columns = list(zip(*result.fetchall(), strict=True)) or [()] * len(schema)
    return pa.table([_array(column, f.type) for column, f in zip(columns, schema, strict=True)], schema=schema)


def _array(column: tuple[Any, ...], of: pa.DataType) -> pa.Array[Any]:
    if pa.types.is_list(of):
        return pa.array([None if text is None else json.loads(text) for text in column], of)
    return pa.array(column, of)
