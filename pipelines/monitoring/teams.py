"""The figures of both teams: how leads pass from stage to stage, how hand-offs are answered, and the agreed KPIs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from touchline.features.sources.sql import text
from touchline.features.tables import Tables
from touchline.features.tables.workspace import Workspace
from touchline.pipelines.monitoring.findings import Code, Finding, found
from touchline.pipelines.monitoring.touches import spoken
from touchline.serve.store import Store

QUARTER = timedelta(weeks=13)
_QUARTER = QUARTER // timedelta(microseconds=1)
_ROLES = ("lead", "mql", "sal", "sql", "won")
_FEWEST = 10
"""Answered hand-offs, or rejections, below which a share is not judged."""


@dataclass(frozen=True)
class Passage:
    """Leads that came to a step in the last quarter, and how many of them came to the next one within it.

    A step that was skipped counts as reached. `before` is the same of the quarter before, by what was known at its end.
    """

    step: str
    then: str
    entered: int
    passed: int
    entered_before: int
    passed_before: int

    @property
    def rate(self) -> float:
        """Share that passed on; NaN if nobody came."""
        return self.passed / self.entered if self.entered else np.nan

    @property
    def rate_before(self) -> float:
        """The same a quarter earlier."""
        return self.passed_before / self.entered_before if self.entered_before else np.nan


@dataclass(frozen=True)
class Figure:
    """One of the playbook's KPIs, over the last quarter and the one before; NaN where there is nothing to count."""

    name: str
    words: str
    owner: str
    value: float
    before: float
    target: float | None

    @property
    def missed(self) -> bool:
        """Whether there is a target, and it is missed; hours and what comes back are better low, all else high."""
        if self.target is None or np.isnan(self.value):
            return False
        low = self.name in ("hours_to_first_call", "recycled_share")
        return self.value > self.target if low else self.value < self.target


@dataclass(frozen=True)
class Teams:
    """What both teams are judged by.

    Attributes
    ----------
    passages
        From lead to won.
    kept
        Share of the last quarter's hand-offs that were answered in time, of those answered or due; NaN without one.
    answered
        How many of them were answered.
    overdue
        Hand-offs that are open beyond their time.
    to_first_contact
        Hours from a hand-off to the first touch by sales, in the median of those that had one.
    not_contacted
        Hand-offs of the quarter without such a touch in the data.
    reasons
        Why sales sent leads back in the last quarter: words -> how often, the most frequent first.
    figures
        The playbook's KPIs.
    """

    passages: tuple[Passage, ...]
    kept: float
    answered: int
    overdue: int
    to_first_contact: float
    not_contacted: int
    reasons: dict[str, int]
    figures: tuple[Figure, ...]


def look_at_teams(w: Workspace, tables: Tables, store: Store, end: int, now: datetime) -> Teams:
    """Count what both teams did.

    Parameters
    ----------
    w, tables
        A connection with the view `leads` and the table `credits`, and the tables.
    store
        Holds hand-offs and what sales said of them.
    end
        Where the data ends, in microseconds UTC; quarters of the tables end there.
    now
        Quarters of the hand-offs end here.
    """
    handed = _handed(w, tables, store, end)
    last, before = (_answers(handed, now - k * QUARTER) for k in (0, 1))
    overdue = (handed["state"] == "open") & (handed["due_at"] < now)
    names = {reason.name: spoken(reason.words) for reason in w.playbook.rejection_reasons}
    back = [f for f in store.feedback(since=now - QUARTER) if f.verdict in ("reject", "recycle") and f.at < now]
    counted = Counter(names.get(f.reason, f.reason) for f in back if f.reason is not None)
    deals, deals_before = (_deals(w, tables, end - k * _QUARTER) for k in (0, 1))
    figures = {**last, **deals}, {**before, **deals_before}
    return Teams(
        passages=_passages(w, tables, end),
        kept=last["kept"],
        answered=int(last["answered"]),
        overdue=int(overdue.sum()),
        to_first_contact=last["hours_to_first_call"],
        not_contacted=int(last["not_contacted"]),
        reasons=dict(counted.most_common()),
        figures=tuple(
            Figure(k.name, spoken(k.words), k.owner, figures[0][k.name], figures[1][k.name], k.target)
            for k in w.playbook.kpis
        ),
    )


def _passages(w: Workspace, tables: Tables, end: int) -> tuple[Passage, ...]:
    stages = w.playbook.stages
    steps = [role for role in _ROLES if any(stage.role == role for stage in stages)]
    places = {role: i for i, role in enumerate(steps)}
    if "sql" in places:
        places["opportunity"] = places["sql"]  # whoever has an opportunity was qualified, whatever the log says
    ranks = pd.DataFrame(
        [(s.name, places[s.role]) for s in stages if s.role in places and s.role not in ("lead", "won")],
        columns=["stage", "rank"],
    ).astype({"stage": "string", "rank": "int64"})
    w.con.register("ranks", ranks)
    w.con.execute(
        "CREATE OR REPLACE TEMP TABLE steps AS SELECT lead_id, rank, entered, known FROM ("
        "SELECT lead_id, 0 AS rank, epoch_us(created_at) AS entered, epoch_us(known_at) AS known FROM leads UNION ALL "
        f"SELECT s.lead_id, r.rank, epoch_us(entered_at), epoch_us(known_at) FROM read_parquet("
        f"{text(tables.file('stages'))}) s JOIN ranks r USING (stage) UNION ALL "
        f"SELECT lead_id, {len(steps) - 1}, closed, greatest(closed, known, linked) FROM credits WHERE is_win"
        ") SEMI JOIN (FROM leads WHERE merged_into IS NULL) USING (lead_id)"
    )
    w.con.unregister("ranks")
    now, before = (_passed(w, len(steps), end - k * _QUARTER) for k in (0, 1))
    return tuple(
        Passage(step, then, *of, *earlier)
        for step, then, of, earlier in zip(steps, steps[1:], now, before, strict=False)
    )


