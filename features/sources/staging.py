"""One form for every source: Parquet that can be scanned again and again, with its unreadable lines counted."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import duckdb

from touchline.features.sources.databases import stage_address, stage_duckdb
from touchline.features.sources.delimited import Unreadable, stage_csv
from touchline.features.sources.errors import DataError
from touchline.features.sources.formats import DATA_SUFFIXES, find_files, tell_format
from touchline.features.sources.sql import text
from touchline.playbook import Playbook
from touchline.playbook.contracts import INPUTS
from touchline.playbook.data import Source


@dataclass(frozen=True)
class Scan:
    """A path of the playbook, ready to be scanned."""

    label: str
    """What people call it: the path in the playbook."""
    files: tuple[Path, ...]
    """Parquet files, the user's own or staged ones."""
    columns: dict[str, str]
    """Column name -> DuckDB type."""
    rows: int
    """Rows that can be read."""
    unreadable: tuple[Unreadable, ...]
    """Lines of CSV files that are no rows."""

    @property
    def relation(self) -> str:
        """SQL for `FROM`; `file_row_number` and `filename` identify a row."""
        files = ", ".join(text(file) for file in self.files)
        return (
            f"read_parquet([{files}], file_row_number=true, filename=true, union_by_name=true, hive_partitioning=false)"
        )

    @property
    def lines_unreadable(self) -> int:
        """Number of lines that are no rows."""
        return sum(item.lines for item in self.unreadable)


def resolve_sources(playbook: Playbook, data: Path) -> list[Source]:
    """The playbook's sources; without any, those that lie in `data` under the tables' own names.

    `data` is a folder, or a DuckDB or SQLite file whose tables bear our names.

    Raises
    ------
    DataError
        If there is nothing to read.
    """
    if playbook.sources:
        return list(playbook.sources)
    if data.is_file():
        return _tables_of_database(data)
    found = [
        Source(table=name, path=entry.name)  # pyright: ignore[reportArgumentType] # a name of INPUTS
        for name in INPUTS
        for entry in _entries_named(data, name)
    ]
    if not found:
        raise DataError(
            str(data),
            "the folder holds no table such as leads.parquet or touches.csv, and the playbook has no `[[sources]]`",
            "name the files after our tables, or add `[[sources]]` to the playbook",
        )
    return found


def _entries_named(data: Path, table: str) -> list[Path]:
    names = [table, *(f"{table}{suffix}" for suffix in DATA_SUFFIXES)]
    found = [data / name for name in names if (data / name).exists()]
    if len(found) > 1:
        raise DataError(
            str(data),
            f"the table {table} is there more than once ({', '.join(f.name for f in found)})",
            "keep one of them, or say in `[[sources]]` which to read",
        )
    return found


def _tables_of_database(data: Path) -> list[Source]:
    kind = tell_format(data, data.name)
    if kind not in ("duckdb", "sqlite"):
        raise DataError(data.name, "is neither a folder nor a database", "give the folder that holds the file")
    con = duckdb.connect()
    try:
        present = _names_in_database(con, data, kind)
    finally:
        con.close()
    found = [
        Source(table=name, path=data.name, relation=name)  # pyright: ignore[reportArgumentType] # a name of INPUTS
        for name in INPUTS
        if name in present
    ]
    if not found:
        raise DataError(data.name, "the database has none of our tables", "add `[[sources]]` to the playbook")
    return found


def _names_in_database(con: duckdb.DuckDBPyConnection, data: Path, kind: str) -> set[str]:
    if kind == "duckdb":
        con.execute(f"ATTACH {text(data)} AS found (READ_ONLY)")
        rows = con.execute("SELECT table_name FROM information_schema.tables WHERE table_catalog = 'found'").fetchall()
        return {str(row[0]) for row in rows}
    with tempfile.TemporaryDirectory() as scratch:
        listing = Path(scratch) / "tables.parquet"
        stage_address(con, f"sqlite:///{data}", data.name, "sqlite_master", listing)
        rows = con.execute(f"SELECT name FROM read_parquet({text(listing)})").fetchall()
    return {str(row[0]) for row in rows}


class Stager:
    """Turns sources into scans; a path that several sources read is read once."""

    def __init__(self, con: duckdb.DuckDBPyConnection, data: Path, scratch: Path) -> None:
        self._con = con
        self._root = data if data.is_dir() else data.parent
        self._scratch = scratch
        self._scans: dict[tuple[str, str | None, str, str | None], Scan] = {}

    def scan(self, source: Source) -> Scan:
        """The scan of a source's path.

        Raises
        ------
        DataError
            If the path does not exist or cannot be read.
        """
        key = (source.path, source.relation, source.encoding, source.delimiter)
        if key not in self._scans:
            self._scans[key] = self._stage(source)
        return self._scans[key]

    @property
    def scans(self) -> list[Scan]:
        """All scans made so far."""
        return list(self._scans.values())

    def _stage(self, source: Source) -> Scan:
        label = source.path if source.relation is None else f"{source.path} ({source.relation})"
        files: list[Path] = []
        unreadable: list[Unreadable] = []
        if "://" in source.path:
            label = source.path.split("://", 1)[0] + f" database ({source.relation})"
            files.append(self._target())
            stage_address(self._con, source.path, label, source.relation, files[0])
        else:
            for file in find_files(self._root, source.path):
                staged, bad = self._stage_file(file, source, label)
                files.append(staged)
                unreadable += bad
        return self._describe(label, tuple(files), tuple(unreadable))

    def _stage_file(self, file: Path, source: Source, label: str) -> tuple[Path, list[Unreadable]]:
        kind = tell_format(file, label)
        if kind == "parquet":
            return file, []
        target = self._target()
        if kind == "duckdb":
            stage_duckdb(self._con, file, label, source.relation, target)
        elif kind == "sqlite":
            stage_address(self._con, f"sqlite:///{file}", label, source.relation, target)
        else:
            unreadable = stage_csv(
                self._con,
                file,
                label,
                encoding=source.encoding,
                delimiter=source.delimiter,
                scratch=self._scratch,
                target=target,
            )
            return target, unreadable
        return target, []

    def _target(self) -> Path:
        return self._scratch / f"staged-{len(list(self._scratch.glob('staged-*')))}.parquet"

    def _describe(self, label: str, files: tuple[Path, ...], unreadable: tuple[Unreadable, ...]) -> Scan:
        scan = Scan(label, files, {}, 0, unreadable)
        try:
            described = self._con.execute(f"DESCRIBE SELECT * FROM {scan.relation}").fetchall()
            ((rows,),) = self._con.execute(f"SELECT count(*) FROM {scan.relation}").fetchall()
        except duckdb.Error:
            raise DataError(label, "the Parquet file is cut off or damaged", "transfer or write it again") from None
        columns = {name: kind for name, kind, *_ in described if name not in ("file_row_number", "filename")}
        return Scan(label, files, columns, int(rows), unreadable)
