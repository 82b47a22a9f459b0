"""Outcomes: a log of events that end deals, folded into one row per deal."""

from __future__ import annotations

from touchline.features.tables.workspace import Workspace

LIVE = (
    '(FROM checked_outcomes ANTI JOIN (FROM marks_outcomes WHERE flaw IS NOT NULL) USING (source, file, "row") '
    "WHERE flaw IS NULL)"
)


def folded_deals() -> str:
    """SQL for the deals that the log tells of: the last event that says won or lost ends the deal.

    Events without an outcome belong to the end and say nothing of their own. A deal that only has such events is open.
    """
    last = "ORDER BY occurred_at DESC, outcome DESC"
    ended = "FILTER (outcome IS NOT NULL)"
    return (
        f"SELECT deal_id, first(lead_id ORDER BY occurred_at, lead_id) AS lead_id, NULL::VARCHAR AS account_id, "
        f"NULL::TIMESTAMPTZ AS opened_at, max(occurred_at) {ended} AS closed_at, "
        f"coalesce(first(known_at {last}) {ended}, min(known_at)) AS known_at, "
        f"first(outcome {last}) {ended} AS outcome, first(amount {last}) {ended} AS amount "
        f"FROM {LIVE} GROUP BY deal_id"
    )


def contradictions(w: Workspace) -> int:
    """Deals whose log says both won and lost."""
    return w.count(
        f"SELECT count(*) FROM (SELECT deal_id FROM {LIVE} GROUP BY deal_id HAVING count(DISTINCT outcome) > 1)"
    )
