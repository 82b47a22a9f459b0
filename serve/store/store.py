"""`Store`: all that is kept for sales, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from sqlalchemy import select

from touchline.playbook import Playbook
from touchline.serve.store import erasing, reading, sales
from touchline.serve.store.batches import Batch, Lineage, find_batch, instant, micros
from touchline.serve.store.checking import Health, check
from touchline.serve.store.database import Database, connect
from touchline.serve.store.reading import Before, Page, StoredLead
from touchline.serve.store.sales import Feedback, Handoff, State, Verdict
from touchline.serve.store.schema import bring_up
from touchline.serve.store.tables import audit, watched
from touchline.serve.store.writing import Staging, staging

if TYPE_CHECKING:
    import pyarrow as pa

NEAR = timedelta(days=7)
"""How much older than asked for an earlier score may be."""


@dataclass(frozen=True)
class Entry:
    """A line of the audit log: when who did what, to which batch, and to how many; never to whom."""

    at: datetime
    who: str
    what: str
    batch: int | None
    count: int


class Store:
    """A score store; `Store.open` gives one. It may be used by several threads and processes at once.

    Every method raises `StoreError` if the database fails, and `BusyError` if somebody else holds it for too long.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, address: str | Path) -> Self:
        """Open a store; its tables are made, or brought up to date, if need be.

        Parameters
        ----------
        address
            A file's path (SQLite, readable by its owner alone), or `postgresql://user@host/database`.

        Raises
        ------
        StoreError
            If there is no such place, a newer Touchline wrote it, or it holds something else.
        """
        database = connect(address)
        try:
            bring_up(database)
        except BaseException:
            database.engine.dispose()
            raise
        return cls(database)

    def close(self) -> None:
        """Let go of all connections."""
        self._database.engine.dispose()

    def check(self) -> Health:
        """Look whether all is well; what `touchline doctor` says of the store."""
        return check(self._database)

    def new_batch(self, lineage: Lineage, *, revise: bool = False) -> AbstractContextManager[Staging]:
        """Write a batch: `with store.new_batch(lineage) as batch: batch.add(part); batch.publish()`.

        Nobody sees it before it is published, all at once. What was not published at the end of the block, or by a
        process that was killed, is taken away.

        Parameters
        ----------
        lineage
            What the scores are made from.
        revise
            Whether it may take the place of a batch of the same instant and model that was made from other data.

        Raises
        ------
        AlreadyPublished
            If the batch is there already: same instant, model, version and data. Nothing is changed.
        StoreError
            If a batch of the same instant, model and version was made from other data, without `revise`.
        BusyError
            If another job writes a batch.
        """
        return staging(self._database, lineage, revise=revise)

    def latest(self, model: str | None = None, *, before: datetime | None = None) -> Batch | None:
        """The newest published batch, of any model or of one, as of any instant or earlier than one; or None."""
        with self._database.reading() as con:
            return reading.latest(con, model, None if before is None else micros(before))

    def published(self, as_of: datetime) -> Batch | None:
        """The batch published as of an instant; None if there is none."""
        with self._database.reading() as con:
            return reading.published(con, micros(as_of))

    def numbers(self, batch: int) -> pa.Table:
        """`lead_id`, `log_odds` and `score` of every lead of a batch."""
        with self._database.reading() as con:
            return reading.numbers(con, batch)

    def batch(self, number: int) -> Batch:
        """A batch that is, or was, published; StoreError if there is none of this number."""
        with self._database.reading() as con:
            return find_batch(con, number)

    def best(
        self,
        *,
        batch: int | None = None,
        owner: str | None = None,
        tier: str | None = None,
        stage: str | None = None,
        search: str = "",
        after: str | None = None,
        limit: int = 50,
    ) -> Page:
        """The best leads: by flames, stars and chance.

        Parameters
        ----------
        batch
            Of which one; by default the newest.
        owner, tier, stage
            Only these.
        search
            Only leads whose lead_id begins so.
        after
            Of the page before; its batch is kept.
        limit
            Leads on a page.

        Raises
        ------
        StoreError
            If nothing is published, the batch is gone, or `after` is not of a page.
        """
        with self._database.reading() as con:
            return reading.best(
                con, batch=batch, owner=owner, tier=tier, stage=stage, search=search, after=after, limit=limit
            )

    def lead(self, lead_id: str, *, batch: int | None = None) -> StoredLead | None:
        """One lead with all that is known of it, in the newest batch or a given one; None if it is not in it."""
        with self._database.reading() as con:
            return reading.lead(con, lead_id, batch)

    def history(self, lead_id: str) -> pa.Table:
        """A lead's scores in all published batches, the oldest first, as `HISTORY`."""
        with self._database.reading() as con:
            return reading.history(con, lead_id)

    def score_before(
        self, leads: pa.Array[Any] | pa.ChunkedArray[Any], as_of: datetime, *, within: timedelta = NEAR
    ) -> Before:
        """Scores of leads in the newest batch as of `(as_of - within, as_of]`; for the trend, and for what changed."""
        with self._database.reading() as con:
            return reading.score_before(con, leads, as_of, within)

    def hand_over(
        self, lead_ids: Sequence[str], batch: int, playbook: Playbook, *, by: str, now: datetime | None = None
    ) -> int:
        """Hand leads of a batch over to sales, which has the playbook's time for them; those open already stay so.

        Returns
        -------
        int
            How many were handed over now.
        """
        with self._database.changing() as con:
            return sales.hand_over(con, lead_ids, batch, playbook, by, now or datetime.now(UTC))

    def handoffs(
        self, *, lead_id: str | None = None, state: State | None = None, due_before: datetime | None = None
    ) -> list[Handoff]:
        """Hand-offs, the first due first."""
        with self._database.reading() as con:
            return sales.find_handoffs(con, lead_id, state, due_before)

    def give_feedback(
        self,
        lead_id: str,
        verdict: Verdict,
        playbook: Playbook,
        *,
        by: str,
        reason: str | None = None,
        now: datetime | None = None,
    ) -> None:
        """Write down what sales says; `accept`, `reject` and `recycle` end the lead's open hand-off.

        Raises
        ------
        StoreError
            If a rejection has no reason of the playbook, the lead is not handed over, or has no score.
        """
        with self._database.changing() as con:
            sales.give_feedback(con, lead_id, verdict, playbook, by, now or datetime.now(UTC), reason)

    def feedback(self, *, lead_id: str | None = None, since: datetime | None = None) -> list[Feedback]:
        """What was said, the oldest first."""
        with self._database.reading() as con:
            return sales.find_feedback(con, lead_id, since)

    def watch(self, user: str, lead_id: str) -> None:
        """Put a lead on a person's list."""
        with self._database.changing() as con:
            sales.watch(con, user, lead_id, datetime.now(UTC))

    def unwatch(self, user: str, lead_id: str) -> None:
        """Take a lead off a person's list."""
        with self._database.changing() as con:
            sales.unwatch(con, user, lead_id)

    def watched(self, user: str) -> list[str]:
        """The leads on a person's list, in the order they came there."""
        query = select(watched.c.lead_id).where(watched.c.user == user).order_by(watched.c.since, watched.c.lead_id)
        with self._database.reading() as con:
            return list(con.scalars(query))

    def expire(self, now: datetime, playbook: Playbook, *, by: str = "job") -> int:
        """Remove batches older than the playbook's `[retention]` says; the newest published one stays in any case.

        Returns
        -------
        int
            How many were removed.
        """
        return erasing.expire(self._database, now, playbook.retention.batches, by)

    def forget(self, lead_id: str, *, by: str, now: datetime | None = None) -> int:
        """Erase a person from every table, and leave it out of all batches to come.

        What stays is a salted hash, which tells the person when it is given again, and a line in the audit log that
        says that, when and by whom somebody was erased. Backups and logs of the database are not the store's.

        Returns
        -------
        int
            In how many batches the person was; 0 if in none: it is left out of those to come all the same.
        """
        return erasing.forget(self._database, lead_id, now or datetime.now(UTC), by)

    def audit(self) -> list[Entry]:
        """The audit log, the oldest first."""
        names = ("at", "who", "what", "batch", "count")
        with self._database.reading() as con:
            rows = con.execute(select(*(audit.c[name] for name in names)).order_by(audit.c.id)).all()
        return [Entry(instant(at), *rest) for at, *rest in rows]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
