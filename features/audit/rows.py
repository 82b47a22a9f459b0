"""Checks of the rows of a training set: may each of them be there, and does it say what became of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from touchline.features.audit import limits
from touchline.features.audit.case import Case
from touchline.features.audit.codes import Code
from touchline.features.audit.findings import Figures, Finding, found
from touchline.features.audit.ranks import Auc, Floats, area_over, either_way
from touchline.features.snapshots.draw import create_snapshots

if TYPE_CHECKING:
    import pyarrow as pa


def check_lineage(case: Case) -> Iterator[Finding]:
    """LINEAGE: same data, same playbook, known leads, each row once."""
    recipe = case.training.manifest["recipe"]
    other = {
        "data": recipe.get("data") != case.tables.digest,
        "playbook": recipe.get("playbook") != case.playbook.digest,
    }
    ((rows, distinct, strangers),) = _ask(
        case,
        "SELECT count(*), count(DISTINCT (lead_id, as_of)), count(*) FILTER (lead_id NOT IN (SELECT lead_id FROM "
        f"{case.file('leads')})) FROM keys",
    )
    figures = {"rows": rows, "rows_twice": rows - distinct, "rows_of_unknown_leads": strangers}
    if strangers or rows > distinct:
        told = f"{rows - distinct:,} rows stand twice, {strangers:,} are of leads that the tables do not hold"
        yield found(Code.LINEAGE, "block", "rows", told, figures)
    for what, differs in other.items():
        if differs:
            yield found(Code.LINEAGE, "warn", what, f"the set was built from another {what}", figures)
    if not strangers and rows == distinct and not any(other.values()):
        yield found(Code.LINEAGE, "ok", "rows", f"{rows:,} rows, each once, of these tables and playbook", figures)


def check_statuses(case: Case) -> Iterator[Finding]:
    """EARLY_ROWS, MERGED_ROWS, CLOSED_ROWS, IMMATURE_ROWS, LABELS: every row's status is worked out again."""
    spans = case.windows
    con = case.w.con
    con.register("given", _keys(case))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE drawn AS "
        "SELECT DISTINCT lead_id, as_of FROM given SEMI JOIN leads USING (lead_id)"
    )
    create_snapshots(case.w, case.tables, spans)
    case.forget_credits()
    labelled = "s.status IN ('won', 'not_won')"
    counted = case.rows(
        "SELECT count(*), count(*) FILTER (epoch_us(greatest(l.created_at, l.known_at)) >= g.as_of), "
        "count(*) FILTER (epoch_us(l.merged_at) < g.as_of), count(*) FILTER (s.status = 'already_closed'), "
        "count(*) FILTER (s.status = 'open_deal'), count(*) FILTER (s.status = 'immature'), "
        "count(*) FILTER (s.status = 'immature' AND NOT g.is_won), "
        f"count(*) FILTER ({labelled} AND g.is_won <> (s.status = 'won')), count(*) FILTER ({labelled}) "
        "FROM given g JOIN snapshots s ON s.lead_id = g.lead_id AND s.as_of = g.as_of "
        "JOIN leads l ON l.lead_id = g.lead_id"
    )
    con.unregister("given")
    rows, early, merged, closed, is_open, immature, as_lost, wrong, judged = counted[0]
    yield _rows(Code.EARLY_ROWS, early, rows, "of leads not known yet")
    yield _rows(Code.MERGED_ROWS, merged, rows, "of leads merged away before")
    yield _rows(Code.CLOSED_ROWS, closed, rows, "of leads whose deal was over")
    if is_open:
        yield found(
            Code.CLOSED_ROWS, "warn", "rows", f"{is_open:,} rows of leads whose deal was open", {"rows": is_open}
        )
    told = f"whose window is not over ({as_lost:,} of them as not won)"
    yield _rows(Code.IMMATURE_ROWS, immature, rows, told if immature else "whose window is not over")
    yield _rows(Code.LABELS, wrong, judged, "whose label is not what deals and playbook say")


def _rows(code: Code, wrong: int, rows: int, what: str) -> Finding:
    figures = {"rows": wrong, "of": rows, "share": wrong / max(1, rows)}
    told = f"{wrong:,} of {rows:,} rows {what}" if wrong else f"none of {rows:,} rows {what}"
    return found(code, "block" if wrong else "ok", "rows", told, figures)


