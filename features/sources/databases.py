"""Tables of databases: DuckDB and SQLite files, and PostgreSQL through its ADBC driver."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import duckdb

from touchline.features.sources.errors import DataError
from touchline.features.sources.sql import column, text

_COPY = "(FORMAT parquet, COMPRESSION lz4, PRESERVE_ORDER true)"
_SERVERS = {"postgresql": "adbc_driver_postgresql", "postgres": "adbc_driver_postgresql"}


def tables_of(con: duckdb.DuckDBPyConnection, path: Path, kind: Literal["duckdb", "sqlite"]) -> dict[str, str]:
    """Tables and views of a database file: name in lower case -> name as one must write it.

    Raises
    ------
    DataError
        If the file cannot be opened.
    """
    if kind == "duckdb":
        with _attached(con, path, path.name) as database:
            found = con.execute(
                "SELECT table_schema, table_name FROM information_schema.tables "
                f"WHERE table_catalog = {text(database)} ORDER BY table_schema <> 'main', 1, 2"
            ).fetchall()
        names = [name if schema == "main" else f"{schema}.{name}" for schema, name in found]
    else:
        with _sqlite(path, path.name) as cursor:
            cursor.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name")
            names = [str(row[0]) for row in cursor.fetchall()]
    return {name.rsplit(".", 1)[-1].lower(): name for name in reversed(names)}


def stage_duckdb(con: duckdb.DuckDBPyConnection, path: Path, label: str, relation: str | None, target: Path) -> None:
    """Write a table or view of a DuckDB file to the Parquet file `target`.

    Raises
    ------
    DataError
        If the file cannot be opened or has no such table.
    """
    wanted = _relation(relation, label)
    with _attached(con, path, label) as database:
        try:
            con.execute(f"COPY (FROM {database}.{wanted}) TO {text(target)} {_COPY}")
        except duckdb.CatalogException:
            raise DataError(label, f"has no table {relation}", "correct the source's `relation`") from None
        except (duckdb.BinderException, duckdb.IOException):
            raise DataError(
                label, f"the view {relation} cannot be read: what it looks at is gone", "mend the view"
            ) from None


def stage_sqlite(con: duckdb.DuckDBPyConnection, path: Path, label: str, relation: str | None, target: Path) -> None:
    """Write a table or view of a SQLite file to the Parquet file `target`, all columns as text.

    SQLite's columns have no types and its driver guesses them from the first rows; ours are declared.

    Raises
    ------
    DataError
        If the driver is not installed, or the file has no such table.
    """
    wanted = _relation(relation, label)
    with _sqlite(path, label) as cursor, _told(label, relation):
        cursor.execute(f"SELECT * FROM {wanted} LIMIT 0")
        names = [column(str(description[0])) for description in cursor.description]
        columns = ", ".join(f"coalesce(CAST({name} AS TEXT), '') AS {name}" for name in names)
        cursor.execute(f"SELECT {columns} FROM {wanted}")
        _copy(con, cursor, target)


def stage_server(con: duckdb.DuckDBPyConnection, address: str, label: str, relation: str | None, target: Path) -> None:
    """Stream a table or view from a database server to the Parquet file `target`.

    Parameters
    ----------
    address
        `postgresql://…`; `${NAME}` stands for an environment variable.

    Raises
    ------
    DataError
        If the driver is not installed, the server cannot be reached, or it has no such table.
    """
    wanted = _relation(relation, label)
    scheme = address.split("://", 1)[0]
    if scheme not in _SERVERS:
        raise DataError(label, f"there is no reader for {scheme} databases", "use postgresql://, or export files")
    with _connected(_SERVERS[scheme], _with_environment(address, label), label) as cursor, _told(label, relation):
        cursor.execute(f"SELECT * FROM {wanted}")
        _copy(con, cursor, target)


def _copy(con: duckdb.DuckDBPyConnection, cursor: Any, target: Path) -> None:
    con.register("staged_rows", cursor.fetch_record_batch())
    con.execute(f"COPY (FROM staged_rows) TO {text(target)} {_COPY}")
    con.unregister("staged_rows")


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


@contextmanager
def _attached(con: duckdb.DuckDBPyConnection, path: Path, label: str) -> Generator[str]:
    try:
        con.execute(f"ATTACH {text(path)} AS staged_database (READ_ONLY)")
    except duckdb.Error:
        raise DataError(
            label, "the DuckDB file cannot be opened", "close the program that writes to it, or export it again"
        ) from None
    try:
        yield "staged_database"
    finally:
        con.execute("DETACH staged_database")


def _sqlite(path: Path, label: str) -> Any:
    return _connected("adbc_driver_sqlite", str(path), label)


@contextmanager
def _connected(driver: str, address: str, label: str) -> Generator[Any]:
    try:
        dbapi = importlib.import_module(f"{driver}.dbapi")
    except ImportError:
        package = driver.replace("_", "-")
        raise DataError(label, f"the driver {package} is not installed", f"run `pip install {package}`") from None
    try:
        connection = dbapi.connect(address)
    except Exception as error:  # noqa: BLE001  # every driver has its own errors, whose text may hold the password
        raise DataError(
            label, f"cannot be reached ({type(error).__name__})", "check the address and that the server runs"
        ) from None
    with connection, connection.cursor() as cursor:
        yield cursor


@contextmanager
def _told(label: str, relation: str | None) -> Generator[None]:
    """Turn a driver's error into ours; its text may hold data."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  # every driver has its own family of errors
        raise DataError(
            label,
            f"table {relation} cannot be read ({type(error).__name__})",
            "correct `relation`, and check that this user may read it and that its text is UTF-8",
        ) from None
