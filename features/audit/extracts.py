"""Checks of what is said to be fixed, or known since: against recorded changes, and against an earlier extract."""

from __future__ import annotations

from collections.abc import Iterator

from touchline.features.audit import limits
from touchline.features.audit.case import Case, quiet
from touchline.features.audit.codes import Code
from touchline.features.audit.findings import Figures, Finding, Severity, found
from touchline.features.audit.sample import columns_of
from touchline.features.catalog import Attribute
from touchline.features.sources.sql import column, text
from touchline.features.tables import Tables


def fixed_fields(case: Case) -> dict[str, str]:
    """Fields that the catalogue reads as fixed at creation -> their table."""
    fields: dict[str, str] = {}
    for feature in case.catalog:
        if isinstance(feature, Attribute):
            declared = case.playbook.attributes.get(feature.attribute)
            if declared is None or declared.known == "creation":
                fields[feature.attribute] = declared.table if declared else "leads"
    return fields


def check_history(case: Case) -> Iterator[Finding]:
    """HAS_HISTORY: changes of fixed fields, kept in the tables or set aside because nobody asked for them."""
    fields = fixed_fields(case)
    changed = dict.fromkeys(fields, 0)
    changed |= _kept_changes(case, fields) | _set_aside_changes(case, fields)
    owners = {t: max(1, case.tables.rows(t)) for t in ("leads", "accounts")}
    yielded = False
    for name, n in changed.items():
        if not n:
            continue
        yielded = True
        share = n / owners[fields[name]]
        figures: Figures = {"changed": n, "share": share}
        told = f"{n:,} {fields[name]} ({share:.1%}) have a recorded change of it after creation"
        yield found(Code.HAS_HISTORY, "warn" if share >= limits.HISTORY_WARN else "note", name, told, figures)
    if not yielded:
        told = f"no recorded change of any of {len(fields)} fields"
        yield found(Code.HAS_HISTORY, "ok", "changes", told, {"fields": len(fields)})


def _kept_changes(case: Case, fields: dict[str, str]) -> dict[str, int]:
    """Field -> owners with more than one value in `changes`."""
    rows = case.rows(
        "SELECT field, count(*) FROM (SELECT field FROM "
        f"{case.file('changes')} WHERE merged_from IS NULL GROUP BY field, lead_id, account_id "
        "HAVING count(DISTINCT coalesce(value, '')) > 1) GROUP BY 1"
    )
    return {str(field): int(n) for field, n in rows if field in fields}


def _set_aside_changes(case: Case, fields: dict[str, str]) -> dict[str, int]:
    """The same of rows that the check set aside because the playbook calls the field fixed."""
    file = case.tables.folder / "quarantine.parquet"
    if not file.exists() or not fields:
        return {}
    rows = case.rows(
        "SELECT field, count(*) FROM (SELECT list_extract(parts, 1) AS owner, list_extract(parts, -2) AS field FROM "
        f"(SELECT string_split(row_key, ' | ') AS parts FROM read_parquet({text(file)}) "
        "WHERE \"table\" = 'changes' AND code = 'unknown_field') GROUP BY ALL HAVING count(*) > 1) GROUP BY 1"
    )
    return {str(field): int(n) for field, n in rows if field in fields}


def check_earlier(case: Case) -> Iterator[Finding]:
    """CHANGED_SINCE and BACKFILLED: both need an earlier extract of the same company."""
    if case.earlier is None:
        for code in (Code.CHANGED_SINCE, Code.BACKFILLED):
            yield quiet(code, "no earlier extract was given (`earlier=`)")
        return
    case.w.progress("holding the tables against an earlier extract")
    yield from _changed(case, case.earlier)
    yield from _backfilled(case, case.earlier)


