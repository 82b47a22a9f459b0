"""Interesting moments: the few things of the last days that a salesperson would want to be told of."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from touchline.features import Tables
from touchline.features.sources.sql import texts
from touchline.playbook import Playbook
from touchline.serve.insight.credit import credit_table
from touchline.serve.insight.known import DAY, Known, known_at

if TYPE_CHECKING:
    from touchline.serve.insight.known import Leads

MOMENTS = ("first_time", "new_person", "return", "surge", "high_intent")
"""The five kinds of moments, from the weakest to the strongest."""
SILENCE = 60
"""Days without a sign of interest after which one is a return."""
USUAL_WEEKS = 12
"""Weeks before a week that say what is usual."""
SURGE_TIMES, SURGE_LEAST = 3, 3
"""A surge is so many times the usual of a week, and at least so many touches."""
HIGH_INTENT_KINDS = 3
"""At most so many kinds of touches are high intent."""
RARE = 0.10
"""Without credit: high-intent kinds together are at most this share of all signs of interest."""
ENOUGH_WINS = 5
"""Won leads from which on a kind's credit is believed."""

MOMENTS_SCHEMA = pa.schema(
    [
        ("lead_id", pa.string()),
        ("moment", pa.string()),
        ("occurred_at", pa.timestamp("us", "UTC")),
        ("day", pa.date32()),
        ("kind", pa.string()),
        ("asset", pa.string()),
        ("topic", pa.string()),
        ("campaign", pa.string()),
        ("touch_ids", pa.list_(pa.string())),
        ("touches", pa.int64()),
        ("person", pa.string()),
        ("silent_days", pa.int64()),
        ("usual", pa.float64()),
        ("strength", pa.float64()),
    ]
)
"""Columns of moments."""

