"""CSV: told apart line by line, so that the rows read and the lines set aside add up to the file.

A CSV is first made plain (unpacked, UTF-8, one kind of line end), with its lines counted and its checksum verified, and
then read by DuckDB with every column as text. Nothing is guessed from the first rows: a column that looks like numbers
for a million rows and then holds a word is no surprise.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import duckdb

from touchline.features.sources.errors import DataError
from touchline.features.sources.sql import FILE, column, text

_BLOCK = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_UTF8 = ("utf-8", "utf-8-sig")


@dataclass(frozen=True)
class Unreadable:
    """Lines that are no row of their table, such as one with too many fields."""

    line: int | None
    """Number of the record, the header being 1; None where it is not known."""
    problem: str
    lines: int = 1
    file: int = 1
    """Which of the scan's files, counted from 1."""


@dataclass(frozen=True)
class StagedCsv:
    """What staging a CSV file left to say."""

    unreadable: tuple[Unreadable, ...]
    long_quotes: int
    """Values with a line break and as many delimiters as a row has."""


@dataclass(frozen=True)
class _Plain:
    path: Path
    lines: int


def stage_csv(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    label: str,
    *,
    encoding: str,
    delimiter: str | None,
    scratch: Path,
    target: Path,
) -> StagedCsv:
    """Write a CSV file's rows to the Parquet file `target`, all columns as text, in the order of the file.

    Returns
    -------
    StagedCsv
        The lines that are no rows, and how many values look as if a quote that never closed had swallowed rows.

    Raises
    ------
    DataError
        If the file is damaged, is not in the stated encoding, or has no usable header.
    """
    plain = _make_plain(path, label, encoding, scratch)
    names, header_lines, mark = _read_header(plain.path, label, delimiter)
    columns = ", ".join(f"{text(name)}: 'VARCHAR'" for name in names)
    con.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    try:
        con.execute(
            f"COPY (SELECT * FROM read_csv({text(plain.path)}, auto_detect=false, columns={{{columns}}}, header=true, "
            f"delim={text(mark)}, quote='\"', escape='\"', strict_mode=true, store_rejects=true, rejects_limit=0)) "
            f"TO {text(target)} (FORMAT parquet, COMPRESSION lz4, PRESERVE_ORDER true)"
        )
    except (duckdb.OutOfMemoryException, duckdb.IOException):
        raise
    except duckdb.Error as error:
        raise DataError(
            label, f"cannot be read as CSV ({_kind_of(error)})", "export it again as CSV in UTF-8"
        ) from None
    unreadable = _rejects(con)
    left = plain.lines - header_lines - _one(con, f"SELECT count(*) FROM read_parquet({text(target)})")
    left -= len(unreadable) + _line_breaks_in_rejects(con)
    staged = (
        _account(con, plain, target, names, mark, unreadable, left) if left > 0 else StagedCsv(tuple(unreadable), 0)
    )
    if plain.path != path:
        plain.path.unlink()
    return staged


def _kind_of(error: duckdb.Error) -> str:
    """What went wrong, without the text of the error: that may quote the data."""
    return type(error).__name__.removesuffix("Exception").lower() or "error"


def _make_plain(path: Path, label: str, encoding: str, scratch: Path) -> _Plain:
    """The file as UTF-8 with Unix line ends and no packing: itself if it is so already, else a copy in `scratch`."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        is_utf8 = codecs.lookup(encoding).name in _UTF8
        if not packed and is_utf8 and (lines := _count_unix_lines(path)) is not None:
            return _Plain(path, lines)
        copy = scratch / f"{path.name}.plain"
        with copy.open("wb") as out:
            blocks = _unix_lines(_transcoded(_blocks(path, packed=packed), encoding, is_utf8=is_utf8))
            return _Plain(copy, _count_lines(_written(blocks, out)))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DataError(label, "the gzip file is cut off or damaged", "transfer or export it again") from None
    except UnicodeError:
        raise DataError(
            label,
            f"holds bytes that are not {encoding}",
            "state the source's true `encoding`, such as `cp1252` for files from Excel",
        ) from None


def _blocks(path: Path, *, packed: bool) -> Iterator[bytes]:
    with cast("BinaryIO", gzip.open(path, "rb")) if packed else path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _count_unix_lines(path: Path) -> int | None:
    """Lines of a file whose lines end in the way of Unix; None if there are other ends."""

    def without_returns() -> Iterator[bytes]:
        for block in _blocks(path, packed=False):
            if b"\r" in block:
                raise _CarriageReturnError
            yield block

    try:
        return _count_lines(without_returns())
    except _CarriageReturnError:
        return None


class _CarriageReturnError(Exception):
    """A line end that is not Unix's."""


def _transcoded(blocks: Iterator[bytes], encoding: str, *, is_utf8: bool) -> Iterator[bytes]:
    if is_utf8:  # invalid bytes are then found, and set aside, row by row
        yield from blocks
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    for block in blocks:
        yield decoder.decode(block).encode()
    yield decoder.decode(b"", final=True).encode()


