"""Poison: absurd facts that no row as of an instant may see, kind by kind, planted into a copy of the tables."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from touchline.features.audit.plot import (
    DAY,
    FIRST,
    LAST,
    SECOND,
    Plot,
    added,
    changes,
    fields_with_history,
    stages,
    touches,
)
from touchline.features.audit.sample import Copy, columns_of, instant
from touchline.features.sources.sql import column, text, texts
from touchline.features.tables.rules import CHANGING_COLUMNS
from touchline.playbook import Playbook

AFTER = (1, SECOND, DAY, 30 * DAY, 400 * DAY)
"""Microseconds after as_of: just after, and long after."""
BEFORE = (1, 3 * 3600 * SECOND, 5 * DAY, 40 * DAY)
_MOST = 1e12
"""The sum of absurd values: huge, and still within what the features room agrees to sum."""


class Poison(StrEnum):
    """A kind of fact that a row as of T may not see."""

    AT_AS_OF = "at_as_of"
    """Touches at T exactly, known at T."""
    AFTER = "after"
    """Touches just after T, and long after."""
    LATE = "late"
    """Touches that happened before T and became known at T or after."""
    ABSURD = "absurd"
    """Touches after T, or known after T, with huge values, and names, topics and channels never heard of."""
    STAGES = "stages"
    """Stages entered at T or after, won and lost among them; or entered before and known at T or after."""
    CHANGES = "changes"
    """Changes of fields known at T or after."""
    DEALS = "deals"
    """Deals opened, won and lost at T or after; or ended before and known after."""
    NEW_LEADS = "new_leads"
    """Leads of the same accounts, created at T or after, with much history from then on."""
    UNKNOWN_LEADS = "unknown_leads"
    """Leads of the same accounts, created before T with touches before T, and known at T or after."""
    MERGES = "merges"
    """Leads merged at T or after, with copies of their facts known from then on."""
    REWRITES = "rewrites"
    """Facts of the tables themselves that became known at T or after, told otherwise."""


def plant(copy: Copy, playbook: Playbook, at: int, kinds: Iterable[Poison]) -> dict[str, int]:
    """Plant kinds of poison into the tables `p_…` of a copy; returns how many rows each of them added or changed."""
    plot = Plot(copy, playbook, at)
    wanted = set(kinds)
    return {str(kind): _PLANTERS[kind](plot) for kind in _PLANTERS if kind in wanted}


def _at_as_of(plot: Plot) -> int:
    return touches(plot, "at", plot.known, plot.times([(0, 0)] * 6))


def _after(plot: Plot) -> int:
    return touches(plot, "after", plot.known, plot.times([(t, t) for t in AFTER]))


def _late(plot: Plot) -> int:
    return touches(plot, "late", plot.known, plot.times([(-a, b) for a in BEFORE for b in (0, 1, 30 * DAY)]))


def _absurd(plot: Plot) -> int:
    offsets = [(0, 0), (DAY, DAY), (-DAY, DAY), (-1, 1)]
    rows = 2 * len(offsets) * plot.copy.count("SELECT count(*) FROM sampled")
    name = f"CASE j % 2 WHEN 0 THEN '{FIRST}' ELSE '{LAST}' END"
    names = ", ".join(f"{name} AS {c}" for c in ("campaign", "asset", "topic", "channel"))
    value = f"{_MOST / max(1, rows)} * (1 - 2 * (c % 2))"
    return touches(plot, "absurd", plot.known, plot.times(offsets), names=names, value=value)


def _stages(plot: Plot) -> int:
    return stages(plot, [(0, 0), *((t, t) for t in AFTER), (-DAY, 0), (-DAY, DAY), (-30 * DAY, 1)], outcome=True)


def _changes(plot: Plot) -> int:
    fields = dict.fromkeys(CHANGING_COLUMNS, "leads") | fields_with_history(plot.playbook)
    return changes(plot, [(0, 0), *((t, t) for t in AFTER)], fields)


def _deals(plot: Plot) -> int:
    """Deals of every other account: the rest stays open to be looked at much later."""
    gap, horizon = (int(d.total_seconds()) * SECOND for d in (plot.playbook.outcome.gap, plot.playbook.outcome.horizon))
    ends = (gap, gap + 1, gap + DAY, gap + horizon - 1, gap + horizon, gap + 2 * horizon)
    amount = plot.playbook.outcome.minimum_amount + 1e6
    return added(
        plot,
        "deals",
        f"SELECT 'poison-' || l.i || '-' || j AS deal_id, l.lead_id, l.account_id, {instant(plot.at)} AS opened_at, "
        "CASE WHEN (i + j) % 4 < 3 THEN occurred END AS closed_at, occurred AS known_at, "
        f"CASE (i + j) % 4 WHEN 3 THEN NULL WHEN 2 THEN 'lost' ELSE 'won' END AS outcome, {amount} AS amount "
        f"FROM {plot.known} CROSS JOIN {plot.times([(e, e) for e in ends])} WHERE l.account_no % 2 = 0 "
        f"UNION ALL SELECT 'poison-late-' || l.i, l.lead_id, l.account_id, NULL, occurred, known, 'lost', 0 "
        f"FROM {plot.known} CROSS JOIN {plot.times([(-DAY, DAY)])} WHERE l.account_no % 8 = 0",
    )


def _leads(plot: Plot, tag: str, times: list[tuple[int, int]]) -> str:
    """Add a lead per account and time, created and known then; returns them as a relation `l`."""
    who = (
        f"(SELECT '{tag}-' || s.account_no || '-' || j AS lead_id, s.lead_id AS like_lead, s.i, "
        f"occurred AS created_at, known AS known_at FROM sampled s CROSS JOIN {plot.times(times)} "
        "WHERE s.account_id IS NOT NULL "
        "QUALIFY row_number() OVER (PARTITION BY s.account_no, j ORDER BY s.i) = 1)"
    )
    added(
        plot,
        "leads",
        "SELECT s.* REPLACE (l.lead_id AS lead_id, l.created_at AS created_at, l.known_at AS known_at, "
        f"NULL AS merged_into, NULL AS merged_at) FROM {who} l JOIN s_leads s ON s.lead_id = l.like_lead",
    )
    return f"{who} l"


def _new_leads(plot: Plot) -> int:
    leads = _leads(plot, FIRST, [(0, 0), (1, 1), (DAY, DAY)])
    return touches(plot, "new", leads, plot.times([(t, t) for t in (*AFTER, 7 * DAY, 90 * DAY)]))


def _unknown_leads(plot: Plot) -> int:
    leads = _leads(plot, LAST, [(-60 * DAY, 0), (-60 * DAY, 1), (-60 * DAY, DAY)])
    return touches(plot, "unknown", leads, plot.times([(-t, -t) for t in BEFORE]))


def _merges(plot: Plot) -> int:
    """Each lead with an even number into the next, at T, just after, or weeks after."""
    con = plot.copy.con
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE pairs AS SELECT a.lead_id AS ends, b.lead_id AS goes_on, {instant(plot.at)} + "
        f"to_microseconds(CASE (a.i // 2) % 3 WHEN 0 THEN 0 WHEN 1 THEN 1 ELSE {20 * DAY} END) AS moment "
        "FROM sampled a JOIN sampled b ON b.i = a.i + 1 "
        "ANTI JOIN (SELECT unnest([lead_id, merged_into]) AS who FROM s_leads WHERE merged_into IS NOT NULL) m "
        f"ON m.who IN (a.lead_id, b.lead_id) WHERE a.i % 2 = 0 AND greatest(a.created_at, b.created_at) < "
        f"{instant(plot.at)}"
    )
    con.execute(
        "UPDATE p_leads SET merged_into = goes_on, merged_at = moment FROM pairs WHERE p_leads.lead_id = pairs.ends"
    )
    return sum(
        added(
            plot,
            table,
            "SELECT t.* REPLACE (goes_on AS lead_id, greatest(t.known_at, moment) AS known_at, ends AS merged_from) "
            f"FROM s_{table} t JOIN pairs ON t.lead_id = ends WHERE t.merged_from IS NULL",
        )
        for table in ("touches", "stages", "changes")
    )


def _rewrites(plot: Plot) -> int:
    """Tell every fact known at T or after otherwise; what happened before T still did."""
    t = instant(plot.at)
    kinds, names = list(plot.playbook.kinds), [s.name for s in plot.playbook.stages]
    moved = "{0} + CASE WHEN {0} < {1} THEN -INTERVAL 1 DAY ELSE INTERVAL 1 HOUR END".format
    another = f"list_extract([{texts(kinds)}], 1 + (hash(touch_id) % {len(kinds)})::BIGINT)"
    stage = f"list_extract([{texts(names)}], 1 + (hash(lead_id, entered_at) % {len(names)})::BIGINT)"
    told = 0
    for table, when, new in (
        (
            "touches",
            "greatest(occurred_at, known_at)",
            f"kind = {another}, campaign = '{FIRST}', asset = '{LAST}', occurred_at = {moved('occurred_at', t)}",
        ),
        ("stages", "greatest(entered_at, known_at)", f"stage = {stage}, entered_at = {moved('entered_at', t)}"),
        ("changes", "known_at", f"value = '{FIRST}'"),
        (
            "deals",
            "greatest(closed_at, known_at)",
            "amount = 1e6, outcome = CASE outcome WHEN 'won' THEN 'lost' WHEN 'lost' THEN 'won' END",
        ),
        *((table, "known_at", _absurd_attributes(plot, table)) for table in ("leads", "accounts")),
    ):
        if new:
            told += plot.copy.count(f"UPDATE p_{table} SET {new} WHERE {when} >= {t}")
    return told


def _absurd_attributes(plot: Plot, table: str) -> str:
    """SQL that sets every attribute of a table to something absurd."""
    absurd = {"text": text(FIRST), "number": "1e9", "boolean": "NOT coalesce({}, false)", "time": instant(plot.at)}
    present = columns_of(plot.copy.con, f"p_{table}")
    return ", ".join(
        f"{column(name)} = {absurd[a.type].format(column(name))}"
        for name, a in plot.playbook.attributes.items()
        if a.table == table and name in present
    )


_PLANTERS = {
    Poison.REWRITES: _rewrites,  # first, so that it tells the tables' own facts and no poison
    Poison.AT_AS_OF: _at_as_of,
    Poison.AFTER: _after,
    Poison.LATE: _late,
    Poison.ABSURD: _absurd,
    Poison.STAGES: _stages,
    Poison.CHANGES: _changes,
    Poison.DEALS: _deals,
    Poison.NEW_LEADS: _new_leads,
    Poison.UNKNOWN_LEADS: _unknown_leads,
    Poison.MERGES: _merges,
}


def truncate(copy: Copy, at: int) -> None:
    """Delete from the tables `p_…` all that was not known before an instant."""
    t, con = instant(at), copy.con
    gone = {
        "touches": "greatest(occurred_at, known_at)",
        "stages": "greatest(entered_at, known_at)",
        "changes": "known_at",
        "leads": "greatest(created_at, known_at)",
        "accounts": "known_at",
        "deals": "opened_at",
    }
    for table, when in gone.items():
        con.execute(f"DELETE FROM p_{table} WHERE {when} >= {t}")
    con.execute(f"DELETE FROM p_deals WHERE opened_at IS NULL AND greatest(closed_at, known_at) >= {t}")
    con.execute(
        "UPDATE p_deals SET closed_at = NULL, outcome = NULL, amount = NULL, known_at = opened_at "
        f"WHERE greatest(closed_at, known_at) >= {t}"
    )
    con.execute(f"UPDATE p_leads SET merged_into = NULL, merged_at = NULL WHERE merged_at >= {t}")
