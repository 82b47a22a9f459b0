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
from touchline.features.sources.sql import column, text

_BLOCK = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_UTF8 = ("utf-8", "utf-8-sig")


@dataclass(frozen=True)
class Unreadable:
    """Lines that are no row of their table, such as one with too many fields."""

    line: int | None
    problem: str
    lines: int = 1


@dataclass(frozen=True)
class _Plain:
    path: Path
    lines: int
    ends_open: bool
    """Whether the last line has no line end."""


def stage_csv(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    label: str,
    *,
    encoding: str,
    delimiter: str | None,
    scratch: Path,
    target: Path,
) -> list[Unreadable]:
    """Write a CSV file's rows to the Parquet file `target`, all columns as text; return the lines that are no rows.

    Raises
    ------
    DataError
        If the file is damaged, is not in the stated encoding, or has no usable header.
    """
    plain = _make_plain(path, label, encoding, scratch)
    header = _read_header(plain.path, label)
    mark = delimiter or max(_DELIMITERS, key=header.count)
    names = _column_names(header, mark, label)
    columns = ", ".join(f"{text(name)}: 'VARCHAR'" for name in names)
    con.execute("DROP TABLE IF EXISTS reject_errors; DROP TABLE IF EXISTS reject_scans")
    try:
        con.execute(
            f"COPY (SELECT * FROM read_csv({text(plain.path)}, auto_detect=false, columns={{{columns}}}, header=true, "
            f"delim={text(mark)}, quote='\"', escape='\"', strict_mode=true, store_rejects=true, rejects_limit=0)) "
            f"TO {text(target)} (FORMAT parquet, COMPRESSION lz4)"
        )
    except duckdb.Error as error:
        raise DataError(
            label, f"cannot be read as CSV ({_kind_of(error)})", "export it again as CSV in UTF-8"
        ) from None
    unreadable = _rejects(con, label)
    unreadable += _unaccounted(con, plain, target, names, unreadable)
    if plain.path != path:
        plain.path.unlink()
    return unreadable


def _kind_of(error: duckdb.Error) -> str:
    """What went wrong, without the text of the error: that may quote the data."""
    return type(error).__name__.removesuffix("Exception").lower() or "error"


def _make_plain(path: Path, label: str, encoding: str, scratch: Path) -> _Plain:
    """The file as UTF-8 with Unix line ends and no packing: itself if it is so already, else a copy in `scratch`."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    try:
        is_utf8 = codecs.lookup(encoding).name in _UTF8
        if not packed and is_utf8 and not _has_carriage_returns(path):
            return _Plain(path, *_count_lines(_blocks(path, packed=False)))
        copy = scratch / f"{path.name}.plain"
        with copy.open("wb") as out:
            blocks = _unix_lines(_transcoded(_blocks(path, packed=packed), encoding, is_utf8=is_utf8))
            return _Plain(copy, *_count_lines(_written(blocks, out)))
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DataError(label, "the gzip file is cut off or damaged", "transfer or export it again") from None
    except UnicodeDecodeError as error:
        raise DataError(
            label,
            f"holds bytes that are not {encoding} (at byte {error.start} of a block)",
            "state the source's true `encoding`, such as `cp1252` for files from Excel",
        ) from None


def _blocks(path: Path, *, packed: bool) -> Iterator[bytes]:
    with cast("BinaryIO", gzip.open(path, "rb")) if packed else path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _has_carriage_returns(path: Path) -> bool:
    return any(b"\r" in block for block in _blocks(path, packed=False))


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


def _count_lines(blocks: Iterator[bytes]) -> tuple[int, bool]:
    ends, last = 0, b"\n"
    for block in blocks:
        ends += block.count(b"\n")
        last = block[-1:] or last
    return ends + (last != b"\n"), last != b"\n"


def _read_header(path: Path, label: str) -> str:
    with path.open("rb") as file:
        line = file.readline(_BLOCK)
    try:
        header = line.decode("utf-8-sig").rstrip("\n")
    except UnicodeDecodeError:
        raise DataError(
            label,
            "the header holds bytes that are not UTF-8",
            "state the source's `encoding`, such as `cp1252` for files from Excel",
        ) from None
    if not header.strip():
        raise DataError(label, "the first line, which should name the columns, is blank", "put a header on top")
    return header


def _column_names(header: str, delimiter: str, label: str) -> list[str]:
    names = next(csv.reader(io.StringIO(header), delimiter=delimiter))
    names = [name.strip() or f"column_{position}" for position, name in enumerate(names, start=1)]
    lowered = [name.lower() for name in names]
    twice = sorted({name for name in lowered if lowered.count(name) > 1})
    if twice:
        raise DataError(label, f"names the column `{twice[0]}` twice", "give every column a name of its own")
    return names


_PROBLEMS = {
    "MISSING COLUMNS": "too_few_fields",
    "TOO MANY COLUMNS": "too_many_fields",
    "UNQUOTED VALUE": "broken_quotes",
    "INVALID ENCODING": "not_utf8",
}


def _rejects(con: duckdb.DuckDBPyConnection, label: str) -> list[Unreadable]:
    del label
    found = con.execute(
        "SELECT line, min(error_type::VARCHAR) FROM reject_errors GROUP BY line ORDER BY line"
    ).fetchall()
    return [Unreadable(line, _PROBLEMS.get(kind, "broken_line")) for line, kind in found]


def _unaccounted(
    con: duckdb.DuckDBPyConnection, plain: _Plain, target: Path, names: list[str], unreadable: list[Unreadable]
) -> list[Unreadable]:
    """Lines of the file that became neither a row nor a reject: a quote that was never closed swallows them."""
    rows = _one(con, f"SELECT count(*) FROM read_parquet({text(target)})")
    left = plain.lines - 1 - rows - len(unreadable)
    if left <= 0:
        return []
    inside = " + ".join(f"coalesce(length({column(n)}) - length(replace({column(n)}, chr(10), '')), 0)" for n in names)
    left -= _one(con, f"SELECT coalesce(sum({inside}), 0)::BIGINT FROM read_parquet({text(target)})")
    left -= _blank_lines(plain.path) if left > 0 else 0
    return [Unreadable(None, "swallowed_by_quotes", left)] if left > 0 else []


def _blank_lines(path: Path) -> int:
    blank = 0
    with path.open("rb") as file:
        while lines := file.readlines(_BLOCK):
            blank += lines.count(b"\n")
    return blank


def _one(con: duckdb.DuckDBPyConnection, query: str) -> int:
    (row,) = con.execute(query).fetchall()
    return int(row[0])