def check_accounts(case: Case) -> Iterator[Finding]:
    """SAME_ACCOUNT: a figure to know, no fault."""
    dates = np.unique(case.as_of)
    late = case.as_of >= dates[int(len(dates) * (1 - limits.LATEST))]
    if late.all():
        told = "all rows are as of one date"
        yield found(Code.SAME_ACCOUNT, "ok", "accounts", told, {"dates": len(dates)})
        return
    known = np.isin(case.group[late], np.unique(case.group[~late]))
    won = case.label[late]
    figures = {
        "late_rows": int(late.sum()),
        "share_known": float(known.mean()),
        "won_rows": int(won.sum()),
        "share_of_won_known": float(known[won].mean()) if won.any() else 0.0,
    }
    told = f"{known.mean():.0%} of the latest rows are of accounts that stand among the earlier rows"
    yield found(Code.SAME_ACCOUNT, "note", "accounts", told, figures)


def check_order(case: Case) -> Iterator[Finding]:
    """ID_OR_ORDER: an order of creation tells the lead's age, which is a feature; what tells more is a leak."""
    orders = _orders(case)
    age = _order_auc(case, orders.pop("created_at"))
    told = f"AUC {age.value:.2f} among rows of one date, which is what the lead's age says"
    figures: Figures = {"auc": age.value, "error": age.error}
    yield found(Code.ID_OR_ORDER, "note" if _tells(age) else "ok", "created_at", told, figures)
    for subject, order in orders.items():
        auc = _order_auc(case, order)
        beyond = Auc(auc.value - age.value, auc.parts - age.parts)
        only_age = _tells(auc) and _tells(age) and beyond.value - limits.CERTAIN * beyond.error <= 0
        bad = _tells(auc) and not only_age
        told = f"AUC {auc.value:.2f} among rows of one date" + (", no more than age says" if only_age else "")
        figures = {"auc": auc.value, "error": auc.error, "auc_of_created_at": age.value}
        yield found(Code.ID_OR_ORDER, "warn" if bad else "ok", subject, told, figures)


def _tells(auc: Auc) -> bool:
    return auc.value >= limits.ORDER and auc.value - limits.CERTAIN * auc.error >= limits.ORDER_CERTAIN


def _order_auc(case: Case, order: Floats) -> Auc:
    """AUC of an order among rows of one date: how base rates move over time is no fault of an order."""
    turn = np.lexsort((order, case.as_of))
    dates, order = case.as_of[turn], order[turn]
    starts = np.r_[True, (dates[1:] != dates[:-1]) | (order[1:] != order[:-1])]  # equal ones share a place
    place = np.flatnonzero(starts)[np.cumsum(starts) - 1].astype(np.float64)
    begin = np.searchsorted(dates, dates, "left")
    size = np.searchsorted(dates, dates, "right") - begin
    score = np.empty(len(order))
    score[turn] = (place - begin) / size
    return either_way(area_over(score, case.label, case.group))


def _orders(case: Case) -> dict[str, Floats]:
    """For each row where it stands by creation, by ids (shorter ones first: L9 before L10), and among the rows."""
    case.w.con.register("keys", _keys(case))
    found = case.w.con.execute(
        "SELECT created_at, lead_id, account_id FROM (SELECT lead_id AS id, i FROM keys) LEFT JOIN ("
        "SELECT lead_id AS id, epoch_us(created_at) AS created_at, "
        "row_number() OVER (ORDER BY length(lead_id), lead_id) AS lead_id, "
        f"dense_rank() OVER (ORDER BY length(account_id), account_id) AS account_id FROM {case.file('leads')}) "
        "USING (id) ORDER BY i"
    ).fetchnumpy()
    case.w.con.unregister("keys")
    orders = {name: np.ma.filled(column, 0).astype(np.float64) for name, column in found.items()}
    return {**orders, "order of rows": np.arange(len(case.label), dtype=np.float64)}


def _keys(case: Case) -> pa.Table:
    """lead_id, as_of in microseconds, the label, and the number of the row."""
    import pyarrow as pa

    lead: Any = case.training.arrow(["lead_id"])["lead_id"].cast(pa.string())
    columns: dict[str, Any] = {
        "lead_id": lead,
        "as_of": pa.array(np.ascontiguousarray(case.as_of, np.int64)),
        "is_won": pa.array(case.label),
        "i": pa.array(np.arange(len(case.label))),
    }
    return pa.table(columns)


def _ask(case: Case, query: str) -> list[tuple[Any, ...]]:
    """What a query over `keys`, the rows of the set, gives."""
    case.w.con.register("keys", _keys(case))
    try:
        return case.rows(query)
    finally:
        case.w.con.unregister("keys")
