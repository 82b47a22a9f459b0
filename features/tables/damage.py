"""From an error of the SQL engine in the middle of a check to what a person can do about it."""

from __future__ import annotations

import errno

import duckdb

from touchline.features.sources import DataError, Stager

# These say that our own SQL is wrong: a bug, to be reported with its traceback.
_OUR_FAULT = (duckdb.BinderException, duckdb.CatalogException, duckdb.InternalException, duckdb.ParserException)


def explained(error: duckdb.Error, con: duckdb.DuckDBPyConnection, stager: Stager, memory: str) -> Exception:
    """The error to raise instead: memory too small, disk full, or a damaged file, found by reading each to its end."""
    if isinstance(error, _OUR_FAULT):
        return error
    if isinstance(error, duckdb.OutOfMemoryException):
        return DataError("check", f"{memory} of memory are not enough", "give the job more, as with `--memory 2GB`")
    if any(told in str(error) for told in ("No space left", "File too large", "quota exceeded")):
        return OSError(errno.ENOSPC, "the disk is full")
    for scan in stager.scans:
        try:
            con.execute(f"SELECT max(hash(COLUMNS(*))) FROM {scan.relation}").fetchall()
        except duckdb.Error:
            return DataError(scan.label, "the file is damaged inside", "transfer or write it again")
    return error
