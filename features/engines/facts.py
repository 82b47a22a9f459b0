"""The facts, as a query of whole numbers only: lead, times, class, value, codes."""

from __future__ import annotations

from collections.abc import Sequence

from touchline.features.engines.prepare import Prepared
from touchline.features.sources.sql import text
from touchline.features.tables import Tables


def facts_query(tables: Tables, prepared: Prepared, leads: tuple[int, int]) -> str:
    """SQL for all facts of leads `leads[0]` to `leads[1]` that the catalogue looks at, in any order.

    Columns are those of `Block.facts`, all of type BIGINT.
    """
    used = {c.table for c in prepared.classes.all}
    parts = {"touches": touches_query, "stages": _stages, "changes": _changes}
    selects = [parts[table](tables, prepared, leads) for table in parts if table in used]
    return " UNION ALL ".join(selects) or f"SELECT {', '.join(['0::BIGINT'] * prepared.width)} WHERE false"


def touches_query(tables: Tables, prepared: Prepared, leads: tuple[int, int], *, beside: Sequence[str] = ()) -> str:
    """SQL for the touches among them; `beside` comes along: columns of the touch (`t`) or of its lead (`n`)."""
    apart = "".join(f" AND c.{name} = coalesce(t.{name}, '')" for name in prepared.classes.told_apart)
    entered = "greatest(epoch_us(t.occurred_at), epoch_us(t.known_at), n.known)"
    columns = ["n.lead_no::BIGINT", "epoch_us(t.occurred_at)", entered, "c.class"]
    if prepared.lowered.needs_values:
        columns.append("coalesce(round(t.value * 1e6), 0)::BIGINT")
    joins = ""
    for d in prepared.brought:
        if d == "changed_value":
            columns.append("-1::BIGINT")
            continue
        columns.append(f"coalesce(names_{d}.code, -1)")
        joins += f" LEFT JOIN names_{d} ON names_{d}.name = t.{d}"
    return (
        f"SELECT {', '.join([*columns, *beside])} FROM read_parquet({text(tables.file('touches'))}) t "
        f"JOIN {_numbered(leads)} n USING (lead_id) "
        "JOIN class_numbers c ON c.source = 'touches' AND c.kind = t.kind AND c.machine = t.machine "
        f"AND c.copied = (t.merged_from IS NOT NULL){apart}{joins} "
        f"WHERE {entered} < {prepared.known_before}"
    )


def _stages(tables: Tables, prepared: Prepared, leads: tuple[int, int]) -> str:
    entered = "greatest(epoch_us(t.entered_at), epoch_us(t.known_at), n.known)"
    columns = ["n.lead_no::BIGINT", "epoch_us(t.entered_at)", entered, "c.class"]
    columns += ["0::BIGINT"] * prepared.lowered.needs_values + ["-1::BIGINT"] * len(prepared.brought)
    return (
        f"SELECT {', '.join(columns)} FROM read_parquet({text(tables.file('stages'))}) t "
        f"JOIN {_numbered(leads)} n USING (lead_id) JOIN class_numbers c "
        "ON c.source = 'stages' AND c.kind = t.stage AND c.copied = (t.merged_from IS NOT NULL) "
        f"WHERE {entered} < {prepared.known_before}"
    )


def _changes(tables: Tables, prepared: Prepared, leads: tuple[int, int]) -> str:
    """Changes of leads; and those of accounts, each laid to the account's first lead."""
    cleared = len(prepared.names.get("changed_value", ()))  # the code of a value that was taken away
    codes = [f"coalesce(v.code, {cleared})" if d == "changed_value" else "-1::BIGINT" for d in prepared.brought]
    rest = ", ".join(["0::BIGINT"] * prepared.lowered.needs_values + codes)
    changed = (
        f"read_parquet({text(tables.file('changes'))}) t "
        "JOIN class_numbers c ON c.source = 'changes' AND c.kind = t.field "
        "LEFT JOIN names_changed_value v ON v.name = t.value"
    )
    known = "epoch_us(t.known_at)"
    entered = f"greatest({known}, n.known)"
    return (
        f"SELECT n.lead_no::BIGINT, {known}, {entered}, c.class, {rest} FROM {changed} "
        f"JOIN {_numbered(leads)} n ON n.lead_id = t.lead_id "
        f"WHERE NOT c.of_account AND t.merged_from IS NULL AND {entered} < {prepared.known_before} "
        f"UNION ALL SELECT n.lead_no::BIGINT, {known}, {known}, c.class, {rest} FROM {changed} "
        "JOIN (SELECT account_id, min(lead_no) AS lead_no FROM "
        f"{_numbered(leads)} WHERE account_id IS NOT NULL GROUP BY 1) n ON n.account_id = t.account_id "
        f"WHERE c.of_account AND {known} < {prepared.known_before}"
    )


def _numbered(leads: tuple[int, int]) -> str:
    return f"(SELECT * FROM numbered WHERE lead_no >= {leads[0]} AND lead_no < {leads[1]})"
