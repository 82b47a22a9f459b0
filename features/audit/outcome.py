"""Checks of kinds, stages and changes against wins: what is part of winning is no sign of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from touchline.features.audit import limits
from touchline.features.audit.case import Case, quiet
from touchline.features.audit.codes import Code
from touchline.features.audit.findings import Figures, Finding, found
from touchline.features.audit.plot import DAY
from touchline.features.audit.sample import microseconds
from touchline.features.catalog.profile import AFTER_THE_OUTCOME
from touchline.features.sources.sql import texts


@dataclass(frozen=True)
class _Sort:
    """One kind of touch, stage or field, and how its facts stand to wins."""

    name: str
    leads: int
    """Leads of which it is known what followed their first such fact."""
    accounts: int
    followed: int
    """Of these leads the ones that were won within the window."""
    wins_after: int
    """Won leads that had such a fact before."""
    twins: int
    """Won leads that had one within the last day before the win."""
    twin_facts: int
    facts: int


def check_outcome(case: Case) -> Iterator[Finding]:
    """IMPLIES_OUTCOME and OUTCOME_TWIN."""
    if case.wins < limits.ENOUGH:
        for code in (Code.IMPLIES_OUTCOME, Code.OUTCOME_TWIN):
            yield quiet(code, f"only {case.wins} leads were won")
        return
    case.w.progress("holding facts against wins")
    _create_happened(case)
    sorts = _sorts(case)
    (days, wins) = _exposure(case)
    implying = [f for s in sorts if (f := _implies(s, wins))]
    twins = [f for s in sorts if (f := _twin(s, days, wins))]
    yield from implying or [_nothing(Code.IMPLIES_OUTCOME, sorts, lambda s: s.followed / max(1, s.leads), "are won")]
    what = "of wins have one the day before"
    yield from twins or [_nothing(Code.OUTCOME_TWIN, sorts, lambda s: s.twins / wins, what)]


def _create_happened(case: Case) -> None:
    """Create `happened` (sort, lead_id, took_place, entered in microseconds): touches, early stages, changes."""
    stages = [s.name for s in case.playbook.stages if s.role not in AFTER_THE_OUTCOME]
    history = [name for name, a in case.playbook.attributes.items() if a.known == "history"]
    known = "epoch_us(known_at)"
    case.w.con.execute(
        "CREATE OR REPLACE TEMP VIEW happened AS SELECT kind AS sort, lead_id, epoch_us(occurred_at) AS took_place, "
        f"greatest(epoch_us(occurred_at), {known}) AS entered FROM {case.file('touches')} "
        "WHERE merged_from IS NULL AND NOT machine UNION ALL "
        f"SELECT stage, lead_id, epoch_us(entered_at), greatest(epoch_us(entered_at), {known}) "
        f"FROM {case.file('stages')} WHERE merged_from IS NULL AND stage IN ({texts(stages)}) UNION ALL "
        f"SELECT field, lead_id, {known}, {known} FROM {case.file('changes')} "
        f"WHERE merged_from IS NULL AND lead_id IS NOT NULL AND field IN ({texts(history)}) "
        "QUALIFY row_number() OVER (PARTITION BY lead_id, field ORDER BY known_at) > 1"
    )


def _sorts(case: Case) -> list[_Sort]:
    spans = case.windows
    window = spans.gap + spans.horizon
    mature = microseconds(spans.data_end) - window - spans.lag
    rows = case.rows(
        "WITH per_lead AS (SELECT sort, h.lead_id, min(entered) AS first, count(*) AS facts, any_value(closed) AS won, "
        "min(entered) FILTER (entered < closed) AS before, "
        f"count(*) FILTER (entered < closed AND took_place >= closed - {DAY}) AS twins "
        "FROM happened h LEFT JOIN wins USING (lead_id) GROUP BY ALL), "
        "judged AS (SELECT *, coalesce(before, first) AS since FROM per_lead WHERE before IS NOT NULL OR won IS NULL) "
        f"SELECT sort, count(*) FILTER (since < {mature}), "
        f"count(DISTINCT coalesce('a' || account_id, lead_id)) FILTER (since < {mature}), "
        f"count(*) FILTER (since < {mature} AND won < since + {window}), count(before), "
        "count(*) FILTER (twins > 0), sum(twins), sum(facts) FROM judged JOIN leads USING (lead_id) "
        "GROUP BY 1 ORDER BY 1"
    )
    return [_Sort(str(row[0]), *(int(v or 0) for v in row[1:])) for row in rows]


def _exposure(case: Case) -> tuple[float, int]:
    """Days that leads were there before they were won, all together; and leads that were won."""
    end = microseconds(case.windows.data_end)
    ((us,),) = case.rows(
        f"SELECT sum(greatest(0, coalesce(closed, {end}) - epoch_us(created_at))) "
        "FROM leads LEFT JOIN wins USING (lead_id)"
    )
    return float(us) / DAY, case.wins


def _implies(s: _Sort, wins: int) -> Finding | None:
    share = s.followed / max(1, s.leads)
    if share < limits.IMPLIES_WARN or s.accounts < limits.ENOUGH:
        return None
    reach = s.wins_after / wins
    figures: Figures = {"leads": s.leads, "share_won": share, "share_of_wins": reach}
    told = f"of {s.leads:,} leads with it {share:.0%} are won within the window; {reach:.0%} of wins have it"
    return found(Code.IMPLIES_OUTCOME, "block" if share >= limits.IMPLIES_BLOCK else "warn", s.name, told, figures)


def _twin(s: _Sort, days: float, wins: int) -> Finding | None:
    rate = (s.facts - s.twin_facts) / max(1.0, days - wins)
    times = s.twin_facts / wins / max(rate, 1 / max(1.0, days))
    share = s.twins / wins
    if times <= limits.TWIN_TIMES or share <= limits.TWIN_SHARE or s.twins < limits.ENOUGH:
        return None
    figures: Figures = {"share_of_wins": share, "times_as_often": times, "facts": s.facts}
    told = f"{share:.0%} of wins have one within the day before, {times:,.0f} times as often as on other days"
    return found(Code.OUTCOME_TWIN, "warn", s.name, told, figures)


def _nothing(code: Code, sorts: list[_Sort], size: Callable[[_Sort], float], what: str) -> Finding:
    judged = [s for s in sorts if s.accounts >= limits.ENOUGH] or sorts
    if not judged:
        return found(code, "ok", "facts", "there are no facts", {"sorts": 0})
    top = max(judged, key=size)
    told = f"{len(sorts)} kinds of facts looked at; at most {size(top):.0%} {what}"
    return found(code, "ok", top.name, told, {"sorts": len(sorts), "largest": size(top)})
