"""Drawing snapshots: which leads are looked at on which dates, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from touchline.features.snapshots.credits import create_credits, wins_of_nobody
from touchline.features.sources import DataError
from touchline.features.sources.sql import text, texts
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace

DAY = 86_400_000_000
STATUSES = ("won", "not_won", "immature", "already_closed", "open_deal")
"""What can be said of a row: the first two are learned from; `already_closed` was over before its window began,
`open_deal` is left to sales, and of an `immature` row nobody knows yet."""


@dataclass(frozen=True)
class Windows:
    """The lengths of time that labels depend on, and where the data ends. Lengths in microseconds."""

    gap: int
    horizon: int
    lag: int
    """How long after its end a deal is known: the 99th of a hundred deals."""
    data_end: datetime

    @property
    def mature_until(self) -> datetime:
        """The last as_of whose window is over, and known, at the end of the data."""
        return self.data_end - timedelta(microseconds=self.gap + self.horizon + self.lag)


def open_leads(w: Workspace, tables: Tables) -> None:
    """Create the view `leads` over the canonical table."""
    w.con.execute(f"CREATE OR REPLACE TEMP VIEW leads AS FROM read_parquet({text(tables.file('leads'))})")


def windows(w: Workspace, tables: Tables) -> Windows:
    """The windows of a playbook over these tables.

    Raises
    ------
    DataError
        If the tables hold no fact.
    """
    last = tables.manifest["result"]["last"]
    if last is None:
        raise DataError(str(tables.folder), "holds no fact with a time", "check data with touches and deals")
    lag = w.count(
        "SELECT quantile_disc(epoch_us(known_at) - epoch_us(closed_at), 0.99) "
        f"FROM read_parquet({text(tables.file('deals'))}) WHERE closed_at IS NOT NULL"
    )
    outcome = w.playbook.outcome
    return Windows(_us(outcome.gap), _us(outcome.horizon), lag, datetime.fromisoformat(last))


def draw_grid(w: Workspace, tables: Tables, dates: Sequence[datetime]) -> None:
    """Create `drawn` (lead_id, as_of in microseconds): every lead that is eligible on a date, for each of the dates.

    Eligible is who is known, not merged into another lead, and showed interest within the playbook's `active_within`.
    Deals are looked at later.
    """
    us = [round(d.timestamp() * 1_000_000) for d in dates]
    w.con.execute("CREATE OR REPLACE TEMP TABLE grid (i BIGINT, as_of BIGINT)")
    if us:
        w.con.executemany("INSERT INTO grid VALUES (?, ?)", list(enumerate(us)))
    midnights = all(t % DAY == 0 for t in us)
    active = _active_by_interval(w, tables, us) if midnights and len(us) > 1 else _active_by_date(w, tables)
    w.con.execute(
        f"CREATE OR REPLACE TEMP TABLE drawn AS SELECT lead_id, g.as_of FROM ({active}) JOIN grid g USING (i) "
        "JOIN leads l USING (lead_id) WHERE epoch_us(l.created_at) < g.as_of AND epoch_us(l.known_at) < g.as_of "
        "AND (l.merged_at IS NULL OR epoch_us(l.merged_at) >= g.as_of)"
    )


def _interest(w: Workspace, tables: Tables) -> str:
    kinds = texts(name for name, kind in w.playbook.kinds.items() if kind.engagement)
    return (
        "(SELECT lead_id, epoch_us(occurred_at) AS occurred, greatest(epoch_us(occurred_at), epoch_us(known_at)) AS "
        f"entered FROM read_parquet({text(tables.file('touches'))}) WHERE kind IN ({kinds}) AND NOT machine)"
    )


def _active_by_date(w: Workspace, tables: Tables) -> str:
    within = _us(w.playbook.snapshots.active_within)
    return (
        f"SELECT DISTINCT t.lead_id, g.i FROM {_interest(w, tables)} t JOIN grid g "
        f"ON t.entered < g.as_of AND t.occurred >= g.as_of - {within}"
    )


def _active_by_interval(w: Workspace, tables: Tables, us: list[int]) -> str:
    """The same for many dates at midnight: each touch opens an interval of dates, and intervals are laid end to end.

    A touch counts for the dates after it entered and up to `active_within` after it happened. Both ends follow from a
    day, so that a table of days gives the number of dates up to it.
    """
    within = _us(w.playbook.snapshots.active_within)
    first, last = us[0] // DAY - 1, us[-1] // DAY
    w.con.execute(
        "CREATE OR REPLACE TEMP TABLE days AS SELECT d AS day, count(g.i) AS dates "
        f"FROM range({first}, {last + 1}) r(d) LEFT JOIN grid g ON g.as_of // {DAY} <= d GROUP BY d"
    )

    def day(time: str) -> str:
        return f"least(greatest(({time}) // {DAY}, {first}), {last})"

    return (
        "SELECT lead_id, unnest(range(begins, ends + 1)) AS i FROM ("
        "SELECT lead_id, begins, least(max(ends) OVER up_to_here, "
        "coalesce(lead(begins) OVER in_order - 1, max(ends) OVER up_to_here)) AS ends FROM ("
        f"SELECT lead_id, a.dates AS begins, max(z.dates) - 1 AS ends FROM {_interest(w, tables)} t "
        f"JOIN days a ON a.day = {day('entered')} JOIN days z ON z.day = {day(f'occurred + {within}')} GROUP BY 1, 2) "
        "WINDOW in_order AS (PARTITION BY lead_id ORDER BY begins), "
        "up_to_here AS (PARTITION BY lead_id ORDER BY begins ROWS UNBOUNDED PRECEDING)) WHERE begins <= ends"
    )


def create_snapshots(w: Workspace, tables: Tables, spans: Windows, *, scoring: bool = False) -> None:
    """Create `snapshots` from `drawn`: with status, won, and of wins won_at, deal_id and amount.

    For scoring, rows are dropped by what was known at as_of; for training, by what was true.
    """
    create_credits(w, tables)
    gap, horizon = spans.gap, spans.horizon
    begins, ends = f"as_of + {gap}", f"as_of + {gap + horizon}"
    known_end = "closed < as_of AND known < as_of AND linked < as_of"
    over = known_end if scoring else f"closed < as_of OR (is_win AND closed < {begins})"
    won = f"is_win AND closed >= {begins} AND closed < {ends}"
    w.con.execute(
        "CREATE OR REPLACE TEMP TABLE fates AS SELECT d.lead_id, d.as_of, "
        f"coalesce(bool_or({over}), false) AS over, "
        f"coalesce(bool_or(opened < as_of AND linked < as_of AND NOT coalesce({known_end}, false)), false) AS is_open, "
        f"min(closed) FILTER ({won}) AS won_at, arg_min(deal_id, (closed, deal_id)) FILTER ({won}) AS deal_id, "
        f"arg_min(amount, (closed, deal_id)) FILTER ({won}) AS amount "
        "FROM drawn d JOIN credits c USING (lead_id) GROUP BY ALL"
    )
    end = round(spans.data_end.timestamp() * 1_000_000) - spans.lag
    leave_out = w.playbook.snapshots.open_deals == "leave_out"
    w.con.execute(
        "CREATE OR REPLACE TEMP TABLE snapshots AS SELECT d.lead_id, d.as_of, CASE WHEN f.over THEN 'already_closed' "
        + (" WHEN f.is_open THEN 'open_deal'" if leave_out else "")
        + f" WHEN {ends.replace('as_of', 'd.as_of')} > {end} THEN 'immature' "
        "WHEN f.won_at IS NOT NULL THEN 'won' ELSE 'not_won' END AS status, f.won_at, f.deal_id, f.amount "
        "FROM drawn d LEFT JOIN fates f ON f.lead_id = d.lead_id AND f.as_of = d.as_of"
    )


MANY_DATES = 1_000
"""From so many as-of dates on, rows are counted by the month that their as_of lies in."""


def count_statuses(w: Workspace) -> list[dict[str, Any]]:
    """Rows of `snapshots` by as_of (or its month, if there are many) and status, in order."""
    many = w.count("SELECT count(DISTINCT as_of) FROM snapshots") > MANY_DATES
    moment = "epoch_us(date_trunc('month', make_timestamptz(as_of)))" if many else "as_of"
    rows = w.con.execute(f"SELECT {moment}, status, count(*) FROM snapshots GROUP BY ALL ORDER BY ALL").fetchall()
    counts: dict[int, dict[str, int]] = {}
    for as_of, status, n in rows:
        counts.setdefault(as_of, dict.fromkeys(STATUSES, 0))[status] = n
    return [
        {"as_of": datetime.fromtimestamp(us / 1e6, UTC).isoformat(), **by_status} for us, by_status in counts.items()
    ]


def _us(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


__all__ = [
    "STATUSES",
    "Windows",
    "count_statuses",
    "create_snapshots",
    "draw_grid",
    "open_leads",
    "windows",
    "wins_of_nobody",
]
