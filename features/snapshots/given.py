"""Rows that a user names, instead of a grid."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pyarrow as pa

from touchline.features.sources import DataError
from touchline.features.tables.workspace import Workspace

if TYPE_CHECKING:
    import pandas as pd

_WHERE = "the given rows"


def given_rows(rows: pd.DataFrame | pa.Table) -> pa.Table:
    """Rows as a table of lead_id (text) and as_of (microseconds UTC, as whole numbers).

    Raises
    ------
    DataError
        If a column is missing, a time has no zone, or a value is missing.
    """
    names = list(rows.column_names if isinstance(rows, pa.Table) else rows.columns)
    for name in ("lead_id", "as_of"):
        if name not in names:
            raise DataError(_WHERE, f"have no column {name}", "give a table of lead_id and as_of")
    columns = {name: rows[name] if isinstance(rows, pa.Table) else _column(rows[name]) for name in ("lead_id", "as_of")}
    for name, column in columns.items():
        if column.null_count:
            raise DataError(_WHERE, f"have {column.null_count:,} rows without {name}", "fill or drop them")
    kind = columns["as_of"].type
    if not (pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is not None)):
        raise DataError(_WHERE, f"have as_of of type {kind}", "give instants with a zone, such as UTC, or dates")
    as_of = columns["as_of"].cast(pa.timestamp("us")).cast(pa.int64())
    return pa.table({"lead_id": columns["lead_id"].cast(pa.string()), "as_of": as_of})


def _column(values: pd.Series) -> pa.Array:  # type: ignore[type-arg]
    """A column of pandas; times with a zone go by UTC, for what their bare values are is about to change in pandas."""
    if getattr(values.dtype, "tz", None) is None:
        return pa.array(values.to_numpy(object), from_pandas=True)
    utc = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy()
    return pa.array(utc, from_pandas=True).cast(pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))


def digest_of(rows: pa.Table) -> str:
    """Identity of given rows, whatever their order."""
    from pandas.util import hash_pandas_object

    hashes = hash_pandas_object(rows.to_pandas(), index=False, categorize=True).to_numpy()
    return hashlib.sha256(f"{len(hashes)} {hashes.sum()} {(hashes**3).sum()}".encode()).hexdigest()


def draw_given(w: Workspace, rows: pa.Table) -> None:
    """Create `drawn` from `given_rows`.

    Raises
    ------
    DataError
        If a lead does not exist, or a row is there twice.
    """
    w.con.register("given_rows", rows)
    w.con.execute("CREATE OR REPLACE TEMP TABLE drawn AS FROM given_rows")
    w.con.unregister("given_rows")
    strangers = w.count("SELECT count(*) FROM drawn ANTI JOIN leads USING (lead_id)")
    if strangers:
        raise DataError(
            _WHERE, f"name leads that do not exist, in {strangers:,} rows", "check the data again, or drop them"
        )
    again = w.count("SELECT count(*) FROM (SELECT DISTINCT lead_id, as_of FROM drawn)")
    if again < rows.num_rows:
        raise DataError(_WHERE, f"hold {rows.num_rows - again:,} rows twice", "name each lead and as_of once")
