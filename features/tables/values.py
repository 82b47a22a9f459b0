"""Typing one value: SQL that computes it, and SQL that says what is wrong with it.

Types are settled by declaration and never by looking at the first rows. A value that cannot be read is no error here:
it becomes NULL, and the row carries the code of what is wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from touchline.features.sources.sql import column, text, texts
from touchline.playbook.contracts import ColumnType
from touchline.playbook.data import ColumnRule

SQL_TYPES: dict[ColumnType, str] = {
    "text": "VARCHAR",
    "time": "TIMESTAMPTZ",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
}
"""DuckDB's type of each type of the contracts."""

_MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
_DATE = r"^\d{4}-\d{1,2}-\d{1,2}"
_CLOCK = r"\d{1,2}:\d{1,2}(:\d{1,2}([.]\d+)?)?"
_OFFSET = r"(Z|UTC|GMT|[+-](0\d|1[0-4])(:?[0-5]\d)?)"
# DuckDB's own cast overlooks what stands behind a time ("10:00 PM", "10:00 EST"), so the whole text has to match.
_AWARE = rf"{_DATE}[ T]{_CLOCK}\s*{_OFFSET}$"
_NAIVE = rf"{_DATE}([ T]{_CLOCK})?$"
_TRUE = ("true", "t", "yes", "y", "1", "oui", "vrai")
_FALSE = ("false", "f", "no", "n", "0", "non", "faux")


@dataclass(frozen=True)
class Raw:
    """A value before typing: SQL, and its type in DuckDB."""

    sql: str
    kind: str

    @property
    def as_text(self) -> str:
        """The value as trimmed text; NULL if there is nothing but space."""
        if self.kind == "VARCHAR":
            return f"nullif(trim({self.sql}), '')"
        if self.kind in ("DOUBLE", "FLOAT"):  # an id that pandas turned into 123.0 is 123
            whole = f"{self.sql} = trunc({self.sql}) AND abs({self.sql}) < 1e15"
            return f"CASE WHEN {whole} THEN ({self.sql})::BIGINT::VARCHAR ELSE ({self.sql})::VARCHAR END"
        return f"nullif(trim(({self.sql})::VARCHAR), '')"

    @property
    def blank(self) -> str:
        """SQL that is true where there is no value."""
        return f"({self.as_text}) IS NULL" if self.kind == "VARCHAR" else f"({self.sql}) IS NULL"


@dataclass(frozen=True)
class Typed:
    """A value in its type: how to compute it, and what is wrong with it if anything (SQL for a code or NULL)."""

    value: str
    problem: str | None = None


def type_value(wanted: ColumnType, raw: Raw, rule: ColumnRule, zone: str | None) -> Typed:
    """Bring a raw value into a type of the contracts; times without zone are placed in `zone`, or refused."""
    if wanted == "time":
        return _time(raw, rule, zone)
    if wanted == "number":
        return _number(raw, rule)
    return _boolean(raw) if wanted == "boolean" else Typed(raw.as_text)


def raw_value(rule: ColumnRule, kinds: Mapping[str, str]) -> Raw:
    """The raw value that a rule of the playbook means; `kinds`: column name in lower case -> DuckDB type."""
    if rule.value is not None:
        return Raw(text(str(rule.value)), "VARCHAR")
    if rule.columns:
        parts = [f"coalesce({raw_column(name, kinds).as_text}, '')" for name in rule.columns]
        raw = Raw(f"concat_ws({text(rule.join)}, {', '.join(parts)})", "VARCHAR")
    else:
        assert rule.column is not None
        raw = raw_column(rule.column, kinds)
    if rule.map is None:
        return raw
    pairs = [(f"{raw.as_text} = {text(there.strip())}", text(here)) for there, here in rule.map.items()]
    return Raw(case(pairs), "VARCHAR")


def raw_column(name: str, kinds: Mapping[str, str]) -> Raw:
    """A column of the source."""
    return Raw(column(name), kinds[name.lower()])


def case(pairs: Sequence[tuple[str, str]]) -> str:
    """SQL for the value of the first condition that is true; NULL if none is."""
    whens = " ".join(f"WHEN {condition} THEN {value}" for condition, value in pairs)
    return f"CASE {whens} END" if pairs else "NULL::VARCHAR"


