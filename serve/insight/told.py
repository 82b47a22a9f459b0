"""What was told already, and how often we wrote or called: so that sales does not repeat marketing, nor press."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pyarrow as pa

from touchline.features import Tables
from touchline.playbook import Playbook
from touchline.serve.insight.known import DAY, known_at

if TYPE_CHECKING:
    from touchline.serve.insight.known import Leads

RESPONSES = ("sent", "opened", "read", "attended")
"""How a person answered what was told, from weakest to strongest; a click is reading."""
_TIME = pa.timestamp("us", "UTC")
TOLD_SCHEMA = pa.schema(
    [
        ("lead_id", pa.string()),
        ("about", pa.string()),
        ("name", pa.string()),
        ("response", pa.string()),
        ("response_at", _TIME),
        ("last_at", _TIME),
        ("touches", pa.int64()),
        ("account_response", pa.string()),
        ("account_last_at", _TIME),
        ("colleagues", pa.int64()),
    ]
)
"""Columns of what was told."""
PRESSURE_SCHEMA = pa.schema(
    [
        ("lead_id", pa.string()),
        ("last_7_days", pa.int64()),
        ("last_30_days", pa.int64()),
        ("last_at", _TIME),
        ("too_much", pa.bool_()),
    ]
)
"""Columns of contact pressure."""

_ITEMS = """
    CREATE TEMP VIEW items AS
    SELECT 'asset' AS about, asset AS name, * EXCLUDE (asset, topic) FROM facts WHERE asset IS NOT NULL
    UNION ALL BY NAME
    SELECT 'topic' AS about, topic AS name, * EXCLUDE (asset, topic) FROM facts WHERE topic IS NOT NULL
"""
_TOLD = """
    WITH own AS (
        SELECT lead_id, about, name, max(response) AS response, max_by(occurred, (response, occurred)) AS response_at,
            max(occurred) AS last_at, count(*) AS touches
        FROM items SEMI JOIN asked USING (lead_id) GROUP BY ALL
    ),
    of_person AS (
        SELECT company, person, about, name, max(response) AS response, max(occurred) AS last_at
        FROM items WHERE NOT copied GROUP BY ALL
    ),
    of_company AS (
        SELECT company, about, name, max(response) AS response, max(last_at) AS last_at, count(*) AS persons
        FROM of_person GROUP BY ALL
    ),
    seen AS (
        SELECT lead_id, company, person, about, name, c.response, c.last_at, c.persons
        FROM asked JOIN people USING (lead_id) JOIN of_company c USING (company)
    ),
    both_ways AS (
        SELECT coalesce(o.lead_id, s.lead_id) AS lead_id, coalesce(o.about, s.about) AS about,
            coalesce(o.name, s.name) AS name, o.response, o.response_at, o.last_at, coalesce(o.touches, 0) AS touches,
            greatest(o.response, s.response) AS account_response, greatest(o.last_at, s.last_at) AS account_last_at,
            coalesce(s.persons, 0) - (p.person IS NOT NULL)::INT AS colleagues
        FROM own o FULL JOIN seen s ON s.lead_id = o.lead_id AND s.about = o.about AND s.name = o.name
        LEFT JOIN of_person p
        ON p.company = s.company AND p.person = s.person AND p.about = s.about AND p.name = s.name
    )
    SELECT * REPLACE ({responses}[response] AS response, {responses}[account_response] AS account_response,
        make_timestamptz(response_at) AS response_at, make_timestamptz(last_at) AS last_at,
        make_timestamptz(account_last_at) AS account_last_at)
    FROM both_ways WHERE response IS NOT NULL OR colleagues > 0 ORDER BY lead_id, about, account_last_at DESC, name
"""
_PRESSURE = """
    SELECT lead_id, count(f.lead_id) FILTER (occurred >= {as_of} - 7 * {day}) AS last_7_days,
        count(f.lead_id) FILTER (occurred >= {as_of} - 30 * {day}) AS last_30_days,
        make_timestamptz(max(occurred)) AS last_at,
        last_7_days >= {most_7} OR last_30_days >= {most_30} AS too_much
    FROM asked LEFT JOIN (FROM facts WHERE direction IN ('outbound', 'sales')) f USING (lead_id)
    GROUP BY lead_id
"""


def already_told(tables: Tables, playbook: Playbook, as_of: datetime, leads: Leads) -> pa.Table:
    """Find the topics and assets that leads, or anybody of their accounts, were told of.

    Parameters
    ----------
    tables, playbook
        The data, and the playbook it was checked with. Which touch is which response follows from the playbook: kinds
        in `[contact] attended`, kinds in `[scanners] opens`, other kinds of engagement (read), and all else (sent).
    as_of
        Only what happened and was known before counts.
    leads
        lead_ids; those not known yet have no rows.

    Returns
    -------
    pyarrow.Table
        `TOLD_SCHEMA`, one row per lead and topic or asset (`about`, `name`), by lead, what was told last first:
        `response`, the lead's strongest, and when it last gave it (missing if only colleagues were told); `last_at` and
        `touches`, the lead's last touch and how many; `account_response` and `account_last_at`, the same of everybody,
        the lead included; `colleagues`, how many other people were told.

    Raises
    ------
    ValueError
        If `as_of` has no zone, or a lead is not in the tables.
    DataError
        If the tables hold kinds that the playbook does not know.
    """
    with known_at(tables, playbook, as_of, leads) as known:
        known.con.execute(_ITEMS)
        responses = f"[{', '.join(repr(r) for r in RESPONSES)}]"
        return known.arrow(_TOLD.format(responses=responses), TOLD_SCHEMA)


def contact_pressure(tables: Tables, playbook: Playbook, as_of: datetime, leads: Leads) -> pa.Table:
    """Count the touches by marketing and sales in the last 7 and 30 days, against the playbook's `[contact]`.

    Parameters and errors are those of `already_told`.

    Returns
    -------
    pyarrow.Table
        `PRESSURE_SCHEMA`, one row per lead: touches by us in `[as_of - 7 days, as_of)` and in 30 days; the last one
        ever; and `too_much`: a limit is reached, so that one touch more would break what was agreed.
    """
    with known_at(tables, playbook, as_of, leads) as known:
        return known.arrow(f"{pressure_query(playbook, known.as_of)} ORDER BY lead_id", PRESSURE_SCHEMA)


def pressure_query(playbook: Playbook, as_of: int) -> str:
    """SQL for the contact pressure on all leads in `asked`."""
    limits = playbook.contact
    return _PRESSURE.format(as_of=as_of, day=DAY, most_7=limits.most_per_7_days, most_30=limits.most_per_30_days)
