"""What to share next: assets that nobody of the account has seen, by what won leads had met and what this one reads."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from touchline.features import Tables
from touchline.features.sources.sql import column, text
from touchline.playbook import Playbook
from touchline.serve.insight.credit import refuse_incomplete
from touchline.serve.insight.known import DAY, Known, known_at
from touchline.serve.insight.told import pressure_query

if TYPE_CHECKING:
    from touchline.serve.insight.known import Leads

INTEREST_DAYS = 182
"""Days in which signs of interest say what a lead looks at."""
ENOUGH_SIMILAR = 10
"""Won leads of a segment from which on it speaks for itself; else all won leads do."""

ENOUGH_MET = 3
"""Won leads that had met an asset from which on its credit is believed."""

SHARE_SCHEMA = pa.schema(
    [
        ("lead_id", pa.string()),
        ("rank", pa.int64()),
        ("asset", pa.string()),
        ("title", pa.string()),
        ("topic", pa.string()),
        ("language", pa.string()),
        ("address", pa.string()),
        ("fallback", pa.bool_()),
        ("reason", pa.string()),
        ("count", pa.int64()),
        ("similar", pa.bool_()),
        ("interest", pa.float64()),
        ("worked", pa.float64()),
        ("score", pa.float64()),
        ("too_much", pa.bool_()),
    ]
)
"""Columns of what to share."""

_SHELF = """
    CREATE TEMP TABLE shelf AS
    SELECT asset, title, topic, coalesce({spoken}, {first}) AS language, address FROM assets WHERE shareable
"""
_SPOKEN = "nullif(regexp_extract(lower(language), '^[a-z]+'), '')"
"""The language of `fr-CA` is `fr`; of nothing it is missing."""
_ASKING = """
    CREATE TEMP TABLE asking AS
    SELECT lead_id, company, s.segment, coalesce(l.language, {first}) AS language, l.language IS NULL AS fallback
    FROM asked JOIN people p USING (lead_id) LEFT JOIN segments s USING (lead_id)
    LEFT JOIN (SELECT DISTINCT language FROM shelf) l ON l.language = {spoken}
"""
_WORKED = """
    CREATE TEMP TABLE worked AS
    WITH won AS (SELECT c.lead_id, asset, amount, segment FROM credit c LEFT JOIN segments USING (lead_id)),
    sizes AS (SELECT segment, count(DISTINCT lead_id) AS n FROM won WHERE segment IS NOT NULL
        GROUP BY segment HAVING n >= {enough}),
    everybody AS (SELECT lead_id, asset, amount, segment FROM won SEMI JOIN sizes USING (segment)
        UNION ALL SELECT lead_id, asset, amount, NULL FROM won),
    credited AS (SELECT segment, asset, sum(amount) AS credit, count(DISTINCT lead_id) AS won_leads
        FROM everybody WHERE asset IS NOT NULL GROUP BY segment, asset HAVING credit > 0 AND won_leads >= {met})
    SELECT c.segment, asset, c.credit / max(c.credit) OVER (PARTITION BY c.segment, s.language) AS worked, won_leads
    FROM credited c JOIN shelf s USING (asset)
"""
_NEXT = """
    WITH looked AS (
        SELECT lead_id, topic, count(*) AS n, count(*) / max(count(*)) OVER (PARTITION BY lead_id) AS interest
        FROM facts SEMI JOIN asked USING (lead_id)
        WHERE engagement AND topic IS NOT NULL AND occurred >= {since} GROUP BY lead_id, topic
    ),
    by_company AS (SELECT DISTINCT company, asset FROM facts WHERE asset IS NOT NULL AND NOT copied),
    by_lead AS (SELECT DISTINCT lead_id, asset FROM facts SEMI JOIN asked USING (lead_id)
        WHERE asset IS NOT NULL AND copied),
    pressure AS ({pressure}),
    lead_segments AS (SELECT *, CASE WHEN segment IN (SELECT segment FROM worked WHERE segment IS NOT NULL)
        THEN segment END AS speaks FROM asking),
    -- Only assets that something speaks for: credit, or interest in their topic.
    spoken_for AS (
        SELECT a.lead_id, asset FROM lead_segments a JOIN shelf s USING (language)
            JOIN looked o ON o.lead_id = a.lead_id AND o.topic = s.topic
        UNION
        SELECT a.lead_id, asset FROM lead_segments a JOIN shelf s USING (language)
            JOIN worked w USING (asset) WHERE w.segment IS NOT DISTINCT FROM a.speaks
    ),
    unseen AS (
        SELECT a.*, c.asset FROM spoken_for c JOIN lead_segments a USING (lead_id)
        ANTI JOIN by_company b ON b.company = a.company AND b.asset = c.asset
        ANTI JOIN by_lead d ON d.lead_id = a.lead_id AND d.asset = c.asset
    ),
    weighed AS (
        SELECT u.lead_id, s.*, u.fallback, coalesce(o.interest, 0) AS interest, coalesce(w.worked, 0) AS worked,
            o.n, w.won_leads, u.speaks, (coalesce(o.interest, 0) + coalesce(w.worked, 0)) / 2 AS score
        FROM unseen u JOIN shelf s USING (asset)
        LEFT JOIN looked o ON o.lead_id = u.lead_id AND o.topic = s.topic
        LEFT JOIN worked w ON w.asset = u.asset AND w.segment IS NOT DISTINCT FROM u.speaks
    ),
    ranked AS (
        SELECT *, row_number() OVER (PARTITION BY lead_id ORDER BY score DESC, asset) AS rank FROM weighed
        QUALIFY rank <= {most}
    )
    SELECT r.*, IF(interest >= worked, 'topic_interest', 'worked_for') AS reason,
        IF(interest >= worked, n, won_leads) AS count, interest < worked AND speaks IS NOT NULL AS similar, p.too_much
    FROM ranked r JOIN pressure p USING (lead_id) ORDER BY lead_id, rank