def _passed(w: Workspace, size: int, end: int) -> list[tuple[int, int]]:
    """For each step but the last: who came there in the quarter that ends, and who of them had passed on by its end."""
    first = ", ".join(f"min(entered) FILTER (rank >= {k}) AS step_{k}" for k in range(size))
    counts = ", ".join(
        f"count(*) FILTER (step_{k} >= {end - _QUARTER}), count(*) FILTER (step_{k} >= {end - _QUARTER} "
        f"AND step_{k + 1} IS NOT NULL)"
        for k in range(size - 1)
    )
    (row,) = w.con.execute(
        f"SELECT {counts} FROM (SELECT {first} FROM steps WHERE entered < {end} AND known < {end} GROUP BY lead_id)"
    ).fetchall()
    return list(zip(row[::2], row[1::2], strict=True))


def _handed(w: Workspace, tables: Tables, store: Store, end: int) -> pd.DataFrame:
    """Hand-offs with the hours to the first touch by sales; NaN without one, or where the data ends before."""
    columns = ("lead_id", "handed_at", "due_at", "state", "ended_at")
    frame = pd.DataFrame([[getattr(h, name) for name in columns] for h in store.handoffs()], columns=list(columns))
    for name in ("handed_at", "due_at", "ended_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    given = frame.assign(
        number=np.arange(len(frame)),
        handed=frame["handed_at"].dt.tz_localize(None).to_numpy("datetime64[us]").astype(np.int64),
    )
    w.con.register("given", given[["number", "lead_id", "handed"]].astype({"lead_id": "string"}))
    hours: pd.DataFrame = w.con.execute(
        f"SELECT g.number, g.handed < {end} AS seen, (min(epoch_us(t.occurred_at)) - any_value(g.handed)) / 3.6e9 "
        f"AS hours FROM given g LEFT JOIN (SELECT lead_id, occurred_at FROM read_parquet("
        f"{text(tables.file('touches'))}) WHERE direction = 'sales' AND epoch_us(occurred_at) < {end}) t "
        "ON t.lead_id = g.lead_id AND epoch_us(t.occurred_at) >= g.handed GROUP BY g.number, g.handed ORDER BY g.number"
    ).df()
    w.con.unregister("given")
    return frame.assign(seen=hours["seen"].to_numpy(bool), hours=hours["hours"].to_numpy(np.float64))


def _answers(handed: pd.DataFrame, until: datetime) -> dict[str, float]:
    """Figures of the hand-offs of a quarter."""
    mine = handed[(handed["handed_at"] >= until - QUARTER) & (handed["handed_at"] < until)]
    ended = mine["ended_at"].notna()
    judged = mine[ended | (mine["due_at"] < until)]
    states = mine.loc[ended, "state"]
    hours = mine.loc[mine["seen"], "hours"]
    return {
        "handed_over": float(len(mine)),
        "answered": float(ended.sum()),
        "kept": _mean(judged["ended_at"] <= judged["due_at"]),
        "accepted_share": _mean(states == "accepted"),
        "recycled_share": _mean(states == "recycled"),
        "hours_to_first_call": float(hours.median()) if hours.notna().any() else np.nan,
        "not_contacted": float(hours.isna().sum()),
    }


def _mean(flags: pd.Series[Any]) -> float:
    return float(flags.mean()) if len(flags) else np.nan


def _deals(w: Workspace, tables: Tables, end: int) -> dict[str, float]:
    """Figures of the deals that were closed in a quarter."""
    least = w.playbook.outcome.minimum_amount
    enough = f" AND amount >= {least}" if least else ""
    ((won, closed, amount),) = w.con.execute(
        f"SELECT count(*) FILTER (outcome = 'won'{enough}), count(*), "
        f"coalesce(sum(amount) FILTER (outcome = 'won'{enough}), 0) FROM read_parquet({text(tables.file('deals'))}) "
        f"WHERE outcome IS NOT NULL AND epoch_us(closed_at) >= {end - _QUARTER} AND epoch_us(closed_at) < {end}"
    ).fetchall()
    return {"wins": float(won), "win_rate": won / closed if closed else np.nan, "won_amount": float(amount)}


def judge_teams(teams: Teams) -> list[Finding]:
    """OVERDUE, REJECTIONS, KPI_MISSED: matters of the two teams, which change no exit code."""
    findings: list[Finding] = []
    if teams.overdue:
        told = f"{teams.overdue:,} are open beyond their time"
        findings.append(found(Code.OVERDUE, "note", "hand-offs", told))
    sent_back = sum(teams.reasons.values())
    if sent_back >= _FEWEST:
        reason, times = next(iter(teams.reasons.items()))
        if times > sent_back / 2:
            told = f"{times:,} of the {sent_back:,} leads that came back in the last quarter"
            findings.append(found(Code.REJECTIONS, "note", reason, told))
    for figure in teams.figures:
        if figure.missed and (figure.name in ("wins", "win_rate", "won_amount") or teams.answered >= _FEWEST):
            told = f"{figure.value:,.3g} in the last quarter; {figure.target:g} is agreed"
            findings.append(found(Code.KPI_MISSED, "note", figure.words, told))
    return findings
