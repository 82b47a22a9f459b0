"""`touchline doctor`: is everything here, does it work, and if not, what to do."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import metadata, util
from typing import Any

import touchline

NEEDED = ("duckdb", "lightgbm", "mlflow", "numba", "numpy", "pandas", "pyarrow", "pydantic", "scikit-learn", "shap")
OPTIONAL = {"adbc-driver-sqlite": "SQLite files", "adbc-driver-postgresql": "PostgreSQL"}
_ROOM = 5 << 30


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    what: str
    found: str
    fix: str = ""

    def __str__(self) -> str:
        mark = "ok  " if self.ok else "BAD "
        return f"{mark} {self.what}: {self.found}" + ("" if self.ok else f". To mend it, {self.fix}.")

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return asdict(self)


def examine() -> list[Finding]:
    """Look at the interpreter, the packages, the SQL engine, memory, cores and disk."""
    return [
        _python(),
        *map(_package, NEEDED),
        *(_optional(n, use) for n, use in OPTIONAL.items()),
        *_works(),
        _disk(),
    ]


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        sys.version_info >= (3, 11), f"Python (Touchline {touchline.__version__})", version, "use 3.11 or later"
    )


def _package(name: str) -> Finding:
    try:
        return Finding(True, name, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Finding(False, name, "not installed", f"run `pip install {name}`")


def _optional(name: str, use: str) -> Finding:
    present = util.find_spec(name.replace("-", "_")) is not None
    return Finding(True, name, metadata.version(name) if present else f"not installed (only needed for {use})")


def _works() -> list[Finding]:
    return [
        _try("time zones in SQL", _time_zones, "install duckdb from a wheel that holds its icu extension"),
        _try("Parquet in the temporary folder", _parquet, "set TMPDIR to a folder that can be written"),
    ]


def _try(what: str, probe: Callable[[], str], fix: str) -> Finding:
    try:
        return Finding(True, what, probe())
    except Exception as error:  # noqa: BLE001  # whatever is broken is a finding, not a crash
        return Finding(False, what, type(error).__name__, fix)


def _time_zones() -> str:
    import duckdb

    con = duckdb.connect()
    row = con.execute("SELECT epoch(timezone('Europe/Paris', TIMESTAMP '2024-07-01 12:00:00'))").fetchone()
    con.close()
    if row is None or row[0] != 1719828000:
        raise RuntimeError("wrong time")
    return "work"


def _parquet() -> str:
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        con = duckdb.connect()
        con.execute(f"COPY (SELECT 1 AS a) TO '{folder}/a.parquet' (FORMAT parquet)")
        con.close()
    return "can be written"


def _disk() -> Finding:
    free = shutil.disk_usage(tempfile.gettempdir()).free
    found = f"{free / 1e9:.0f} GB free in the temporary folder, {os.cpu_count()} cores"
    return Finding(free > _ROOM, "machine", found, "make room: large inputs spill to disk")
