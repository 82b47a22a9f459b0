"""Outcomes: a log of events that end deals, folded into one row per deal."""

from __future__ import annotations

from touchline.features.tables.workspace import Workspace


def create_folded(w: Workspace) -> None:
    """Create the table `folded`: the deals that the log of outcomes tells of.

    The last event that says won or lost ends the deal. Events without an outcome belong to the end and say nothing of
    their own; a deal that only has such events is open.
    """
    last = "ORDER BY occurred_at DESC, outcome DESC, known_at DESC, amount DESC, lead_id"
    ended = "FILTER (outcome IS NOT NULL)"
    w.con.execute(
        "CREATE TEMP TABLE folded AS "
        "SELECT deal_id, first(lead_id ORDER BY occurred_at, lead_id) AS lead_id, NULL::VARCHAR AS account_id, "
        f"NULL::TIMESTAMPTZ AS opened_at, max(occurred_at) {ended} AS closed_at, "
        f"coalesce(first(known_at {last}) {ended}, min(known_at)) AS known_at, "
        f"first(outcome {last}) {ended} AS outcome, first(amount {last}) {ended} AS amount, "
        "count(DISTINCT outcome) > 1 AS contradicted FROM checked_outcomes WHERE _flaw IS NULL GROUP BY deal_id"
    )


def completed_deals(rows: str) -> str:
    """SQL for all deals: those of the table (`rows`), open ones ended by the log; and those only the log knows.

    Where the table itself says how a deal ended, it has the last word.
    """
    known = "CASE WHEN d.outcome IS NULL AND f.outcome IS NOT NULL THEN f.known_at ELSE d.known_at END"
    return (
        "SELECT d.deal_id, d.lead_id, d.account_id, d.opened_at, coalesce(d.closed_at, f.closed_at) AS closed_at, "
        f"{known} AS known_at, coalesce(d.outcome, f.outcome) AS outcome, "
        f"coalesce(d.amount, f.amount) AS amount FROM {rows} d LEFT JOIN folded f USING (deal_id) "
        f"UNION ALL SELECT * EXCLUDE (contradicted) FROM folded ANTI JOIN {rows} USING (deal_id)"
    )
