"""One form for every source: Parquet that can be scanned again and again, with its unreadable lines counted."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb

from touchline.features.sources.databases import stage_duckdb, stage_server, stage_sqlite, tables_of
from touchline.features.sources.delimited import StagedCsv, Unreadable, stage_csv
from touchline.features.sources.errors import DataError
from touchline.features.sources.formats import DATA_SUFFIXES, find_files, tell_format
from touchline.features.sources.sql import FILE, text
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
    names: tuple[str, ...]
    """What people call each of the files."""
    columns: dict[str, str]
    """Column name -> DuckDB type."""
    rows: int
    """Rows that can be read."""
    unreadable: tuple[Unreadable, ...] = ()
    """Lines of CSV files that are no rows."""
    long_quotes: int = 0
    """Values of CSV files that look as if they had swallowed rows."""

    @property
    def is_text(self) -> bool:
        """Whether all columns are text, as they are from CSV and SQLite."""
        return set(self.columns.values()) <= {"VARCHAR"}

    @property
    def kinds(self) -> dict[str, str]:
        """Column name in lower case -> DuckDB type."""
        return {name.lower(): kind for name, kind in self.columns.items()}

    @property
    def relation(self) -> str:
        """SQL for `FROM`; `file_row_number` and the column `FILE` identify a row."""
        files = ", ".join(text(file) for file in self.files)
        return (
            f"read_parquet([{files}], file_row_number=true, filename={text(FILE)}, union_by_name=true, "
            "hive_partitioning=false)"
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
        present = tables_of(con, data, kind)
    finally:
        con.close()
    found = [
        Source(table=name, path=data.name, relation=present[name])  # pyright: ignore[reportArgumentType] # of INPUTS
        for name in INPUTS
        if name in present
    ]
    if not found:
        raise DataError(data.name, "the database has none of our tables", "add `[[sources]]` to the playbook")
    return found


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
        if "://" in source.path:
            label = f"{source.path.split('://', 1)[0]} database ({source.relation})"
            target = self._target()
            stage_server(self._con, source.path, label, source.relation, target)
            return self._describe(Scan(label, (target,), (label,), {}, 0))
        files: list[Path] = []
        names: list[str] = []
        unreadable: list[Unreadable] = []
        long_quotes = 0
        for number, file in enumerate(find_files(self._root, source.path), start=1):
            name = os.path.relpath(file, self._root)
            staged, csv = self._stage_file(file, source, name if source.relation is None else label)
            files.append(staged)
            names.append(name)
            if csv is not None:
                unreadable += [replace(item, file=number) for item in csv.unreadable]
                long_quotes += csv.long_quotes
        return self._describe(Scan(label, tuple(files), tuple(names), {}, 0, tuple(unreadable), long_quotes))

    def _stage_file(self, file: Path, source: Source, label: str) -> tuple[Path, StagedCsv | None]:
        kind = tell_format(file, label)
        if kind == "parquet":
            return file, None
        target = self._target()
        if kind == "duckdb":
            stage_duckdb(self._con, file, label, source.relation, target)
        elif kind == "sqlite":
            stage_sqlite(self._con, file, label, source.relation, target)
        else:
            csv = stage_csv(
                self._con,
                file,
                label,
                encoding=source.encoding,
                delimiter=source.delimiter,
                scratch=self._scratch,
                target=target,
            )
            return target, csv
        return target, None

    def _target(self) -> Path:
        return self._scratch / f"staged-{len(list(self._scratch.glob('staged-*')))}.parquet"

    def _describe(self, scan: Scan) -> Scan:
        """The scan with its columns and rows."""
        try:
            described = self._con.execute(f"DESCRIBE SELECT * FROM {scan.relation}").fetchall()
            ((rows,),) = self._con.execute(f"SELECT count(*) FROM {scan.relation}").fetchall()
        except duckdb.BinderException:
            raise DataError(
                scan.label,
                "the files do not fit each other, or a column is called file_row_number, which is our own",
                "give all files of one source the same columns and types, and that column another name",
            ) from None
        except duckdb.Error:
            raise DataError(
                scan.label, "the Parquet file is cut off or damaged", "transfer or write it again"
            ) from None
        columns = {name: kind for name, kind, *_ in described if name not in ("file_row_number", FILE)}
        return replace(scan, columns=columns, rows=int(rows))
