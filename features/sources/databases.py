"""Tables of databases: DuckDB and SQLite files, and servers that have an ADBC driver."""

from __future__ import annotations

import importlib
import os
import re
from pathlib import Path
from typing import Any

import duckdb

from touchline.features.sources.errors import DataError
from touchline.features.sources.sql import column, text

_DRIVERS = {
    "sqlite": "adbc_driver_sqlite",
    "postgresql": "adbc_driver_postgresql",
    "postgres": "adbc_driver_postgresql",
}


def stage_duckdb(con: duckdb.DuckDBPyConnection, path: Path, label: str, relation: str | None, target: Path) -> None:
    """Write a table or view of a DuckDB file to the Parquet file `target`.

    Raises
    ------
    DataError
        If the file cannot be opened or has no such table.
    """
    wanted = _relation(relation, label)
    try:
        con.execute(f"ATTACH {text(path)} AS staged_database (READ_ONLY)")
    except duckdb.Error:
        raise DataError(
            label, "the DuckDB file cannot be opened", "close the program that writes to it, or export it again"
        ) from None
    try:
        con.execute(f"COPY (FROM staged_database.{wanted}) TO {text(target)} (FORMAT parquet, COMPRESSION lz4)")
    except duckdb.CatalogException:
        raise DataError(label, f"has no table {relation}", "correct the source's `relation`") from None
    finally:
        con.execute("DETACH staged_database")


def stage_address(con: duckdb.DuckDBPyConnection, address: str, label: str, relation: str | None, target: Path) -> None:
    """Stream a table or view from a database server (or SQLite file) to the Parquet file `target`.

    Parameters
    ----------
    address
        `postgresql://…` or `sqlite:///path`; `${NAME}` stands for an environment variable.

    Raises
    ------
    DataError
        If the driver is not installed, the database cannot be reached, or it has no such table.
    """
    wanted = _relation(relation, label)
    connection = _connect(_with_environment(address, label), label)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT {_columns(cursor, address, wanted)} FROM {wanted}")
            con.register("staged_rows", cursor.fetch_record_batch())
            con.execute(f"COPY (FROM staged_rows) TO {text(target)} (FORMAT parquet, COMPRESSION lz4)")
            con.unregister("staged_rows")
    except Exception as error:  # noqa: BLE001  # every driver has its own family of errors
        raise DataError(
            label,
            f"table {relation} cannot be read ({type(error).__name__})",
            "correct `relation`, and check that this user may read it",
        ) from None


def _columns(cursor: Any, address: str, wanted: str) -> str:
    """The columns to select; as text from SQLite, whose columns have no types and whose driver guesses them."""
    if not address.startswith("sqlite"):
        return "*"
    cursor.execute(f"SELECT * FROM {wanted} LIMIT 0")
    names = [column(str(description[0])) for description in cursor.description]
    return ", ".join(f"coalesce(CAST({name} AS TEXT), '') AS {name}" for name in names)


def _relation(relation: str | None, label: str) -> str:
    if relation is None:
        raise DataError(label, "is a database, but no table is named", 'add `relation = "…"` to the source')
    return ".".join(column(part) for part in relation.split("."))


def _with_environment(address: str, label: str) -> str:
    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if found is None:
            raise DataError(label, f"the environment variable {match[1]} is not set", "set it before the job starts")
        return found

    return re.sub(r"\$\{(\w+)\}", value, address)


def _connect(address: str, label: str) -> Any:
    scheme = address.split("://", 1)[0]
    driver = _DRIVERS.get(scheme)
    if driver is None:
        raise DataError(
            label,
            f"there is no reader for {scheme} databases",
            f"use one of {', '.join(sorted(_DRIVERS))}, or export files",
        )
    try:
        dbapi = importlib.import_module(f"{driver}.dbapi")
    except ImportError:
        package = driver.replace("_", "-")
        raise DataError(label, f"the driver {package} is not installed", f"run `pip install {package}`") from None
    try:
        return dbapi.connect(address.removeprefix("sqlite:///") if scheme == "sqlite" else address)
    except Exception as error:  # noqa: BLE001  # see above; its text may hold the password
        raise DataError(
            label, f"cannot be reached ({type(error).__name__})", "check the address and that the server runs"
        ) from None
