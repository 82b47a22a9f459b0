"""Writing a batch: staged part by part, unseen, and published at once."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager, suppress

import numpy as np
import pyarrow.compute as pc
from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from touchline.serve.store.batches import Batch, Lineage, find_batch, micros, published_as
from touchline.serve.store.columns import insert as insert_rows
from touchline.serve.store.columns import keyed
from touchline.serve.store.database import Database
from touchline.serve.store.erasing import are_forgotten, remove
from touchline.serve.store.errors import AlreadyPublished, StoreError, told
from touchline.serve.store.shapes import Part
from touchline.serve.store.tables import audit, batches, of_leads, scores

_DUPLICATE = "a lead stands twice in the batch; give each lead of the same instant one score"


class Staging:
    """A batch that is being written; nobody sees it before it is published.

    Parameters
    ----------
    con
        The one writer's.
    database
        The store's.
    lineage
        What the scores are made from.
    """

    def __init__(self, con: Connection, database: Database, lineage: Lineage) -> None:
        self._con = con
        self._database = database
        self.lineage = lineage
        self.rows = 0
        """Leads added so far."""
        self.is_published = False
        values = {**lineage.values(), "rows": 0, "status": "staged"}
        with con.begin():
            self.id: int = con.execute(insert(batches).values(**values).returning(batches.c.id)).scalar_one()

    def add(self, part: Part) -> int:
        """Add leads with all that is known of them; those that were forgotten are left out.

        Parameters
        ----------
        part
            10 000 to 100 000 leads at a time are a good size.

        Returns
        -------
        int
            How many were written.

        Raises
        ------
        StoreError
            If a lead is in the batch already; the batch can then no longer be published.
        """
        if self.is_published:
            raise StoreError("the batch is published, and no longer changes; write a new one with revise=True")
        with told(self._database.where):
            try:
                with self._con.begin():
                    self._database.hold_rows(self._con)
                    written = self._write(part)
            except Exception as error:
                if _is_duplicate(error):
                    raise StoreError(_DUPLICATE) from None
                raise
        self.rows += written
        return written

    def _write(self, part: Part) -> int:
        part = _without_forgotten(self._con, part)
        rows = np.arange(self.rows, self.rows + len(part))
        insert_rows(self._con, scores, keyed(part.scores, self.id, rows, places=False))
        for name, table in of_leads.items():
            mine = rows[part.rows(name).to_numpy(zero_copy_only=False).astype(np.intp)]
            insert_rows(self._con, table, keyed(getattr(part, name), self.id, mine, places=True))
        return len(part)

    def publish(self, by: str = "job") -> Batch:
        """Show the batch to readers, in place of the one that it revises, if any.

        Parameters
        ----------
        by
            Who, for the audit log.

        Raises
        ------
        StoreError
            If it holds no leads.
        """
        if not self.rows:
            raise StoreError("the batch holds no leads; sales keeps the last one (look at the eligible leads)")
        of = self.lineage
        with told(self._database.where), self._con.begin():
            self._database.hold_rows(self._con)
            # Somebody may have been forgotten since the rows were written.
            kept = self._con.scalar(select(func.count()).select_from(scores).where(scores.c.batch == self.id))
            earlier = published_as(self._con, of)
            if earlier is not None:
                superseded = update(batches).where(batches.c.id == earlier.id).values(status="superseded")
                self._con.execute(superseded)
            self._con.execute(update(batches).where(batches.c.id == self.id).values(status="published", rows=kept))
            what = "publish" if earlier is None else "revise"
            self._con.execute(
                insert(audit).values(at=micros(of.scored_at), who=by, what=what, batch=self.id, count=kept)
            )
            batch = find_batch(self._con, self.id)
        self.is_published = True
        return batch


@contextmanager
def staging(database: Database, lineage: Lineage, *, revise: bool) -> Generator[Staging]:
    """Stage a batch as the one writer; what was not published at the end is taken away. See `Store.new_batch`."""
    values = lineage.values()  # refuses times without a zone, and meta that is no JSON, before anything is held
    assert values
    with database.writing() as con:
        with con.begin():
            left = con.scalars(select(batches.c.id).where(batches.c.status == "staged")).all()
        for number in left:  # of a writer that was killed: whoever holds the lock is the only one
            remove(con, number)
        with con.begin():
            earlier = published_as(con, lineage)
        if earlier is not None:
            _refuse_other(earlier, lineage, revise=revise)
        staged = Staging(con, database, lineage)
        try:
            yield staged
        finally:
            if not staged.is_published:
                with suppress(SQLAlchemyError):  # the next writer clears away what stays
                    remove(con, staged.id)


def _refuse_other(earlier: Batch, lineage: Lineage, *, revise: bool) -> None:
    if earlier.lineage.input_digest == lineage.input_digest:
        raise AlreadyPublished(earlier)
    if not revise:
        raise StoreError(
            f"batch {earlier.id} holds scores as of {lineage.as_of:%Y-%m-%d %H:%M} by {lineage.model} "
            f"{lineage.version} already, from other data; score with revise=True to put the new ones in its place, or "
            "as of another instant"
        )


def _without_forgotten(con: Connection, part: Part) -> Part:
    gone = are_forgotten(con, part.scores["lead_id"])
    if gone is not None and pc.any(gone).as_py():
        part = part.without(gone)
    people = are_forgotten(con, part.moments["person"])
    if people is not None and pc.any(people).as_py():
        # A moment may speak of a colleague.
        rest = {name: getattr(part, name) for name in part.names()}
        return Part(part.scores, **{**rest, "moments": part.moments.filter(pc.invert(people))})
    return part


def _is_duplicate(error: Exception) -> bool:
    names = {type(error).__name__, type(getattr(error, "orig", None)).__name__}
    return isinstance(error, IntegrityError) or bool(names & {"IntegrityError", "UniqueViolation"})
