"""From a source's columns to the contract's: a SELECT that types every value and names the first one that is wrong.

Types are settled by declaration and not by looking at values. A value that cannot be read is no error here: the row
carries `problem = 'code:column'` and goes to quarantine later, with all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from touchline.features.sources import DataError, Scan
from touchline.features.sources.sql import column, text, texts
from touchline.playbook.contracts import Column, Contract
from touchline.playbook.data import ColumnRule, Source

MICROSECONDS = {"s": 1_000_000, "ms": 1_000, "us": 1}
# A time of day is required before an offset: the last part of 2024-03-31 is no offset.
_CLOCK = r"\d{2}:\d{2}(:\d{2}([.]\d+)?)?"
_AWARE = rf"{_CLOCK}\s*([Zz]|UTC|[+-]\d{{2}}(:?\d{{2}})?)$"
_TRUE = ("true", "t", "yes", "y", "1", "oui", "vrai")
_FALSE = ("false", "f", "no", "n", "0", "non", "faux")
TOUCH_CONTENT = ("lead_id", "occurred_at", "kind", "channel", "campaign", "asset", "topic", "direction")
"""What makes a touch that has no id of its own."""
_EARLIEST = "TIMESTAMPTZ '1990-01-01 00:00:00+00'"


@dataclass(frozen=True)
class Typed:
    """One value: how to compute it, and what is wrong with it if anything (SQL that gives a code or NULL)."""

    value: str
    problem: str | None = None


def select_typed(
    contract: Contract,
    attributes: Sequence[Column],
    source: Source,
    position: int,
    scan: Scan,
    *,
    time_zone: str | None,
    now: datetime,
) -> str:
    """SQL that reads the rows of one source as the contract wants them.

    Returns
    -------
    str
        A SELECT of `source, file, row` (which identify the row), every column of the contract and attribute in its
        type, and `problem`.

    Raises
    ------
    DataError
        If the source lacks a column that the contract requires or the playbook names.
    """
    wanted = [*contract.columns, *attributes]
    rules = _rules(wanted, source, scan)
    zone = source.time_zone or time_zone
    typed = {c.name: _type(c, rules[c.name], scan, zone) for c in wanted if c.name in rules}
    values = {c.name: typed[c.name].value if c.name in typed else f"NULL::{_sql_type(c)}" for c in wanted}
    problems = [
        (f"({t.problem}) IS NOT NULL", f"({t.problem}) || {text(':' + name)}") for name, t in typed.items() if t.problem
    ]
    file = "1" if len(scan.files) == 1 else f"list_position([{texts(map(str, scan.files))}], filename)"
    inner = ", ".join(f"{value} AS {column(name)}" for name, value in values.items())
    broken = _case(problems) if problems else "NULL::VARCHAR"
    read = (
        f"SELECT {position}::INTEGER AS source, ({file})::INTEGER AS file, file_row_number AS row, {inner}, "
        f"{broken} AS broken FROM {scan.relation}{where_only(source)}"
    )
    outer = ", ".join(_with_default(c.name, contract, source, rules) for c in wanted)
    return f"SELECT source, file, row, {outer}, {_time_rules(contract, wanted, now)} AS problem FROM ({read})"


def where_only(source: Source) -> str:
    """The WHERE clause of a source that wants only some rows of its path; empty if it wants all."""
    return f" WHERE {claim(source)}" if source.only else ""


def claim(source: Source) -> str:
    """SQL that tells whether a row of the path belongs to this source."""
    conditions = [f"coalesce({_trimmed(name)} IN ({texts(values)}), false)" for name, values in source.only.items()]
    return "(" + " AND ".join(conditions or ["true"]) + ")"


def _rules(wanted: Sequence[Column], source: Source, scan: Scan) -> dict[str, ColumnRule]:
    """The rule of each column: as the playbook says, or the source's column of the same name."""
    present = {name.lower(): name for name in scan.columns}
    rules: dict[str, ColumnRule] = {}
    missing: list[str] = [name for name in source.only if name.lower() not in present]
    for c in wanted:
        rule = source.columns.get(c.name)
        if rule is None and c.name.lower() in present:
            rule = ColumnRule(column=present[c.name.lower()])
        if rule is None:
            missing += [c.name] if c.required else []
            continue
        missing += [name for name in rule.origins if name.lower() not in present]
        rules[c.name] = rule
    if missing:
        raise DataError(
            f"{scan.label} (as {source.table})",
            f"lacks the column{'s' if len(missing) > 1 else ''} {', '.join(dict.fromkeys(missing))}; "
            f"it has {', '.join(scan.columns)}",
            "map our columns to the source's in `[sources.columns]` of the playbook",
        )
    return rules


