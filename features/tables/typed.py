"""From a source's rows to the contract's: a SELECT that types every value and names the first one that is wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from touchline.features.sources import DataError, Scan
from touchline.features.sources.sql import FILE, ROW, column, text, texts
from touchline.features.tables.values import SQL_TYPES, Typed, case, raw_column, raw_value, type_value
from touchline.playbook.contracts import Column, Contract
from touchline.playbook.data import ColumnRule, Source

TOUCH_CONTENT = ("lead_id", "occurred_at", "kind", "channel", "campaign", "asset", "topic", "direction")
"""What makes a touch that has no id of its own."""
_EARLIEST = "TIMESTAMPTZ '1990-01-01 00:00:00+00'"
_HEADING = re.compile(r"[^\W\d][\w .()/%#&'-]{0,50}")
"""What a heading looks like; an address or a number in its place is somebody's."""


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
        A SELECT of `_source, _file, _row` (which identify the row), every column of the contract and attribute in its
        type, and `_problem`. Names of our own begin with an underscore, which no attribute's name does.

    Raises
    ------
    DataError
        If the source lacks a column that the contract requires or the playbook names.
    """
    wanted = [*contract.columns, *attributes]
    rules = _rules(wanted, source, scan)
    typed = _typed(wanted, rules, scan, source.time_zone or time_zone)
    if contract.name == "deals" and "closed_at" in typed:
        # The close date of an open deal is what somebody hopes for: it is no fact, and nothing may follow from it.
        ended = typed["outcome"].value if "outcome" in typed else "NULL"
        typed["closed_at"] = Typed(f"CASE WHEN ({ended}) IS NOT NULL THEN {typed['closed_at'].value} END")
    values = {c.name: typed[c.name].value if c.name in typed else f"NULL::{SQL_TYPES[c.type]}" for c in wanted}
    broken = [
        (f"({t.problem}) IS NOT NULL", f"({t.problem}) || {text(':' + name)}") for name, t in typed.items() if t.problem
    ]
    file = "1" if len(scan.files) == 1 else f"list_position([{texts(map(str, scan.files))}], {FILE})"
    inner = ", ".join(f"{value} AS {column(name)}" for name, value in values.items())
    read = (
        f"SELECT {position}::INTEGER AS _source, ({file})::INTEGER AS _file, file_row_number AS _row, {inner}, "
        f"{case(broken)} AS _broken FROM {scan.relation}{where_only(source, scan)}"
    )
    outer = ", ".join(_with_default(c.name, contract, source, rules) for c in wanted)
    return f"SELECT {ROW}, {outer}, {_time_rules(contract, now)} AS _problem FROM ({read})"


def select_nothing(contract: Contract, attributes: Sequence[Column]) -> str:
    """The same columns for an input that has no source."""
    nulls = ", ".join(f"NULL::{SQL_TYPES[c.type]} AS {column(c.name)}" for c in [*contract.columns, *attributes])
    row = "NULL::INTEGER AS _source, NULL::INTEGER AS _file, NULL::BIGINT AS _row"
    return f"SELECT {row}, {nulls}, NULL::VARCHAR AS _problem WHERE false"


def where_only(source: Source, scan: Scan) -> str:
    """The WHERE clause of a source that wants only some rows of its path; empty if it wants all."""
    return f" WHERE {claim(source, scan)}" if source.only else ""


def claim(source: Source, scan: Scan) -> str:
    """SQL that tells whether a row of the path belongs to this source.

    Raises
    ------
    DataError
        If the path has no such column.
    """
    kinds = scan.kinds
    missing = [name for name in source.only if name.lower() not in kinds]
    if missing:
        raise _lacks(missing, source, scan)
    conditions = [
        f"coalesce({raw_column(name, kinds).as_text} IN ({texts(v.strip() for v in values)}), false)"
        for name, values in source.only.items()
    ]
    return "(" + " AND ".join(conditions or ["true"]) + ")"


def _rules(wanted: Sequence[Column], source: Source, scan: Scan) -> dict[str, ColumnRule]:
    """The rule of each column: as the playbook says, or the source's column of the same name."""
    present = {name.lower(): name for name in scan.columns}
    rules: dict[str, ColumnRule] = {}
    missing: list[str] = []
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
        raise _lacks(missing, source, scan)
    return rules


def _lacks(missing: Sequence[str], source: Source, scan: Scan) -> DataError:
    lacks = f"lacks the column{'s' if len(missing) > 1 else ''} {', '.join(dict.fromkeys(missing))}"
    where = f"{scan.label} (as {source.table})"
    if not all(map(is_heading, scan.columns)):
        return DataError(where, f"{lacks}; its first line does not look like a header", "put a header on top")
    has = f"it has {', '.join(scan.columns)}"
    return DataError(where, f"{lacks}; {has}", "map our columns to the source's in `[sources.columns]`")


def is_heading(name: str) -> bool:
    """Whether a column's name can be shown: where the header is missing, the first row stands in its place."""
    return _HEADING.fullmatch(name) is not None


def _typed(wanted: Sequence[Column], rules: Mapping[str, ColumnRule], scan: Scan, zone: str | None) -> dict[str, Typed]:
    typed: dict[str, Typed] = {}
    for c in wanted:
        if c.name not in rules:
            continue
        raw = raw_value(rules[c.name], scan.kinds)
        result = type_value(c.type, raw, rules[c.name], zone)
        if c.required or c.name == "touch_id":  # a source that has ids has one for every touch
            problem = [(raw.blank, "'missing_value'"), *([("true", f"({result.problem})")] if result.problem else [])]
            result = Typed(result.value, case(problem))
        typed[c.name] = result
    return typed


def _with_default(name: str, contract: Contract, source: Source, rules: Mapping[str, ColumnRule]) -> str:
    if name == "touch_id" and name not in rules:
        # Touches without ids get one from their content, the same in every run and order.
        content = ", ".join(f"coalesce({part}::VARCHAR, '')" for part in TOUCH_CONTENT)
        return f"'touch-' || md5(concat_ws(chr(31), {content})) AS touch_id"
    if name == "known_at" and contract.happens_at not in (None, "known_at"):
        happened = "coalesce(closed_at, opened_at)" if contract.name == "deals" else contract.happens_at
        delay = int(source.known_after.total_seconds())
        later = f" + INTERVAL {delay} SECOND" if delay else ""
        return f"coalesce(known_at, {happened}{later}) AS known_at"
    return column(name)


def _time_rules(contract: Contract, now: datetime) -> str:
    """The first problem of the row: one found while typing, or a time that cannot be."""
    rules = [("_broken IS NOT NULL", "_broken")]
    for c in contract.columns:
        if c.type != "time":
            continue
        if contract.name != "accounts":  # companies may be older than the web
            rules.append((f"{c.name} < {_EARLIEST}", text(f"implausible_time:{c.name}")))
        rules.append((f"NOT isfinite({c.name}) OR {c.name} > {instant(now)}", text(f"future_time:{c.name}")))
    if contract.happens_at not in (None, "known_at") and "known_at" in contract.column_names:
        rules.append((f"known_at < {contract.happens_at}", text("known_before_it_happened:known_at")))
    return case(rules)


def instant(moment: datetime) -> str:
    """An instant as SQL."""
    return f"TIMESTAMPTZ {text(moment.isoformat())}"
