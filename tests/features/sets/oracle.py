"""Every declaration by plain SQL over pairs of (row, fact): slow, simple, and written without a look at the kernel."""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd

from touchline.features import Catalog, Tables
from touchline.features.catalog import (
    Account,
    Age,
    Attribute,
    Burst,
    Calendar,
    Count,
    DaysInStage,
    DaysSince,
    DaysSinceFirst,
    DaysSinceStage,
    Decayed,
    Distinct,
    Feature,
    First,
    Gap,
    Last,
    New,
    Rate,
    Share,
    StageCount,
    StageNow,
    Sum,
    TouchFeature,
    Trend,
)

DAY = 86_400_000_000


def by_sql(tables: Tables, catalog: Catalog, rows: pd.DataFrame) -> pd.DataFrame:
    """The features of rows (lead_id, as_of), in their order."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    for name in tables.manifest["tables"]:
        con.execute(f"CREATE VIEW {name} AS FROM read_parquet('{tables.file(name)}')")
    con.register("asked", rows.assign(row=range(len(rows))))
    con.execute("CREATE TABLE r AS SELECT row, lead_id, as_of, epoch_us(as_of) AS t, "
                "account_id, coalesce('a' || account_id, 'l' || lead_id) AS company FROM asked JOIN leads "
                "USING (lead_id)")  # fmt: skip
    kinds = ", ".join(f"('{n}', '{k.family}', {k.engagement})" for n, k in catalog.playbook.kinds.items())
    con.execute(f"CREATE TABLE kinds AS FROM (VALUES {kinds}) v(kind, family, engagement)")
    fact = (
        "SELECT *, epoch_us(occurred_at) AS at, occurred_at::DATE AS day, l.lead_id AS person, "
        "coalesce('a' || l.account_id, 'l' || l.lead_id) AS company, "
        "greatest(f.known_at, l.known_at) AS since FROM touches f JOIN kinds USING (kind) JOIN leads l USING (lead_id)"
    )
    seen = "f.occurred_at < r.as_of AND f.since < r.as_of"
    con.execute(f"CREATE VIEW own AS SELECT r.row, r.t - f.at AS age, f.* FROM r JOIN ({fact}) f "
                f"ON f.lead_id = r.lead_id AND {seen}")  # fmt: skip
    con.execute(f"CREATE VIEW everybody AS SELECT r.row, r.t - f.at AS age, f.* FROM r JOIN ({fact}) f "
                f"ON f.company = r.company AND f.merged_from IS NULL AND {seen}")  # fmt: skip
    con.execute("CREATE VIEW journey AS SELECT r.row, r.t - epoch_us(s.entered_at) AS age, s.* FROM r JOIN stages s "
                "ON s.lead_id = r.lead_id AND s.entered_at < r.as_of AND s.known_at < r.as_of "
                "JOIN leads l ON l.lead_id = s.lead_id AND l.known_at < r.as_of")  # fmt: skip
    found = con.sql("SELECT lead_id, as_of, row FROM r ORDER BY row").to_arrow_table().to_pandas()
    views: dict[str, dict[str, str]] = {"own": {}, "everybody": {}, "journey": {}}
    for feature in catalog:
        view, expression = _aggregate(feature, catalog)
        if view:
            views[view][feature.name] = expression
        else:
            found[feature.name] = con.sql(expression).to_arrow_table().to_pandas()["x"]
    for view, expressions in views.items():
        if expressions:
            selected = ", ".join(f'{e} AS "{name}"' for name, e in expressions.items())
            # A row that no fact belongs to still has counts, of nothing.
            some = f"(SELECT row, * EXCLUDE (row) FROM {view} UNION ALL BY NAME SELECT row FROM r)"
            found = found.merge(
                con.sql(f"SELECT row, {selected} FROM {some} GROUP BY row").to_arrow_table().to_pandas(), on="row"
            )
    con.close()
    return found.sort_values("row")[["lead_id", "as_of", *catalog.names]].reset_index(drop=True)


def _aggregate(feature: Feature, catalog: Catalog) -> tuple[str, str]:
    if isinstance(feature, Account):
        return "everybody", _touches(feature.inner)
    if isinstance(feature, TouchFeature):
        return "own", _touches(feature)
    stages = {s.name: i for i, s in enumerate(catalog.playbook.stages) if s.role not in ("won", "lost")}
    before = f"stage IN ({', '.join(repr(s) for s in stages)})"
    order = "CASE stage " + " ".join(f"WHEN '{s}' THEN {i}" for s, i in stages.items()) + " END"
    match feature:
        case StageNow():
            return "journey", f"(list(stage ORDER BY age, {order} DESC) FILTER ({before}))[1]"
        case DaysInStage():
            return "journey", f"min(age) FILTER ({before}) / {DAY}"
        case DaysSinceStage():
            return "journey", f"min(age) FILTER (stage = '{feature.stage}') / {DAY}"
        case StageCount():
            return "journey", f"count(*) FILTER (stage = '{feature.stage}')"
        case Age():
            return "", _each(f"(t - epoch_us(l.created_at)) / {DAY}")
        case Calendar():
            return "", _each(_calendar(feature.part))
        case Attribute():
            return "", _attribute(feature, catalog)
        case _:
            raise TypeError(type(feature))


def _touches(f: TouchFeature) -> str:
    of: str = {"person": "person", "day": "day"}.get(getattr(f, "of", ""), getattr(f, "of", ""))
    days: Any = getattr(f, "days", None)
    here = _where(f)
    recent = here + (f" AND age <= {days * DAY}" if days is not None else "")
    match f:
        case Count():
            return f"count(*) FILTER ({recent})"
        case Sum():
            return f"coalesce(sum(value) FILTER ({recent}), 0)"
        case New():
            return f"count(DISTINCT {of}) FILTER ({here}) - count(DISTINCT {of}) FILTER ({here} AND age > {days * DAY})"
        case Distinct():
            return f"count(DISTINCT {of}) FILTER ({recent})"
        case DaysSince():
            return f"min(age) FILTER ({here}) / {DAY}"
        case DaysSinceFirst():
            return f"max(age) FILTER ({here}) / {DAY}"
        case Decayed():
            return f"coalesce(sum(pow(0.5, age / {f.half_life * DAY})) FILTER ({here}), 0)"
        case First():
            return f"(list({of} ORDER BY age DESC, {of}) FILTER ({here} AND {of} IS NOT NULL))[1]"
        case Last():
            return f"(list({of} ORDER BY age, {of} DESC) FILTER ({here} AND {of} IS NOT NULL))[1]"
        case Gap():
            span = f"max(age) FILTER ({here}) - min(age) FILTER ({here})"
            return f"({span}) / nullif(count(*) FILTER ({here}) - 1, 0) / {DAY}"
        case Burst():
            return f"coalesce(list_max(map_values(histogram(day) FILTER ({recent}))), 0)"
        case Trend():
            late = f"count(*) FILTER ({here} AND age <= {f.days * DAY}) / {f.days}"
            return f"{late} / nullif(count(*) FILTER ({here} AND age <= {f.against * DAY}) / {f.against}, 0)"
        case Share():
            return f"count(*) FILTER ({recent}) / nullif(count(*) FILTER ({recent.replace(here, _where(Count()))}), 0)"
        case Rate():
            per = recent.replace(here, _where(Count(kind=f.per)))
            return f"count(*) FILTER ({recent}) / nullif(count(*) FILTER ({per}), 0)"
        case _:
            raise TypeError(type(f))


def _where(f: TouchFeature) -> str:
    parts = ["kind IS NOT NULL"]
    for name, wanted in (("kind", f.kind), ("channel", f.channel), ("topic", f.topic), ("direction", f.direction),
                         ("family", f.of_family)):  # fmt: skip
        names = (wanted,) if isinstance(wanted, str) else wanted
        if names:
            parts.append(f"coalesce({name} IN ({', '.join(repr(n) for n in names)}), false)")
    if f.engagement is not None:
        parts.append(f"engagement = {f.engagement}")
    if f.machine is not None:
        parts.append(f"machine = {f.machine}")
    return " AND ".join(parts)


def _each(expression: str) -> str:
    accounts = "LEFT JOIN accounts a ON a.account_id = r.account_id AND a.known_at < r.as_of"
    return f"SELECT {expression} AS x FROM r JOIN leads l ON l.lead_id = r.lead_id {accounts} ORDER BY row"


def _calendar(part: str) -> str:
    return {
        "day_of_week": "isodow(as_of)",
        "month": "month(as_of)",
        "week_of_quarter": "date_diff('day', date_trunc('quarter', as_of), as_of) // 7 + 1",
        "days_to_quarter_end": "date_diff('day', as_of::DATE, (date_trunc('quarter', as_of) + INTERVAL 3 MONTH)::DATE)",
    }[part]


def _attribute(feature: Attribute, catalog: Catalog) -> str:
    declared = catalog.playbook.attributes.get(feature.attribute)
    table = "a" if declared and declared.table == "accounts" else "l"
    if declared is None or declared.known == "creation":
        return _each(f"{table}.{feature.attribute}")
    of_lead = "c.lead_id = r.lead_id AND c.merged_from IS NULL AND l.known_at < r.as_of"
    whose = "c.account_id = r.account_id" if table == "a" else of_lead
    known = f"{whose} AND field = '{feature.attribute}' AND c.known_at < r.as_of"
    value = f"(SELECT value FROM changes c WHERE {known} ORDER BY c.known_at DESC LIMIT 1)"
    if declared.type == "number":
        value = f"{value}::DOUBLE"
    elif declared.type == "boolean":
        value = f"({value}::BOOLEAN)::INT"
    elif declared.type == "time":
        value = f"(t - epoch_us(({value})::TIMESTAMPTZ)) / {DAY}"
    return _each(value)
