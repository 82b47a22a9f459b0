"""From a TOML file to a `Playbook`, or to every problem with its line and the way to mend it."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from touchline.playbook.lines import key_lines
from touchline.playbook.model import Playbook


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a playbook file."""

    line: int | None
    """Line in the file, counted from 1; None where the file as a whole is meant."""
    key: str
    """The key as one would write it: `kinds.webinar.family`, `sources[2].path`."""
    message: str
    """What is wrong, to be read after the key."""
    fix: str
    """What to do about it."""

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}`{self.key}` {self.message}. To mend it, {self.fix}."


class PlaybookError(Exception):
    """A playbook that cannot be used, with every problem found in it."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = problems
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"{source}: {count}", *(f"  {problem}" for problem in problems)]))


def load_playbook(path: str | Path) -> Playbook:
    """Read and check a playbook file.

    Raises
    ------
    PlaybookError
        If the file cannot be read, is not TOML, or contradicts itself; it names every problem.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows' editors put a mark in front
    except FileNotFoundError:
        raise _unreadable(path, "does not exist", "write one with `touchline playbook new`") from None
    except UnicodeDecodeError:
        raise _unreadable(path, "is not written in UTF-8", "save it as UTF-8 in your editor") from None
    except OSError as error:
        raise _unreadable(path, f"cannot be read ({error.strerror})", "name a TOML file that you may read") from None
    return parse_playbook(text, str(path))


def _unreadable(path: Path, message: str, fix: str) -> PlaybookError:
    return PlaybookError(str(path), [Problem(None, path.name, message, fix)])


def parse_playbook(text: str, source: str = "playbook") -> Playbook:
    """Check a playbook given as TOML text; `source` is what errors call it.

    Raises
    ------
    PlaybookError
        See `load_playbook`.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlaybookError(source, [_syntax_problem(error, text)]) from None
    except RecursionError:
        nested = Problem(None, "TOML", "is nested too deeply", "write it as `touchline playbook new` does")
        raise PlaybookError(source, [nested]) from None
    try:
        return Playbook.model_validate(document)
    except ValidationError as error:
        lines = key_lines(text)
        problems = [_problem(e, lines) for e in error.errors(include_url=False)]
        problems.sort(key=lambda p: (p.line or 0, p.key))
        raise PlaybookError(source, problems) from None


def starter_text() -> str:
    """The commented playbook that `touchline playbook new` writes; it fits the simulated data as it stands."""
    return resources.files("touchline.playbook").joinpath("starter.toml").read_text(encoding="utf-8")


def starter_playbook() -> Playbook:
    """The starter playbook, checked."""
    return parse_playbook(starter_text(), "starter playbook")


def playbook_schema() -> dict[str, Any]:
    """JSON Schema of the file, so that editors complete and check it while one types."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Playbook.model_json_schema()}


def _syntax_problem(error: tomllib.TOMLDecodeError, text: str) -> Problem:
    told = str(error)
    place = re.search(r"\(at line (\d+), column (\d+)\)", told)
    line = int(place[1]) if place else text.count("\n") + 1
    message = re.sub(r"\s*\(at .*\)$", "", told)
    return Problem(line, "TOML", f"cannot be read: {message}", "correct the line (strings need quotes)")


def _problem(error: ErrorDetails, lines: dict[tuple[str | int, ...], int]) -> Problem:
    # The name of a dictionary's own key is followed by this marker; it is no part of the path in the file.
    key = tuple(part for part in error["loc"] if part != "[key]")
    line = next((lines[key[:n]] for n in range(len(key), 0, -1) if key[:n] in lines), None)
    message, fix = _explain(error, key)
    return Problem(line, _spell(key), message, fix)


def _spell(key: tuple[str | int, ...]) -> str:
    spelled = ""
    for part in key:
        spelled += f"[{part + 1}]" if isinstance(part, int) else (f".{part}" if spelled else part)
    return spelled


_FIXES = {
    "string_type": 'write a text in quotes: `"…"`',
    "list_type": "write a list in brackets: `[…, …]`",
    "dict_type": "write a table: `{ name = … }`",
    "model_type": "write a table: `{ name = … }`, or a section in brackets",
    "int_type": "write a whole number without quotes",
    "int_parsing": "write a whole number without quotes",
    "int_from_float": "write a whole number",
    "float_type": "write a number without quotes",
    "float_parsing": "write a number without quotes",
    "finite_number": "write a number that ends",
    "bool_type": "write `true` or `false` without quotes",
    "bool_parsing": "write `true` or `false` without quotes",
    "too_short": "name at least one",
    "greater_than": "write a larger number",
    "greater_than_equal": "write a larger number",
    "less_than": "write a smaller number",
    "less_than_equal": "write a smaller number",
}


def _explain(error: ErrorDetails, key: tuple[str | int, ...]) -> tuple[str, str]:  # noqa: C901, PLR0911  # a table
    """What is wrong, and what to do, by the kind of error."""
    kind, context = error["type"], error.get("ctx", {})
    told = str(context.get("told", error["msg"]))
    match kind:
        case "disagreement":
            return told, str(context["fix"])
        case "missing":
            return "is missing", f"add `{key[-1]} = …` ({_meaning(key)})" if _meaning(
                key
            ) else f"add `{key[-1]}`, as in `touchline playbook new`"
        case "extra_forbidden":
            near = difflib.get_close_matches(str(key[-1]), _siblings(key), n=1)
            return "is not a key of the playbook", f"write `{near[0]}`" if near else "delete it"
        case "literal_error":
            return "has a value that is not allowed", f"use {context['expected']}"
        case "duration":
            return told, 'write a whole number and a unit (s, min, h, d, w), such as `"90d"`'
        case "horizon":
            return told, 'write for example `horizon = "90d"`'
        case "one_origin":
            return told, "keep the one you mean"
        case "string_pattern_mismatch" if key[-1] == "format":
            return "is no format of a time", "write it with %Y, %m, %d, %H, %M, %S and the like: `%d/%m/%Y %H:%M`"
        case "string_pattern_mismatch" if key[-1] == "delimiter":
            return "is not a single character", 'write for example `delimiter = ";"`'
        case "string_pattern_mismatch" if key[-1] == "relation":
            return "is no name of a table", "write `table` or `schema.table`"
        case "string_pattern_mismatch":
            return "is not a valid name", "use lower-case letters, digits and underscores, beginning with a letter"
        case _:
            shown = told[:1].lower() + told[1:].replace("dictionary or instance of ", "table ")
            return f"is not right: {shown}", _FIXES.get(kind, "look at the same key in `touchline playbook new`")


def _field_at(key: tuple[str | int, ...]) -> tuple[type[BaseModel], str] | None:
    """The section and the field that a path leads to, following the model's own annotations."""
    from touchline.playbook.schema_walk import owner_of

    return owner_of(Playbook, key)


def _siblings(key: tuple[str | int, ...]) -> list[str]:
    found = _field_at(key)
    return list(found[0].model_fields) if found else []


def _meaning(key: tuple[str | int, ...]) -> str:
    found = _field_at(key)
    if not found or found[1] not in found[0].model_fields:
        return ""
    description = found[0].model_fields[found[1]].description or ""
    return description.split("\n")[0].rstrip(".").lower() if description else ""


def schema_text() -> str:
    """The JSON Schema as a file's content."""
    return json.dumps(playbook_schema(), indent=2, ensure_ascii=False) + "\n"
