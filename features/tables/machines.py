"""Opens and clicks that machines made: mail scanners follow links within seconds, many at a time."""

from __future__ import annotations

from dataclasses import dataclass

from touchline.features.sources.sql import ROW, texts
from touchline.features.tables.workspace import Workspace


@dataclass(frozen=True)
class OfMail:
    """Which rows of `checked_touches` tell of scanners, and what of them is needed."""

    columns: str
    condition: str


def of_mail(w: Workspace) -> OfMail | None:
    """The rows that `mark_machines` looks at, or None where the playbook has no `[scanners]`."""
    rule = w.playbook.scanners
    if rule is None:
        return None
    kinds = texts([*rule.sends, *rule.opens, *rule.clicks])
    return OfMail("lead_id, kind, epoch_us(occurred_at) AS moment", f"kind IN ({kinds})")


def mark_machines(w: Workspace) -> None:
    """Add the touches of link scanners to `marks_touches`, by the playbook's `[scanners]`; reads `noted`."""
    rule = w.playbook.scanners
    if rule is None:
        return
    con = w.con
    after, within = int(rule.after_send.total_seconds() * 1e6), int(rule.burst_within.total_seconds() * 1e6)
    con.execute(
        "CREATE TEMP VIEW mail AS FROM noted "
        f"ANTI JOIN (FROM marks_touches WHERE _flaw IS NOT NULL) USING ({ROW}) WHERE _flaw IS NULL"
    )
    # A send is put into its own slot of time and the next, so that an equality join finds every send at most `after`
    # before a touch; slots are one microsecond longer than that.
    slot = f"moment // {after + 1}"
    con.execute(
        f"CREATE TEMP TABLE scanned AS SELECT t._source, t._file, t._row FROM (SELECT *, {slot} AS slot FROM mail "
        f"WHERE kind IN ({texts([*rule.opens, *rule.clicks])})) t SEMI JOIN (SELECT lead_id, moment, "
        f"unnest([{slot}, {slot} + 1]) AS slot FROM mail WHERE kind IN ({texts(rule.sends)})) s "
        f"ON t.lead_id = s.lead_id AND t.slot = s.slot AND t.moment - s.moment BETWEEN 0 AND {after}"
    )
    con.execute(
        f"INSERT INTO scanned WITH clicks AS (SELECT {ROW}, lead_id, moment, "
        "count(*) OVER (PARTITION BY lead_id ORDER BY moment "
        f"RANGE BETWEEN CURRENT ROW AND {within} FOLLOWING) AS coming "
        f"FROM mail WHERE kind IN ({texts(rule.clicks)})), "
        f"bursts AS (SELECT lead_id, moment AS start FROM clicks WHERE coming >= {rule.burst_links}) "
        f"SELECT c._source, c._file, c._row FROM clicks c SEMI JOIN bursts b "
        f"ON c.lead_id = b.lead_id AND c.moment >= b.start AND c.moment <= b.start + {within}"
    )
    con.execute(f"INSERT INTO marks_touches SELECT DISTINCT {ROW}, NULL, true, NULL FROM scanned")
    con.execute("DROP VIEW mail; DROP TABLE scanned")
