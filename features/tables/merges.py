"""Merged leads: before the merge two people, after it one, and never the other way round.

A lead that ends keeps its own facts, so that the past stays as it was. Its facts stand a second time under the lead
that goes on, known from the merge on (`known_at = max(known_at, merged_at)`) and marked `merged_from`. A row as of a
time before the merge therefore sees two people, one after it sees all of both, and no later step has a special case.
Sums over an account leave out rows with `merged_from`, because the originals are there too.
"""

from __future__ import annotations

from touchline.features.sources.sql import ROW
from touchline.features.tables.workspace import Workspace

_CHAINS = """
    WITH RECURSIVE chain AS (
        SELECT from_lead, into_lead, merged_at AS moment FROM merges_once
        UNION
        SELECT c.from_lead, m.into_lead, greatest(c.moment, m.merged_at)
        FROM chain c JOIN merges_once m ON c.into_lead = m.from_lead
        WHERE c.from_lead <> c.into_lead
    )
    FROM chain
"""


def create_absorbed(w: Workspace) -> None:
    """Create the table `absorbed` (from_lead, into_lead, moment): each lead, and every lead its facts came to when.

    Chains are followed: if A became B and B became C, then A's facts came to C when both had happened. Merges on a
    circle are marked in `marks_merges`.
    """
    con = w.con
    con.execute(
        f"CREATE TEMP VIEW merges_once AS FROM checked_merges "
        f"ANTI JOIN (FROM marks_merges WHERE _flaw IS NOT NULL) USING ({ROW}) WHERE _flaw IS NULL"
    )
    con.execute(f"CREATE TEMP TABLE absorbed AS {_CHAINS}")
    con.execute(
        f"INSERT INTO marks_merges SELECT {ROW}, 'merged_in_a_circle', false, from_lead FROM merges_once "
        "WHERE from_lead IN (SELECT from_lead FROM absorbed WHERE from_lead = into_lead)"
    )
    # Once more without the circles: a chain that ran into one ends where it begins.
    con.execute(f"CREATE OR REPLACE TEMP TABLE absorbed AS {_CHAINS}")