"""


def next_to_share(
    tables: Tables,
    playbook: Playbook,
    as_of: datetime,
    leads: Leads,
    *,
    credit: pa.Table | None = None,
    segment: str | None = None,
    most: int = 3,
) -> pa.Table:
    """Find the assets that sales could share next with each lead.

    Of the assets that sales may share, those in the lead's language; in the playbook's first one if the lead's is not
    known or nothing is written in it (`fallback`). What anybody of the account was sent or has read is left out, and so
    is what neither credit nor interest speaks for. The rest is ranked by

        score = (interest + worked) / 2

    where `interest` is the lead's signs of interest in the asset's topic in the last `INTEREST_DAYS` over those in the
    topic it looks at most, and `worked` the asset's credit among similar won leads over the largest of an asset in the
    same language (0 if it is not positive, or fewer than `ENOUGH_MET` of them had met it). Both are 1 at best. It is
    an association, no proof that sharing helps.

    Parameters
    ----------
    tables, playbook
        The data, and the playbook it was checked with. The table `assets` has no dates: it is used as it is.
    as_of
        Only what happened and was known before counts.
    leads
        lead_ids; those not known yet have no rows.
    credit
        Apportioned touches of won leads (see `credit_table`); without it interest alone speaks.
    segment
        An attribute of the playbook that is fixed at creation, such as `industry`: won leads with the lead's value are
        similar, if there are at least `ENOUGH_SIMILAR` and an asset has credit among them; else, and without it, all.
    most
        At most so many assets per lead.

    Returns
    -------
    pyarrow.Table
        `SHARE_SCHEMA`, by lead, the best first. `reason` is the larger of the two parts: `topic_interest`, with the
        lead's signs of interest in the topic as `count`, or `worked_for`, with the won leads that had met the asset,
        `similar` ones or all. `too_much`: the agreed limit of contacts is reached (see `contact_pressure`), so that
        this is for later.

    Raises
    ------
    ValueError
        If `as_of` has no zone, a lead is not in the tables, a column of `credit` is missing, or `segment` is no
        attribute fixed at creation.
    DataError
        If the tables hold kinds that the playbook does not know.
    """
    with known_at(tables, playbook, as_of, leads) as known:
        first = text(playbook.languages[0])
        known.con.execute(_SHELF.format(spoken=_SPOKEN, first=first))
        _create_segments(known, segment)
        known.con.execute(_ASKING.format(spoken=_SPOKEN.replace("language", "p.language"), first=first))
        _create_worked(known, credit)
        query = _NEXT.format(
            since=known.as_of - INTEREST_DAYS * DAY, pressure=pressure_query(playbook, known.as_of), most=most
        )
        return known.arrow(query, SHARE_SCHEMA)


def _create_segments(known: Known, segment: str | None) -> None:
    """Create the view `segments` (lead_id, segment) of all leads."""
    if segment is None:
        known.con.execute("CREATE TEMP VIEW segments AS SELECT lead_id, NULL::VARCHAR AS segment FROM leads")
        return
    tables = {name: t for t in ("leads", "accounts") for name in known.playbook.usable_attributes(t)}
    if segment not in tables:
        usable = ", ".join(sorted(tables)) or "none yet"
        raise ValueError(f"{segment!r} is no attribute fixed at creation; use one of: {usable}")
    owner, join = ("a", "LEFT JOIN accounts a USING (account_id)") if tables[segment] == "accounts" else ("l", "")
    known.con.execute(
        f"CREATE TEMP VIEW segments AS SELECT l.lead_id, {owner}.{column(segment)}::VARCHAR AS segment "
        f"FROM leads l {join}"
    )


def _create_worked(known: Known, credit: pa.Table | None) -> None:
    """Create `worked` (segment, asset, worked, won_leads); the segment of all won leads is missing."""
    if credit is None:
        known.con.execute("CREATE TEMP TABLE worked (segment VARCHAR, asset VARCHAR, worked DOUBLE, won_leads BIGINT)")
        return
    refuse_incomplete(credit, "asset")
    known.con.register("credit", credit)
    known.con.execute(_WORKED.format(enough=ENOUGH_SIMILAR, met=ENOUGH_MET))
    known.con.unregister("credit")