def _changed(case: Case, earlier: Tables) -> Iterator[Finding]:
    fields = {"account_id": "leads", "created_at": "leads", **fixed_fields(case)}
    key = {"leads": "lead_id", "accounts": "account_id"}
    fine = 0
    for name, table in fields.items():
        before = f"read_parquet({text(earlier.file(table))})"
        present = all(name in columns_of(case.w.con, f"SELECT * FROM {file}") for file in (before, case.file(table)))
        if not present:
            continue
        ((both, changed, filled, won),) = case.rows(
            f"SELECT count(*), count(*) FILTER (a.v IS DISTINCT FROM b.v), count(*) FILTER (a.v IS NULL AND b.v IS NOT "
            f"NULL), count(*) FILTER (a.v IS DISTINCT FROM b.v AND k IN ({_won_keys(case, table)})) "
            f"FROM (SELECT {key[table]} AS k, {column(name)} AS v FROM {before}) a "
            f"JOIN (SELECT {key[table]} AS k, {column(name)} AS v FROM {case.file(table)}) b USING (k)"
        )
        share = changed / max(1, both)
        if not changed:
            fine += 1
            continue
        severity: Severity = "block" if share >= limits.CHANGED_BLOCK else "warn"
        figures: Figures = {"compared": both, "changed": changed, "share": share, "filled_since": filled, "won": won}
        told = f"differs for {changed:,} of {both:,} {table} ({share:.1%}); {won:,} of these are won"
        yield found(Code.CHANGED_SINCE, severity, name, told, figures)
    if fine:
        told = f"{fine} of {len(fields)} fields are the same in both extracts"
        yield found(Code.CHANGED_SINCE, "ok", "fields", told, {"fields": fine})


def _won_keys(case: Case, table: str) -> str:
    _ = case.wins
    of = "lead_id" if table == "leads" else "account_id"
    return f"SELECT {of} FROM leads SEMI JOIN wins USING (lead_id) WHERE {of} IS NOT NULL"


def _backfilled(case: Case, earlier: Tables) -> Iterator[Finding]:
    """Facts of leads that both extracts hold, known (they say) before the last fact that the earlier one knew."""
    before = {t: f"read_parquet({text(earlier.file(t))})" for t in ("leads", "touches", "stages")}
    case.w.con.execute(
        "CREATE OR REPLACE TEMP TABLE until AS SELECT epoch_us(max(known_at)) AS until FROM "
        f"(SELECT known_at FROM {before['touches']} UNION ALL SELECT known_at FROM {before['stages']})"
    )
    now = _facts(case.file("touches"), case.file("stages"))
    then = _facts(before["touches"], before["stages"])
    rows = case.rows(
        f"SELECT sort, count(*), count(*) FILTER (b.entered IS NULL) FROM (SELECT * FROM ({now}), until "
        f"WHERE entered < until) n SEMI JOIN {before['leads']} USING (lead_id) "
        f"LEFT JOIN ({then}) b USING (sort, lead_id, took_place) GROUP BY 1 ORDER BY 1"
    )
    wrong = [(sort, facts, n) for sort, facts, n in rows if n >= max(limits.ENOUGH, limits.BACKFILLED_WARN * facts)]
    for sort, facts, missing in wrong:
        share = missing / facts
        severity: Severity = "block" if share >= limits.BACKFILLED_BLOCK else "warn"
        told = f"{missing:,} of {facts:,} ({share:.1%}) say they were known then, and are not in the earlier extract"
        yield found(Code.BACKFILLED, severity, sort, told, {"facts": facts, "missing": missing, "share": share})
    if not wrong:
        worst = max((n / facts for _, facts, n in rows), default=0.0)
        told = f"{len(rows)} kinds of facts; at most {worst:.1%} were not in the earlier extract"
        yield found(Code.BACKFILLED, "ok", "facts", told, {"kinds": len(rows), "largest": worst})


def _facts(touches: str, stages: str) -> str:
    """SQL for the facts of two tables: sort, lead_id, took_place, entered (microseconds), each once."""
    return (
        "SELECT kind AS sort, lead_id, occurred_at AS took_place, "
        "min(epoch_us(greatest(known_at, occurred_at))) AS entered "
        f"FROM {touches} WHERE merged_from IS NULL GROUP BY ALL "
        "UNION ALL SELECT stage, lead_id, entered_at, min(epoch_us(greatest(known_at, entered_at))) "
        f"FROM {stages} WHERE merged_from IS NULL GROUP BY ALL"
    )