def _type(c: Column, rule: ColumnRule, scan: Scan, zone: str | None) -> Typed:
    raw, kind = _raw(rule, scan)
    typed = {"text": _text, "number": _number, "boolean": _boolean}
    result = _time(raw, kind, rule, zone) if c.type == "time" else typed[c.type](raw, kind, rule)
    if not c.required and c.name != "touch_id":  # a source that has ids has one for every touch
        return result
    absent = f"WHEN {_blank(raw, kind)} THEN 'missing_value'"
    return Typed(result.value, f"CASE {absent} {f'ELSE ({result.problem})' if result.problem else ''} END")


def _raw(rule: ColumnRule, scan: Scan) -> tuple[str, str]:
    """The value before typing and its DuckDB type."""
    if rule.value is not None:
        return (text(str(rule.value)), "VARCHAR")
    kinds = {name.lower(): kind for name, kind in scan.columns.items()}
    if rule.columns:
        raw, kind = f"concat_ws({text(rule.join)}, {', '.join(_trimmed(n) for n in rule.columns)})", "VARCHAR"
    else:
        assert rule.column is not None
        raw, kind = column(rule.column), kinds[rule.column.lower()]
    if rule.map is not None:
        pairs = [(f"{_as_text(raw, kind)} = {text(there)}", text(here)) for there, here in rule.map.items()]
        raw, kind = _case(pairs), "VARCHAR"
    return raw, kind


def _trimmed(name: str) -> str:
    return f"trim({column(name)}::VARCHAR)"


def _as_text(raw: str, kind: str) -> str:
    return f"nullif(trim({raw}), '')" if kind == "VARCHAR" else f"nullif(trim(({raw})::VARCHAR), '')"


def _blank(raw: str, kind: str) -> str:
    return f"({_as_text(raw, kind)}) IS NULL" if kind == "VARCHAR" else f"({raw}) IS NULL"


def _text(raw: str, kind: str, rule: ColumnRule) -> Typed:
    del rule
    return Typed(_as_text(raw, kind))


def _number(raw: str, kind: str, rule: ColumnRule) -> Typed:
    value = _as_text(raw, kind)
    if kind == "VARCHAR" and rule.decimal == ",":
        # 1 234,56 and 1.234,56: the thousands go, whatever kind of space they use
        value = rf"replace(regexp_replace({value}, '[.\s\x{{00A0}}\x{{202F}}]', '', 'g'), ',', '.')"
    cast = f"try_cast({value} AS DOUBLE)"
    good = f"CASE WHEN isfinite({cast}) THEN {cast} END"
    return Typed(good, f"CASE WHEN {_blank(raw, kind)} THEN NULL WHEN ({good}) IS NULL THEN 'bad_number' END")


def _boolean(raw: str, kind: str, rule: ColumnRule) -> Typed:
    del rule
    if kind == "BOOLEAN":
        return Typed(raw)
    word = f"lower({_as_text(raw, kind)})"
    value = f"CASE WHEN {word} IN ({texts(_TRUE)}) THEN true WHEN {word} IN ({texts(_FALSE)}) THEN false END"
    return Typed(value, f"CASE WHEN {_blank(raw, kind)} THEN NULL WHEN ({value}) IS NULL THEN 'bad_boolean' END")