_MONDAY = "(day - DATE '1970-01-05') // 7"
"""Number of the week, which begins on Monday; 5 January 1970 was one."""
_COLUMNS = ("occurred", "day", "kind", "asset", "topic", "campaign", "touch_id")
_TOUCH = ", ".join(_COLUMNS)
_PACKED = f"struct_pack({', '.join(f'{c} := {c}' for c in _COLUMNS)})"
_FOUND = f"""
    WITH lively AS (SELECT DISTINCT lead_id FROM interest SEMI JOIN asked USING (lead_id) WHERE occurred >= $since),
    mine AS (SELECT * FROM interest SEMI JOIN lively USING (lead_id)),
    in_order AS (
        SELECT *, lag(occurred) OVER one AS before, row_number() OVER (
            PARTITION BY lead_id, kind ORDER BY occurred, touch_id) AS time_of_kind
        FROM mine WINDOW one AS (PARTITION BY lead_id ORDER BY occurred, touch_id)
    ),
    recent AS (SELECT * FROM in_order WHERE occurred >= $since),
    new_people AS (SELECT company, person FROM interest WHERE NOT copied GROUP BY ALL HAVING min(occurred) >= $since),
    newcomers AS (
        SELECT company, person, min_by({_PACKED}, (occurred, touch_id)) AS t
        FROM interest SEMI JOIN new_people USING (company, person) WHERE NOT copied GROUP BY company, person
    ),
    single AS (
        SELECT 'high_intent' AS moment, lead_id, {_TOUCH}, lead_id AS person, NULL::BIGINT AS silent_days
        FROM recent SEMI JOIN high_intent USING (kind)
        UNION ALL
        SELECT 'first_time', lead_id, {_TOUCH}, lead_id, NULL FROM recent WHERE time_of_kind = 1
        UNION ALL
        SELECT 'return', lead_id, {_TOUCH}, lead_id, (occurred - before) // {DAY}
        FROM recent WHERE occurred - before >= {SILENCE} * {DAY}
        UNION ALL
        SELECT 'new_person', p.lead_id, {", ".join(f"t.{c}" for c in _COLUMNS)}, n.person, NULL
        FROM asked JOIN people p USING (lead_id) JOIN newcomers n
        ON n.company = p.company AND n.person <> p.person
    ),
    weighed AS (SELECT s.*, w.weight FROM single s JOIN weights w USING (kind)),
    -- Of a day the touch kind that matters most, and of its touches the last.
    daily AS (
        SELECT moment, lead_id, day, kind, weight, list(touch_id ORDER BY occurred, touch_id) AS touch_ids,
            max_by({_PACKED}, (occurred, touch_id)) AS t,
            max_by(struct_pack(person := person, silent_days := silent_days), (occurred, touch_id)) AS told
        FROM weighed GROUP BY moment, lead_id, day, kind, weight
        QUALIFY row_number() OVER (PARTITION BY moment, lead_id, day ORDER BY weight DESC, kind) = 1
    ),
    weeks AS (
        SELECT lead_id, {_MONDAY} AS week, count(*) AS n, max(occurred) AS last FROM mine GROUP BY lead_id, week
    ),
    usual AS (
        SELECT *, week - min(week) OVER (PARTITION BY lead_id) AS age, coalesce(sum(n) OVER (PARTITION BY lead_id
            ORDER BY week RANGE BETWEEN {USUAL_WEEKS} PRECEDING AND 1 PRECEDING), 0) AS earlier
        FROM weeks
    ),
    surging AS (
        SELECT lead_id, week, n, earlier / least(age, {USUAL_WEEKS}) AS usual FROM usual
        WHERE age >= 1 AND n >= {SURGE_LEAST} AND n * least(age, {USUAL_WEEKS}) >= {SURGE_TIMES} * earlier
        AND last >= $since
    ),
    surges AS (
        SELECT lead_id, usual, n, list(touch_id ORDER BY occurred, touch_id) AS touch_ids,
            max_by({_PACKED}, (occurred, touch_id)) AS t
        FROM surging JOIN mine USING (lead_id) WHERE {_MONDAY} = week GROUP BY lead_id, week, usual, n
    ),
    found AS (
        SELECT lead_id, moment, t.occurred AS occurred, day, kind, t.asset AS asset, t.topic AS topic,
            t.campaign AS campaign, touch_ids, told.person AS person, told.silent_days AS silent_days,
            NULL::DOUBLE AS usual, weight
        FROM daily
        UNION ALL
        SELECT lead_id, 'surge', t.occurred, t.day, t.kind, t.asset, t.topic, t.campaign, touch_ids, lead_id, NULL,
            usual, 1 - usual / n
        FROM surges
    )
    SELECT *, make_timestamptz(occurred) AS occurred_at, len(touch_ids) AS touches,
        list_position([{texts(MOMENTS)}], moment) + weight AS strength
    FROM found
    QUALIFY row_number() OVER (PARTITION BY lead_id ORDER BY strength DESC, occurred DESC, moment) <= $limit
    ORDER BY lead_id, occurred DESC, strength DESC, moment
"""


def find_moments(
    tables: Tables,
    playbook: Playbook,
    as_of: datetime,
    leads: Leads,
    *,
    credit: pa.Table | None = None,
    days: int = 30,
    limit: int = 5,
) -> pa.Table:
    """Find the interesting moments of leads.

    `high_intent`
        A touch of a kind that matters. With `credit` those of the highest mean credit per touch, above zero and among
        at least `ENOUGH_WINS` won leads; without, or if none is left, the rarest, as long as they make up at most
        `RARE` of all signs of interest. At most `HIGH_INTENT_KINDS` kinds of engagement.
    `surge`
        A week (from Monday, in the playbook's zone) with at least `SURGE_LEAST` signs of interest and `SURGE_TIMES` as
        many as usual: the mean of the `USUAL_WEEKS` weeks before it, or of those since the lead's first.
    `return`
        A sign of interest after `SILENCE` days without one.
    `new_person`
        The first sign of interest of a colleague; a person merged into another is one with it.
    `first_time`
        The lead's first touch of a kind that shows interest.

    Parameters
    ----------
    tables, playbook
        The data, and the playbook it was checked with.
    as_of
        Only what happened and was known before counts.
    leads
        lead_ids; those not known yet have no rows.
    credit
        Apportioned touches of won leads (see `credit_table`).
    days
        Moments of `[as_of - days, as_of)`; of a surge, by its last touch.
    limit
        At most so many per lead: the strongest.

    Returns
    -------
    pyarrow.Table
        `MOMENTS_SCHEMA`, by lead, newest first. At most one moment of each kind per lead and day; where a day has
        several touches for it, those of the kind that matters most are its evidence (`touch_ids`, `touches`), and the
        last of them tells time, asset, topic and campaign. `person` is the lead that acted; `silent_days` is of
        returns, `usual` (touches per week) of surges. `strength` ranks: its whole part is the place in `MOMENTS`, the
        rest how much the kind of touch matters (0 to 1: its credit in shares of the largest, or how rare it is), of a
        surge how far it is above the usual.

    Raises
    ------
    ValueError
        If `as_of` has no zone, a lead is not in the tables, or a column of `credit` is missing.
    DataError
        If the tables hold kinds that the playbook does not know.
    """
    with known_at(tables, playbook, as_of, leads) as known:
        since = known.as_of - days * DAY
        _create_interest(known, since)
        _weigh_kinds(known, credit)
        query = _FOUND.replace("$since", str(since)).replace("$limit", str(limit))
        return known.arrow(query, MOMENTS_SCHEMA)