def _problem(raw: Raw, value: str, code: str) -> str:
    return f"CASE WHEN {raw.blank} THEN NULL WHEN ({value}) IS NULL THEN {text(code)} END"


def _number(raw: Raw, rule: ColumnRule) -> Typed:
    value = raw.as_text
    if raw.kind == "VARCHAR" and rule.decimal == ",":
        # 1 234,56 and 1.234,56: the thousands go, whatever kind of space they use
        value = rf"replace(regexp_replace({value}, '[.\s\x{{00A0}}\x{{202F}}]', '', 'g'), ',', '.')"
    cast = f"try_cast({value} AS DOUBLE)"
    finite = f"CASE WHEN isfinite({cast}) THEN {cast} END"
    return Typed(finite, _problem(raw, finite, "bad_number"))


def _boolean(raw: Raw) -> Typed:
    if raw.kind == "BOOLEAN":
        return Typed(raw.sql)
    word = f"lower({raw.as_text})"
    value = case([(f"{word} IN ({texts(_TRUE)})", "true"), (f"{word} IN ({texts(_FALSE)})", "false")])
    return Typed(value, _problem(raw, value, "bad_boolean"))


def _time(raw: Raw, rule: ColumnRule, zone: str | None) -> Typed:
    if raw.kind.startswith("TIMESTAMPTZ") or raw.kind == "TIMESTAMP WITH TIME ZONE":
        return Typed(f"({raw.sql})::TIMESTAMPTZ")
    if rule.unit is not None:
        return _epoch(raw, rule.unit)
    if raw.kind.startswith("TIMESTAMP") or raw.kind == "DATE":
        return _placed(raw, f"({raw.sql})::TIMESTAMP", zone)
    if rule.format is not None:
        return _formatted(raw, rule.format, zone)
    return _iso(raw, zone)


def _epoch(raw: Raw, unit: Literal["s", "ms", "us"]) -> Typed:
    number = f"try_cast({raw.sql} AS DOUBLE)"
    bounded = f"CASE WHEN abs({number}) < 4e15 / {_MICROSECONDS[unit]} THEN {number} END"
    value = f"make_timestamptz(({bounded} * {_MICROSECONDS[unit]})::BIGINT)"
    return Typed(value, _problem(raw, bounded, "bad_time"))


def _formatted(raw: Raw, form: str, zone: str | None) -> Typed:
    parsed = f"try_strptime({raw.as_text}, {text(form)})"
    letters = form.replace("%%", "")
    if "%z" in letters or "%Z" in letters:
        moment = f"({parsed})::TIMESTAMPTZ"
        return Typed(moment, _problem(raw, moment, "bad_time"))
    return _placed(raw, parsed, zone)


def _iso(raw: Raw, zone: str | None) -> Typed:
    written = f"replace(upper({raw.as_text}), 'GMT', 'UTC')"
    aware = f"regexp_full_match({written}, {text(_AWARE)})"
    moment = f"try_cast({written} AS TIMESTAMPTZ)"
    naive = f"CASE WHEN regexp_full_match({written}, {text(_NAIVE)}) THEN try_cast({written} AS TIMESTAMP) END"
    placed = _placed(raw, naive, zone)
    # Many logs end every time in Z. DuckDB's cast is strict where a zone is named, so the pattern can be spared there.
    zulu = f"ends_with({written}, 'Z') AND contains({written}, ':')"
    is_aware = f"CASE WHEN {zulu} THEN true ELSE {aware} END"
    return Typed(
        f"CASE WHEN {is_aware} THEN {moment} ELSE {placed.value} END",
        f"CASE WHEN {is_aware} THEN {_problem(raw, moment, 'bad_time')} ELSE {placed.problem} END",
    )


def _placed(raw: Raw, naive: str, zone: str | None) -> Typed:
    """A time without zone, placed in the stated one; without one it is refused."""
    bad = f"WHEN {raw.blank} THEN NULL WHEN ({naive}) IS NULL THEN 'bad_time'"
    if zone is None:
        return Typed("NULL::TIMESTAMPTZ", f"CASE {bad} ELSE 'naive_time' END")
    return Typed(f"timezone({text(zone)}, {naive})", f"CASE {bad} END")