def _time(raw: str, kind: str, rule: ColumnRule, zone: str | None) -> Typed:
    if kind == "TIMESTAMP WITH TIME ZONE":
        return Typed(raw)
    if rule.unit is not None:
        number = f"try_cast({raw} AS DOUBLE)"
        bounded = f"CASE WHEN abs({number}) < 4e15 / {MICROSECONDS[rule.unit]} THEN {number} END"
        value = f"make_timestamptz(({bounded} * {MICROSECONDS[rule.unit]})::BIGINT)"
        return Typed(value, f"CASE WHEN {_blank(raw, kind)} THEN NULL WHEN ({bounded}) IS NULL THEN 'bad_time' END")
    if kind.startswith("TIMESTAMP") or kind == "DATE":
        naive = f"({raw})::TIMESTAMP"
        return Typed(*_placed(naive, zone, f"({raw}) IS NULL"))
    value = _as_text(raw, kind)
    if rule.format is not None and "%z" in rule.format:
        moment = f"try_strptime({value}, {text(rule.format)})::TIMESTAMPTZ"
        return Typed(moment, f"CASE WHEN {value} IS NULL THEN NULL WHEN {moment} IS NULL THEN 'bad_time' END")
    if rule.format is not None:
        naive = f"try_strptime({value}, {text(rule.format)})"
        return Typed(*_placed(naive, zone, f"{value} IS NULL"))
    aware = f"regexp_matches({value}, {text(_AWARE)})"
    moment, naive = f"try_cast({value} AS TIMESTAMPTZ)", f"try_cast({value} AS TIMESTAMP)"
    placed, problem = _placed(naive, zone, f"{value} IS NULL")
    return Typed(
        f"CASE WHEN {aware} THEN {moment} ELSE {placed} END",
        f"CASE WHEN {aware} THEN CASE WHEN {moment} IS NULL THEN 'bad_time' END ELSE {problem} END",
    )


def _placed(naive: str, zone: str | None, blank: str) -> tuple[str, str]:
    """A time without zone, placed in the stated one; without one it is refused."""
    bad = f"WHEN {blank} THEN NULL WHEN {naive} IS NULL THEN 'bad_time'"
    if zone is None:
        return "NULL::TIMESTAMPTZ", f"CASE {bad} ELSE 'naive_time' END"
    return f"timezone({text(zone)}, {naive})", f"CASE {bad} END"


def _with_default(name: str, contract: Contract, source: Source, rules: Mapping[str, ColumnRule]) -> str:
    if name == "touch_id" and name not in rules:
        # Touches without ids get one from their content, the same in every run and order.
        content = ", ".join(f"coalesce({part}::VARCHAR, '')" for part in TOUCH_CONTENT)
        return f"'touch-' || md5(concat_ws(chr(31), {content})) AS touch_id"
    if name == "known_at" and contract.happens_at is not None and contract.happens_at != "known_at":
        happened = "closed_at, opened_at" if contract.name == "deals" else contract.happens_at
        delay = int(source.known_after.total_seconds())
        later = f"coalesce({happened}) + INTERVAL {delay} SECOND" if delay else f"coalesce({happened})"
        return f"coalesce(known_at, {later}) AS known_at"
    return column(name)


def _time_rules(contract: Contract, wanted: Sequence[Column], now: datetime) -> str:
    """The first problem of the row: one found while typing, or a time that cannot be."""
    rules = [("broken IS NOT NULL", "broken")]
    expected = {"closed_at"} if contract.name == "deals" else set[str]()  # of open deals; judged with the outcome
    for c in wanted:
        if c.type != "time":
            continue
        name = column(c.name)
        rules.append((f"NOT isfinite({name}) OR {name} < {_EARLIEST}", text(f"implausible_time:{c.name}")))
        if c.name not in expected and (c.name == "known_at" or c in contract.columns):
            rules.append((f"{name} > {instant(now)}", text(f"future_time:{c.name}")))
    if contract.happens_at not in (None, "known_at") and "known_at" in contract.column_names:
        rules.append((f"known_at < {contract.happens_at}", text("known_before_it_happened:known_at")))
    return _case(rules)


def instant(moment: datetime) -> str:
    """An instant as SQL."""
    return f"TIMESTAMPTZ {text(moment.isoformat())}"


def _sql_type(c: Column) -> str:
    return {"text": "VARCHAR", "time": "TIMESTAMPTZ", "number": "DOUBLE", "boolean": "BOOLEAN"}[c.type]


def _case(pairs: Sequence[tuple[str, str]]) -> str:
    return "CASE " + " ".join(f"WHEN {condition} THEN {value}" for condition, value in pairs) + " END"
