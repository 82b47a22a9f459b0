"""Finding the files behind a path, and telling their formats by content rather than by name."""

from __future__ import annotations

import glob
from pathlib import Path
from typing import Literal

from touchline.features.sources.errors import DataError

Format = Literal["parquet", "csv", "duckdb", "sqlite"]

DATA_SUFFIXES = (".parquet", ".csv", ".csv.gz", ".tsv", ".tsv.gz", ".txt", ".txt.gz")


def find_files(root: Path, pattern: str) -> list[Path]:
    """Files that a source's path means, in order of name.

    Parameters
    ----------
    root
        The data folder that relative paths start from.
    pattern
        A file, a folder (all data files directly in it) or a pattern with `*`, `?` or `**`.

    Raises
    ------
    DataError
        If there is no such file, or no data file in the folder.
    """
    path = root / pattern
    if any(mark in pattern for mark in "*?["):
        # `Path.glob` refuses patterns that start at the root of the disk, which a playbook may well name.
        anchored = str(Path(glob.escape(str(root))) / pattern)
        found = sorted({Path(p) for p in glob.glob(anchored, recursive=True) if Path(p).is_file()})  # noqa: PTH207
        if not found:
            raise DataError(pattern, "no file matches this pattern", "correct the source's `path`")
        return found
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.is_file() and p.name.lower().endswith(DATA_SUFFIXES))
        if not found:
            raise DataError(
                pattern, "the folder holds no CSV or Parquet file", "put the files in it, or correct `path`"
            )
        return found
    if not path.exists():
        raise DataError(pattern, "there is no such file in the data folder", "correct `path`, or bring the file")
    return [path]


def tell_format(path: Path, label: str) -> Format:
    """The format of a file, from its first bytes.

    Raises
    ------
    DataError
        If the file is empty, may not be read, or is named Parquet without being it.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise DataError(
            label, f"the file cannot be opened ({error.strerror})", "check its rights and its disk"
        ) from None
    if not head:
        raise DataError(label, "the file is empty", "export it again; a table without rows still has a header")
    if head.startswith(b"PK\x03\x04"):
        raise DataError(label, "the file is a zip archive or an Excel workbook", "export it as CSV in UTF-8")
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith(b"SQLite format 3\x00"):
        return "sqlite"
    if head[8:12] == b"DUCK":
        return "duckdb"
    if path.name.lower().endswith(".parquet"):
        raise DataError(label, "the file is named Parquet but is none", "write it again, or name it after its format")
    return "csv"
