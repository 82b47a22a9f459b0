"""Putting names and values into SQL safely: every statement of the features room quotes through here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def column(name: str) -> str:
    """A column or table name, quoted.

    >>> print(column('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


def text(value: str | Path) -> str:
    """A text value, quoted.

    >>> text("l'été")
    "'l''été'"
    """
    return "'" + str(value).replace("'", "''") + "'"


def texts(values: Iterable[str]) -> str:
    """Text values, quoted, with commas between: the inside of `IN (…)`; `NULL` if there are none."""
    return ", ".join(text(value) for value in values) or "NULL"


# Names of our own begin with an underscore: attributes may be called source, file or row, and often are.
FILE = "_touchline_file"
"""The column of a scan that says which file a row comes from."""
ROW = "_source, _file, _row"
"""The columns that identify a row of the input: position of its source, of its file in it, and number in the file."""
