"""Whose win a deal is: the person on it, whatever lead that person is or becomes; or everybody of the account."""

from __future__ import annotations

from touchline.features.sources.sql import text
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace

_ROOTS = """
    WITH RECURSIVE up AS (
        SELECT lead_id, merged_into AS root, merged_at AS moment FROM leads WHERE merged_into IS NOT NULL
        UNION ALL
        SELECT u.lead_id, l.merged_into, greatest(u.moment, l.merged_at)
        FROM up u JOIN leads l ON l.lead_id = u.root WHERE l.merged_into IS NOT NULL
    ),
    final AS (SELECT u.* FROM up u JOIN leads l ON l.lead_id = u.root WHERE l.merged_into IS NULL)
    SELECT lead_id, root, epoch_us(moment) AS moment FROM final
    UNION ALL
    SELECT DISTINCT root, root, NULL FROM final
"""
"""Leads that are one person with others: the lead that goes on in the end, and since when it is known."""


def create_credits(w: Workspace, tables: Tables) -> None:
    """Create `credits`: each deal once for every lead whose deal it is.

    Columns: lead_id, deal_id, opened, closed, known (microseconds UTC; `known` of the end), linked (since when it was
    known that lead and deal belong together, 0 for always), is_win, amount.
    """
    least = w.playbook.outcome.minimum_amount
    is_win = "outcome = 'won'" + (f" AND amount >= {least}" if least else "")
    deals = (
        "SELECT deal_id, lead_id, account_id, epoch_us(opened_at) AS opened, epoch_us(closed_at) AS closed, "
        f"epoch_us(known_at) AS known, coalesce({is_win}, false) AS is_win, amount "
        f"FROM read_parquet({text(tables.file('deals'))})"
    )
    columns = "d.deal_id, d.opened, d.closed, d.known"
    if w.playbook.outcome.credit == "account":
        w.con.execute(
            f"CREATE TEMP TABLE credits AS WITH d AS ({deals}), "
            "of_account AS (SELECT d.* REPLACE (coalesce(d.account_id, l.account_id) AS account_id) "
            "FROM d LEFT JOIN leads l USING (lead_id)) "
            f"SELECT l.lead_id, {columns}, 0::BIGINT AS linked, is_win, amount FROM of_account d JOIN leads l "
            "ON l.account_id = d.account_id OR (d.account_id IS NULL AND l.lead_id = d.lead_id)"
        )
        return
    w.con.execute(f"CREATE TEMP TABLE roots AS {_ROOTS}")
    w.con.execute(
        f"CREATE TEMP TABLE credits AS WITH d AS ({deals}) "
        f"SELECT d.lead_id, {columns}, 0::BIGINT AS linked, is_win, amount FROM d WHERE d.lead_id IS NOT NULL "
        "UNION ALL "
        f"SELECT other.lead_id, {columns}, greatest(mine.moment, other.moment), is_win, amount "
        "FROM d JOIN roots mine ON mine.lead_id = d.lead_id "
        "JOIN roots other ON other.root = mine.root AND other.lead_id <> mine.lead_id"
    )


def wins_of_nobody(w: Workspace, tables: Tables) -> int:
    """Won deals that no lead is credited with."""
    return w.count(
        f"SELECT count(*) FROM read_parquet({text(tables.file('deals'))}) d "
        "ANTI JOIN credits c ON c.deal_id = d.deal_id WHERE d.outcome = 'won'"
    )
