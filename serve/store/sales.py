"""What sales does with scores: hand-offs with their clock, verdicts, and leads that somebody watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, select, update

from touchline.playbook import Playbook
from touchline.serve.store.batches import instant, micros
from touchline.serve.store.errors import StoreError
from touchline.serve.store.tables import audit, batches, feedback, handoffs, scores, watched

Verdict = Literal["accept", "reject", "recycle", "good", "bad"]
"""What sales says: of a hand-off the first three, of the score itself the other two."""
State = Literal["open", "accepted", "rejected", "recycled"]
_ENDS: dict[Verdict, State] = {"accept": "accepted", "reject": "rejected", "recycle": "recycled"}


@dataclass(frozen=True)
class Handoff:
    """A lead that marketing handed over.

    Attributes
    ----------
    lead_id, batch
        Which lead, by the scores of which batch.
    by, handed_at
        Who handed it over, and when.
    due_at
        By when sales must accept or reject.
    state, ended_at
        What became of it, and when; `open` until sales says so.
    """

    lead_id: str
    batch: int
    by: str
    handed_at: datetime
    due_at: datetime
    state: State
    ended_at: datetime | None


@dataclass(frozen=True)
class Feedback:
    """What somebody said of a lead, and of which batch's score."""

    lead_id: str
    batch: int
    verdict: Verdict
    reason: str | None
    by: str
    at: datetime


def hand_over(con: Connection, lead_ids: Sequence[str], batch: int, playbook: Playbook, by: str, now: datetime) -> int:
    """See `Store.hand_over`."""
    wanted = list(dict.fromkeys(lead_ids))
    known = set(con.scalars(select(scores.c.lead_id).where(scores.c.batch == batch, scores.c.lead_id.in_(wanted))))
    if len(known) < len(wanted):
        raise StoreError(f"{len(wanted) - len(known):,} of the leads are not in batch {batch}; hand over leads of it")
    open_already = set(
        con.scalars(select(handoffs.c.lead_id).where(handoffs.c.state == "open", handoffs.c.lead_id.in_(wanted)))
    )
    begin, due = micros(now), micros(now + playbook.handoff.sla)
    same: dict[str, Any] = {"batch": batch, "by": by, "handed_at": begin, "due_at": due, "state": "open"}
    rows = [{"lead_id": lead_id, **same} for lead_id in wanted if lead_id not in open_already]
    if rows:
        con.execute(insert(handoffs), rows)
        con.execute(insert(audit).values(at=begin, who=by, what="hand over", batch=batch, count=len(rows)))
    return len(rows)


def give_feedback(
    con: Connection, lead_id: str, verdict: Verdict, playbook: Playbook, by: str, now: datetime, reason: str | None
) -> None:
    """See `Store.give_feedback`."""
    _refuse_reason(verdict, reason, playbook)
    batch = newest_batch_with(con, lead_id)
    at = micros(now)
    if verdict in _ENDS:
        ended = con.execute(
            update(handoffs)
            .where(handoffs.c.lead_id == lead_id, handoffs.c.state == "open")
            .values(state=_ENDS[verdict], ended_at=at)
        )
        if not ended.rowcount:
            raise StoreError(f"the lead is not handed over, so that sales cannot {verdict} it; reload its page")
    con.execute(insert(feedback).values(lead_id=lead_id, batch=batch, verdict=verdict, reason=reason, by=by, at=at))
    con.execute(insert(audit).values(at=at, who=by, what=verdict, batch=batch, count=1))


def _refuse_reason(verdict: Verdict, reason: str | None, playbook: Playbook) -> None:
    if verdict not in ("accept", "reject", "recycle", "good", "bad"):
        raise StoreError("that is no verdict; say accept, reject, recycle, good or bad")
    names = [of.name for of in playbook.rejection_reasons]
    if verdict in ("reject", "recycle"):
        if reason not in names:
            listed = ", ".join(names) or "none yet: add `[[rejection_reasons]]`"
            raise StoreError(f"to {verdict} a lead needs a reason of the playbook; use one of: {listed}")
    elif reason is not None:
        raise StoreError(f"{verdict} takes no reason; leave it out")


def newest_batch_with(con: Connection, lead_id: str) -> int:
    """The newest published batch that a lead is in.

    Raises
    ------
    StoreError
        If it is in none.
    """
    published = con.scalars(select(batches.c.id).where(batches.c.status == "published")).all()
    query = (
        select(scores.c.batch)
        .join(batches, batches.c.id == scores.c.batch)
        .where(scores.c.batch.in_(published), scores.c.lead_id == lead_id)
        .order_by(batches.c.as_of.desc(), batches.c.id.desc())
    )
    found = con.scalar(query.limit(1))
    if found is None:
        raise StoreError("the lead has no score in the store; look for it among the leads of the newest batch")
    return found


def find_handoffs(
    con: Connection, lead_id: str | None, state: State | None, due_before: datetime | None
) -> list[Handoff]:
    """See `Store.handoffs`."""
    query = select(*(handoffs.c[name] for name in Handoff.__dataclass_fields__))
    if lead_id is not None:
        query = query.where(handoffs.c.lead_id == lead_id)
    if state is not None:
        query = query.where(handoffs.c.state == state)
    if due_before is not None:
        query = query.where(handoffs.c.due_at < micros(due_before))
    return [Handoff(**_in_time(Handoff, row)) for row in con.execute(query.order_by(handoffs.c.due_at, handoffs.c.id))]


def find_feedback(con: Connection, lead_id: str | None, since: datetime | None) -> list[Feedback]:
    """See `Store.feedback`."""
    query = select(*(feedback.c[name] for name in Feedback.__dataclass_fields__))
    if lead_id is not None:
        query = query.where(feedback.c.lead_id == lead_id)
    if since is not None:
        query = query.where(feedback.c.at >= micros(since))
    return [Feedback(**_in_time(Feedback, row)) for row in con.execute(query.order_by(feedback.c.at, feedback.c.id))]


def watch(con: Connection, user: str, lead_id: str, now: datetime) -> None:
    """See `Store.watch`."""
    newest_batch_with(con, lead_id)
    same = (watched.c.user == user, watched.c.lead_id == lead_id)
    if con.scalar(select(watched.c.since).where(*same)) is None:
        con.execute(insert(watched).values(user=user, lead_id=lead_id, since=micros(now)))


def unwatch(con: Connection, user: str, lead_id: str) -> None:
    """See `Store.unwatch`."""
    con.execute(delete(watched).where(watched.c.user == user, watched.c.lead_id == lead_id))


def _in_time(of_kind: type[Handoff | Feedback], row: Row[Any]) -> dict[str, Any]:
    times = ("handed_at", "due_at", "ended_at", "at")
    content = dict(zip(of_kind.__dataclass_fields__, row, strict=True))
    return {name: instant(of) if name in times and of is not None else of for name, of in content.items()}
