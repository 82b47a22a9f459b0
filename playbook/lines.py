"""Where each key of a TOML document stands: the standard parser does not tell, and people look for a line."""

from __future__ import annotations

import re

Key = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*(.+?)\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT = re.compile(
    r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*=(.*)$"""
)
_NAME = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
# Text and comments, in which brackets mean nothing; a text of several lines may go on beyond the end.
_TEXTS = re.compile(
    r'''"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|(?P<open>"""|\'\'\').*|"(?:\\.|[^"\\\n])*"|'[^'\n]*'|#[^\n]*''', re.DOTALL
)


def key_lines(text: str) -> dict[Key, int]:
    """Line (from 1) of every key and table header of a valid TOML text; items of arrays of tables count from 0.

    Keys inside inline tables and arrays are not listed: look for the longest listed beginning of a path.
    """
    lines: dict[Key, int] = {}
    arrays: dict[Key, int] = {}
    table: Key = ()
    open_value = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if open_value:
            open_value = _still_open(open_value + "\n" + line)
            continue
        if header := _HEADER.match(line):
            table = _enter(header[2], header[1] == "[[", arrays)
            lines.setdefault(table, number)
            for n in range(1, len(table)):
                lines.setdefault(table[:n], number)
        elif assignment := _ASSIGNMENT.match(line):
            key = table + _names(assignment[1])
            for n in range(len(table) + 1, len(key) + 1):
                lines.setdefault(key[:n], number)
            open_value = _still_open(assignment[2])
    return lines


def _names(dotted: str) -> Key:
    return tuple(name.strip("\"'") for name in _NAME.findall(dotted))


def _enter(dotted: str, is_item: bool, arrays: dict[Key, int]) -> Key:
    """The path of a header, with the index of each array of tables it stands in."""
    path: Key = ()
    names = _names(dotted)
    for position, name in enumerate(names):
        path = (*path, name)
        if is_item and position == len(names) - 1:
            arrays[path] = arrays.get(path, -1) + 1
        if path in arrays:
            path = (*path, arrays[path])
    return path


def _still_open(value: str) -> str:
    """The value so far if it goes on on the next line, else nothing."""
    open_text = any(match["open"] for match in _TEXTS.finditer(value))
    bare = _TEXTS.sub("", value)
    open_bracket = bare.count("[") + bare.count("{") > bare.count("]") + bare.count("}")
    return value if open_text or open_bracket else ""