def _create_interest(known: Known, since: int) -> None:
    """Create `interest`: all signs of interest of the companies that showed some since then; others have no moments."""
    columns = "lead_id, company, person, copied, occurred, day, kind, asset, topic, campaign, touch_id"
    known.con.execute(
        f"CREATE TEMP TABLE interest AS WITH lively AS (SELECT DISTINCT company FROM facts WHERE engagement "
        f"AND occurred >= {since}) SELECT {columns} FROM facts SEMI JOIN lively USING (company) WHERE engagement"
    )


def _weigh_kinds(known: Known, credit: pa.Table | None) -> None:
    """Create `weights` (kind, weight from 0 to 1) of kinds of engagement, and `high_intent` (kind)."""
    con = known.con
    con.execute("CREATE TEMP TABLE weights (kind VARCHAR, weight DOUBLE)")
    con.execute("CREATE TEMP TABLE high_intent (kind VARCHAR)")
    if credit is not None:
        con.register("credit", credit_table(credit, "kind"))
        con.execute(
            "INSERT INTO weights SELECT kind, coalesce(per_touch / max(per_touch) OVER (), 0) "
            "FROM (FROM kinds WHERE engagement) k LEFT JOIN (SELECT name, per_touch FROM credit "
            f"WHERE per_touch > 0 AND leads >= {ENOUGH_WINS}) c ON c.name = k.kind"
        )
        con.unregister("credit")
        con.execute(
            "INSERT INTO high_intent SELECT kind FROM weights WHERE weight > 0 "
            f"ORDER BY weight DESC, kind LIMIT {HIGH_INTENT_KINDS}"
        )
    if not con.execute("FROM high_intent").fetchall():
        _weigh_by_rarity(known)


def _weigh_by_rarity(known: Known) -> None:
    """Fill both by how rare a kind is in all of the tables, so that it does not depend on who is asked about."""
    con = known.con
    con.execute(
        "CREATE TEMP TABLE rarity AS SELECT kind, 1 - n / sum(n) OVER () AS weight, "
        "sum(n) OVER (ORDER BY n, kind) / sum(n) OVER () AS up_to_it "
        "FROM (SELECT kind, count(*) AS n FROM touches t JOIN leads l USING (lead_id) JOIN kinds USING (kind) "
        "WHERE engagement AND NOT machine AND merged_from IS NULL AND greatest(epoch_us(t.occurred_at), "
        f"epoch_us(t.known_at), epoch_us(l.known_at)) < {known.as_of} GROUP BY kind)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE weights AS SELECT kind, weight FROM rarity")
    con.execute(
        f"INSERT INTO high_intent SELECT kind FROM rarity WHERE up_to_it <= {RARE} "
        f"ORDER BY up_to_it LIMIT {HIGH_INTENT_KINDS}"
    )
