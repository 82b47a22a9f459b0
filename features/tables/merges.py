"""Merged leads: before the merge two people, after it one, and never the other way round.

A lead that ends keeps its own facts, so that the past stays as it was. Its facts stand a second time under the lead
that goes on, known from the merge on (`known_at = max(known_at, merged_at)`) and marked `merged_from`. A row as of a
time before the merge therefore sees two people, one after it sees all of both, and no later step has a special case.
Sums over an account leave out rows with `merged_from`, because the originals are there too.
"""

from __future__ import annotations

from touchline.features.tables.workspace import Workspace


def create_absorbed(w: Workspace) -> None:
    """Create the table `absorbed` (from_lead, into_lead, moment): each lead, and every lead its facts came to when.

    Chains are followed: if A became B and B became C, then A's facts came to C when both had happened. Merges on a
    circle are marked in `marks_merges`.
    """
    con = w.con
    con.execute(
        "CREATE TEMP VIEW merges_once AS SELECT * FROM checked_merges ANTI JOIN "
        '(FROM marks_merges WHERE flaw IS NOT NULL) USING (source, file, "row") WHERE flaw IS NULL'
    )
    con.execute(
        "CREATE TEMP TABLE absorbed AS WITH RECURSIVE chain AS ("
        "SELECT from_lead, into_lead, merged_at AS moment FROM merges_once UNION "
        "SELECT c.from_lead, m.into_lead, greatest(c.moment, m.merged_at) FROM chain c JOIN merges_once m "
        "ON c.into_lead = m.from_lead WHERE c.from_lead <> c.into_lead) FROM chain"
    )
    con.execute(
        "INSERT INTO marks_merges "
        "SELECT source, file, \"row\", 'merged_in_a_circle', false, from_lead FROM merges_once "
        "WHERE from_lead IN (SELECT from_lead FROM absorbed WHERE from_lead = into_lead)"
    )
    con.execute("DELETE FROM absorbed WHERE from_lead IN (SELECT from_lead FROM absorbed WHERE from_lead = into_lead)")