def _unix_lines(blocks: Iterator[bytes]) -> Iterator[bytes]:
    held = b""
    for block in blocks:
        whole = held + block
        held = b"\r" if whole.endswith(b"\r") else b""
        yield (whole[:-1] if held else whole).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    yield b"\n" if held else b""


def _written(blocks: Iterator[bytes], out: BinaryIO) -> Iterator[bytes]:
    for block in blocks:
        out.write(block)
        yield block


def _count_lines(blocks: Iterator[bytes]) -> int:
    ends, last = 0, b"\n"
    for block in blocks:
        ends += block.count(b"\n")
        last = block[-1:] or last
    return ends + (last != b"\n")


def _read_header(path: Path, label: str, delimiter: str | None) -> tuple[list[str], int, str]:
    """Names of the columns, lines that the header takes, and the delimiter."""
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise DataError(label, "is written in UTF-16", 'state `encoding = "utf-16"` for the source')
    first = head.split(b"\n", 1)[0]
    try:
        first.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(
            label,
            "the header holds bytes that are not UTF-8",
            "state the source's `encoding`, such as `cp1252` for files from Excel",
        ) from None
    if not first.strip(b" \r\xef\xbb\xbf"):
        raise DataError(label, "the first line, which should name the columns, is blank", "put a header on top")
    mark = delimiter or max(_DELIMITERS, key=first.decode("utf-8-sig").count)
    reader = csv.reader(io.StringIO(head.decode("utf-8-sig", "replace")), delimiter=mark)
    return _column_names(next(reader), label), reader.line_num, mark


def _column_names(names: list[str], label: str) -> list[str]:
    names = [" ".join(name.split()) or f"column_{position}" for position, name in enumerate(names, start=1)]
    lowered = [name.lower() for name in names]
    for position, name in enumerate(lowered, start=1):
        if lowered.count(name) > 1:
            raise DataError(
                label, f"column {position} bears the name of another one", "give every column a name of its own"
            )
        if name in (FILE, "file_row_number"):
            raise DataError(label, f"column {position} is called {name}, which is our own", "call it something else")
    return names


_PROBLEMS = {
    "MISSING COLUMNS": "too_few_fields",
    "TOO MANY COLUMNS": "too_many_fields",
    "UNQUOTED VALUE": "broken_quotes",
    "INVALID ENCODING": "not_utf8",
}


def _rejects(con: duckdb.DuckDBPyConnection) -> list[Unreadable]:
    found = con.execute(
        "SELECT line, min(error_type::VARCHAR) FROM reject_errors GROUP BY line ORDER BY line"
    ).fetchall()
    return [Unreadable(line, _PROBLEMS.get(kind, "broken_line")) for line, kind in found]


def _line_breaks_in_rejects(con: duckdb.DuckDBPyConnection) -> int:
    """Line breaks inside rejected records that take several lines; what an open quote swallowed is no such record."""
    record = "rtrim(csv_line, chr(10))"
    breaks = f"length({record}) - length(replace({record}, chr(10), ''))"
    whole = "count(*) FILTER (error_type::VARCHAR = 'UNQUOTED VALUE') = 0"
    records = f"SELECT max({breaks}) AS n FROM reject_errors GROUP BY line HAVING {whole}"
    return _one(con, f"SELECT coalesce(sum(n), 0)::BIGINT FROM ({records})")


def _account(
    con: duckdb.DuckDBPyConnection,
    plain: _Plain,
    target: Path,
    names: list[str],
    mark: str,
    unreadable: list[Unreadable],
    left: int,
) -> StagedCsv:
    """Where the lines went that are neither a row nor a reject: into values, blank, or behind a quote left open."""
    breaks = " + ".join(f"coalesce(length({column(n)}) - length(replace({column(n)}, chr(10), '')), 0)" for n in names)
    marks = " OR ".join(
        f"(contains({column(n)}, chr(10)) AND "
        f"length({column(n)}) - length(replace({column(n)}, {text(mark)}, '')) >= {len(names) - 1})"
        for n in names
    )
    ((inside, long),) = con.execute(
        f"SELECT coalesce(sum({breaks}), 0)::BIGINT, count(*) FILTER ({marks}) FROM read_parquet({text(target)})"
    ).fetchall()
    left -= int(inside)
    left -= _blank_lines(plain.path) if left > 0 else 0
    swallowed = [Unreadable(None, "swallowed_by_quotes", left)] if left > 0 else []
    return StagedCsv((*unreadable, *swallowed), int(long))


def _blank_lines(path: Path) -> int:
    blank = 0
    with path.open("rb") as file:
        while lines := file.readlines(_BLOCK):
            blank += lines.count(b"\n")
    return blank


def _one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    (row,) = con.execute(query).fetchall()
    return int(row[0])
