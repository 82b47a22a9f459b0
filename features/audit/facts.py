"""Checks of the facts themselves: who made them, when they became known, where they came from."""

from __future__ import annotations

from collections.abc import Iterator

from touchline.features.audit import limits
from touchline.features.audit.case import Case, quiet
from touchline.features.audit.codes import Code
from touchline.features.audit.findings import Figures, Finding, found
from touchline.features.audit.look import fill_rates
from touchline.features.audit.plot import DAY
from touchline.features.sources.sql import texts


def check_machines(case: Case) -> Iterator[Finding]:
    """MACHINE_TOUCHES: by the playbook's scanners, or else by what comes in on the channel of what goes out."""
    sends, reactions = _mail_kinds(case)
    if not sends or not reactions:
        yield quiet(Code.MACHINE_TOUCHES, "the playbook has no kinds that are sent and answered")
        return
    own = "merged_from IS NULL"
    rows = case.rows(
        "SELECT t.kind, count(*), count(*) FILTER (epoch_us(t.occurred_at) - epoch_us(s.occurred_at) <= "
        f"{limits.MACHINE_SECONDS * 1_000_000}) FROM (SELECT lead_id, kind, occurred_at FROM {case.file('touches')} "
        f"WHERE kind IN ({texts(reactions)}) AND NOT machine AND {own}) t ASOF LEFT JOIN (SELECT lead_id, occurred_at "
        f"FROM {case.file('touches')} WHERE kind IN ({texts(sends)}) AND {own}) s "
        "ON t.lead_id = s.lead_id AND t.occurred_at >= s.occurred_at GROUP BY 1 ORDER BY 1"
    )
    if not rows:
        yield quiet(Code.MACHINE_TOUCHES, "there are no opens or clicks")
        return
    for kind, total, quick in rows:
        share = quick / total
        told = f"{share:.1%} of {total:,} come within {limits.MACHINE_SECONDS} s of a send and are not marked"
        figures: Figures = {"touches": total, "quick": quick, "share": share}
        yield found(Code.MACHINE_TOUCHES, "warn" if share > limits.MACHINE_SHARE else "ok", kind, told, figures)


def _mail_kinds(case: Case) -> tuple[list[str], list[str]]:
    rule = case.playbook.scanners
    if rule is not None:
        return list(rule.sends), [*rule.opens, *rule.clicks]
    kinds = case.playbook.kinds
    sends = {name: kind.channel for name, kind in kinds.items() if kind.direction == "outbound" and kind.channel}
    answers = [n for n, k in kinds.items() if k.direction == "inbound" and k.engagement and k.channel in sends.values()]
    return list(sends), answers


def check_late(case: Case) -> Iterator[Finding]:
    """LATE_FACTS: the share known a day late or more, by kind; and kinds that never are although others are."""
    rows = case.rows(
        "SELECT kind, count(*), avg((late >= "
        f"{limits.LATE_DAYS * DAY})::INTEGER), avg((late > 0)::INTEGER), quantile_disc(late, 0.99) FROM ("
        "SELECT kind, epoch_us(known_at) - epoch_us(occurred_at) AS late "
        f"FROM {case.file('touches')} WHERE merged_from IS NULL UNION ALL "
        f"SELECT 'stages', epoch_us(known_at) - epoch_us(entered_at) FROM {case.file('stages')} "
        "WHERE merged_from IS NULL UNION ALL "
        f"SELECT 'deals', epoch_us(known_at) - epoch_us(closed_at) FROM {case.file('deals')} "
        "WHERE closed_at IS NOT NULL) GROUP BY 1 ORDER BY 1"
    )
    late = [(kind, n, share, tail) for kind, n, share, _, tail in rows if share > 0]
    for kind, n, share, tail in late:
        figures: Figures = {"facts": n, "share_late": share, "days_late_p99": tail / DAY}
        told = f"{share:.1%} of {n:,} became known a day or more after they happened"
        yield found(Code.LATE_FACTS, "note" if share > limits.LATE_SHARE else "ok", kind, told, figures)
    never = [kind for kind, _, _, any_late, _ in rows if not any_late]
    if late and never:
        told = f"never late, though others are: {', '.join(never)}"
        yield found(Code.LATE_FACTS, "note", "known_at", told, {"kinds_never_late": len(never)})
    elif not late:
        told = "every fact is known when it happened; true of few sources"
        yield found(Code.LATE_FACTS, "note", "known_at", told, {"kinds_never_late": len(never)})


def check_imports(case: Case) -> Iterator[Finding]:
    """MASS_IMPORT: the most frequent instant of creation."""
    ((n, most),) = case.rows(
        f"SELECT sum(n), max(n) FROM (SELECT count(*) AS n FROM {case.file('leads')} GROUP BY created_at)"
    )
    share = most / max(1, n)
    bad = share > limits.MASS_SHARE and most >= limits.ENOUGH
    told = f"at most {most:,} of {n:,} leads were created at the same instant ({share:.1%})"
    yield found(Code.MASS_IMPORT, "warn" if bad else "ok", "leads", told, {"leads": int(most), "share": share})


def check_account_filled(case: Case) -> Iterator[Finding]:
    """ACCOUNT_FILLED: whether having an account at all goes with winning."""
    import numpy as np

    filled = np.asarray(case.training.arrow(["account_id"])["account_id"].is_valid())
    rates = fill_rates(filled, case.outcome)
    bad = rates.ratio > limits.FILL_RATIO and rates.accounts >= limits.ENOUGH
    told = f"{rates.won:.1%} of won {rates.of} and {rates.other:.1%} of others have an account"
    figures: Figures = {"filled_won": rates.won, "filled_other": rates.other, "ratio": rates.ratio}
    yield found(Code.ACCOUNT_FILLED, "warn" if bad else "ok", "account_id", told, figures)


def check_sales(case: Case) -> Iterator[Finding]:
    """SALES_ACTIVITY: a figure to know, and how to do without."""
    kinds = [name for name, kind in case.playbook.kinds.items() if kind.direction == "sales"]
    families = {case.playbook.kinds[k].family for k in kinds}
    if not kinds:
        yield quiet(Code.SALES_ACTIVITY, "the playbook has no kinds of direction sales")
        return
    ((total, by_sales),) = case.rows(
        f"SELECT count(*), count(*) FILTER (kind IN ({texts(kinds)})) FROM {case.file('touches')} "
        "WHERE merged_from IS NULL AND NOT machine"
    )
    words = dict.fromkeys([*kinds, *sorted(families)])
    mine = [t for t in case.told if any(word in t.name for word in words)]
    best = max(mine, key=lambda t: t.auc.value, default=None)
    share = by_sales / max(1, total)
    figures: Figures = {"share_of_touches": share, "features": len(mine), "best_auc": best.auc.value if best else 0.5}
    told = f"{share:.1%} of touches are what sales did; no feature is named after it"
    if best:
        used = [word for word in words if any(word in t.name for t in mine)]
        drop = ", ".join(f'"*{w}*"' for w in used if not any(other in w for other in used if other != w))
        told = (
            f"{share:.1%} of touches are what sales did; its {len(mine)} features tell at most an AUC of "
            f"{best.auc.value:.2f} ({best.name}), and catalog.drop({drop}) leaves them out"
        )
    yield found(Code.SALES_ACTIVITY, "note", ", ".join(sorted(families)), told, figures)
