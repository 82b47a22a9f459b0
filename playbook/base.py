"""The small types that every section of the playbook is made of: sections, names, durations, words."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

_UNITS = {
    "s": timedelta(seconds=1),
    "min": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
_LONGEST = timedelta(days=36_525)
_DURATION = re.compile(r"^\s*(\d+)\s*(s|min|h|d|w)\s*$")


class Section(BaseModel):
    """A part of the playbook: unknown keys are errors, values never change once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True, allow_inf_nan=False)


def _read_duration(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value
    match = _DURATION.match(value) if isinstance(value, str) else None
    if match is None:
        raise PydanticCustomError("duration", "is not a duration")
    if len(match[1]) > 9 or int(match[1]) * _UNITS[match[2]] > _LONGEST:
        raise PydanticCustomError("duration", "is longer than a hundred years")
    return int(match[1]) * _UNITS[match[2]]


def _write_duration(value: timedelta) -> str:
    seconds = int(value.total_seconds())
    for unit in ("w", "d", "h", "min"):
        size = int(_UNITS[unit].total_seconds())
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


Duration = Annotated[
    timedelta,
    BeforeValidator(_read_duration),
    PlainSerializer(_write_duration, return_type=str),
    WithJsonSchema({"type": "string", "pattern": _DURATION.pattern, "examples": ["90d", "13w", "48h", "5s"]}),
]
"""A length of time, written as a whole number and a unit: `90d`, `13w`, `48h`, `10min`, `5s`."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
"""A name in the playbook's own tongue: lower case, digits and underscores."""


def meanings(name: str, raw: list[str]) -> list[str]:
    """All source values that mean what the playbook calls `name`: the name itself, and those it lists."""
    return list(dict.fromkeys([name, *(value.strip() for value in raw)]))


Words = Annotated[dict[str, str], Field(min_length=1)]
"""What people read, by language code: `{ en = "Webinar", fr = "Webinaire" }`."""
