"""Checks that need more than one section of the playbook.

They read the raw document and not the finished model, so that a person who mends five things hears of all five at once,
even when one of them keeps the model from being built.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from zoneinfo import available_timezones

from pydantic_core import InitErrorDetails, PydanticCustomError

from touchline.playbook.base import meanings
from touchline.playbook.contracts import INPUTS, TABLES
from touchline.playbook.data import SmallData

Key = tuple[str | int, ...]
Found = Iterator[InitErrorDetails]
Document = Mapping[str, Any]


_WRITTEN = ("merged_into", "merged_at")
"""Columns that the check adds to leads."""


def disagreements(document: Document) -> list[InitErrorDetails]:
    """All contradictions between sections of a raw playbook document."""
    checks = (
        _stages,
        _kinds,
        _named_kinds,
        _handoff,
        _words,
        _zones,
        _attributes,
        _sources,
        _small_data,
        _unique_names,
    )
    return [problem for check in checks for problem in check(document)]


def _problem(key: Key, message: str, fix: str) -> InitErrorDetails:
    error = PydanticCustomError("disagreement", "{told}", {"told": message, "fix": fix})
    return InitErrorDetails(type=error, loc=key, input=None)


def _table(document: Document, key: str) -> dict[str, dict[str, Any]]:
    """Sub-tables of a section, leaving out whatever is not one (the model reports those itself)."""
    section = document.get(key)
    if not isinstance(section, Mapping):
        return {}
    entries = cast("Mapping[str, Any]", section)
    return {name: dict(entry) for name, entry in entries.items() if isinstance(entry, Mapping)}


def _array(document: Document, key: str) -> list[tuple[int, dict[str, Any]]]:
    section = document.get(key)
    if not isinstance(section, list):
        return []
    entries = cast("list[Any]", section)
    return [(index, dict(entry)) for index, entry in enumerate(entries) if isinstance(entry, Mapping)]


def _strings(value: Any) -> list[str]:
    return [item for item in cast("list[Any]", value) if isinstance(item, str)] if isinstance(value, list) else []


def _names(known: Iterable[str]) -> str:
    return ", ".join(sorted(known)) or "none yet"


def _stages(document: Document) -> Found:
    stages = _array(document, "stages")
    roles = [stage.get("role") for _, stage in stages]
    for role in ("lead", "won", "lost"):
        if "stages" in document and role not in roles:
            yield _problem(("stages",), f"has no stage of role `{role}`", f'give one of the stages `role = "{role}"`')
    yield from _meanings("stage", [(("stages", index), str(s.get("name")), s) for index, s in stages])


def _kinds(document: Document) -> Found:
    families, channels = _table(document, "families"), _table(document, "channels")
    for name, kind in _table(document, "kinds").items():
        family, channel = kind.get("family"), kind.get("channel")
        if isinstance(family, str) and family not in families:
            yield _problem(
                ("kinds", name, "family"),
                f"names the family `{family}`, which does not exist",
                f"use one of {_names(families)}, or add `[families.{family}]`",
            )
        if isinstance(channel, str) and channel not in channels:
            yield _problem(
                ("kinds", name, "channel"),
                f"names the channel `{channel}`, which does not exist",
                f"use one of {_names(channels)}, or add `[channels.{channel}]`",
            )
    for section in ("kinds", "channels", "topics"):
        entries = [((section, name), name, entry) for name, entry in _table(document, section).items()]
        yield from _meanings(section.removesuffix("s"), entries)


def _meanings(what: str, entries: list[tuple[Key, str, dict[str, Any]]]) -> Found:
    """A source value that would mean two things."""
    owners: dict[str, str] = {}
    for key, name, entry in entries:
        for raw in meanings(name, _strings(entry.get("raw"))):
            if owners.setdefault(raw, name) != name:
                yield _problem(
                    (*key, "raw"),
                    f"says that `{raw}` means the {what} `{name}`, but it already means `{owners[raw]}`",
                    f"let each source value mean one {what}",
                )


def _named_kinds(document: Document) -> Found:
    kinds = _table(document, "kinds")
    for section, key in (("scanners", "sends"), ("scanners", "opens"), ("scanners", "clicks"), ("contact", "attended")):
        named = document.get(section)
        for name in _strings(cast("Mapping[str, Any]", named).get(key)) if isinstance(named, Mapping) else []:
            if name not in kinds:
                yield _problem(
                    (section, key),
                    f"names the touch kind `{name}`, which does not exist",
                    f"use one of {_names(kinds)}",
                )


def _handoff(document: Document) -> Found:
    handoff = document.get("handoff")
    if isinstance(handoff, Mapping) and ("capacity" in handoff) == ("threshold" in handoff):
        yield _problem(
            ("handoff",),
            "needs exactly one of `capacity` and `threshold`",
            "keep `capacity` to hand over the best leads sales can take, `threshold` to hand over every good one",
        )


def _words(document: Document) -> Found:
    languages = _strings(document.get("languages"))
    for key, words in _walk_words(document, ()):
        missing = [language for language in languages if language not in words]
        if missing:
            additions = ", ".join(f'`{language} = "…"`' for language in missing)
            yield _problem(
                key,
                f"has no words in {' and '.join(missing)}",
                f"add {additions}, or take the language out of `languages`",
            )
        if key[-1] == "many":
            for language, text in words.items():
                if isinstance(text, str) and "{n}" not in text:
                    yield _problem((*key, language), "does not say how many", "write `{n}` where the number belongs")


def _walk_words(value: Any, key: Key) -> Iterator[tuple[Key, dict[str, Any]]]:
    if isinstance(value, Mapping):
        for name, entry in cast("Mapping[str, Any]", value).items():
            # Only kinds have `many` and `none`; elsewhere these may be names of one's own.
            is_words = name == "words" or (name in ("many", "none") and len(key) == 2 and key[0] == "kinds")
            if is_words and isinstance(entry, Mapping):
                yield (*key, name), dict(cast("Mapping[str, Any]", entry))
            else:
                yield from _walk_words(entry, (*key, name))
    elif isinstance(value, list):
        for index, entry in enumerate(cast("list[Any]", value)):
            yield from _walk_words(entry, (*key, index))


def _zones(document: Document) -> Found:
    zones: list[tuple[Key, Any]] = [(("time_zone",), document.get("time_zone"))]
    zones += [(("sources", i, "time_zone"), source.get("time_zone")) for i, source in _array(document, "sources")]
    for key, zone in zones:
        if isinstance(zone, str) and zone not in available_timezones() - {"localtime"}:
            yield _problem(
                key, f"names the time zone `{zone}`, which does not exist", "write it as `Europe/Paris` or `UTC`"
            )


def _attributes(document: Document) -> Found:
    for name, attribute in _table(document, "attributes").items():
        contract = TABLES.get(str(attribute.get("table")))
        if contract and name in (*contract.column_names, *_WRITTEN):
            yield _problem(
                ("attributes", name),
                f"is a column of {contract.name} already",
                "delete the attribute: the column is read without it",
            )


def _sources(document: Document) -> Found:
    attributes = _table(document, "attributes")
    for index, source in _array(document, "sources"):
        contract = INPUTS.get(str(source.get("table")))
        columns = source.get("columns")
        if contract and isinstance(columns, Mapping):
            usable = {n for n, a in attributes.items() if a.get("table") == contract.name}
            allowed = {*contract.column_names, *usable}
            for name in cast("Mapping[str, Any]", columns):
                if name not in allowed:
                    yield _problem(
                        ("sources", index, "columns", name),
                        f"is not a column of {contract.name}",
                        f"use one of {_names(allowed)}"
                        + (f", or declare `[attributes.{name}]`" if contract.takes_attributes else ""),
                    )
        encoding = source.get("encoding", "utf-8")
        if isinstance(encoding, str) and not _is_text_encoding(encoding):
            yield _problem(
                ("sources", index, "encoding"),
                "names an encoding of text that does not exist",
                "use `utf-8`, `cp1252`, `latin-1` or `utf-16`",
            )


def _is_text_encoding(name: str) -> bool:
    """Whether Python can read text so; it also knows encodings that turn bytes into bytes, such as zlib."""
    try:
        return isinstance(codecs.decode(b"", name), str)
    except Exception:  # noqa: BLE001  # codecs that are not of text raise errors of every kind
        return False


def _small_data(document: Document) -> Found:
    section = document.get("small_data")
    if not isinstance(section, Mapping):
        return
    limits = cast("Mapping[str, Any]", section)
    fields = SmallData.model_fields
    values = [limits.get(name, field.default) for name, field in fields.items()]
    if all(isinstance(v, int) for v in values) and values != sorted(values):
        yield _problem(("small_data",), "has limits that do not rise", f"order them: {' <= '.join(fields)}")


def _unique_names(document: Document) -> Found:
    for section in ("stages", "rejection_reasons", "kpis"):
        seen: set[str] = set()
        for index, entry in _array(document, section):
            name = str(entry.get("name"))
            if name in seen:
                yield _problem((section, index, "name"), f"repeats the name `{name}`", "give every entry its own name")
            seen.add(name)
