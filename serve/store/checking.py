"""Whether a store is well."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from touchline.features import BusyError
from touchline.serve.store.batches import Batch
from touchline.serve.store.database import Database
from touchline.serve.store.reading import latest
from touchline.serve.store.schema import newest_revision, revision_of
from touchline.serve.store.tables import batches, scores


@dataclass(frozen=True)
class Health:
    """How a store is.

    Attributes
    ----------
    where
        Its address, without a password.
    revision
        Of its schema.
    batches
        How many are published.
    latest
        The newest of them.
    problems
        What is wrong, and what to do; empty if nothing is.
    """

    where: str
    revision: str | None
    batches: int
    latest: Batch | None
    problems: tuple[str, ...]


def check(database: Database) -> Health:
    """Look at a store's schema, its file, and whether its batches are whole."""
    with database.reading() as con:
        revision, newest = revision_of(con), latest(con)
        published = con.scalar(select(func.count()).where(batches.c.status == "published")) or 0
        problems = [*_schema(revision), *_damage(con, database), *_incomplete(con), *_staged(con, database)]
    return Health(database.where, revision, published, newest, tuple(problems))


def _schema(revision: str | None) -> list[str]:
    head = newest_revision()
    return [] if revision == head else [f"the schema is {revision}, not {head}; open the store again"]


def _damage(con: Connection, database: Database) -> list[str]:
    if database.path is None:
        return []
    if con.exec_driver_sql("PRAGMA quick_check(1)").scalar() != "ok":
        return ["the file is damaged; bring back a copy, or score again into a new file"]
    if database.path.stat().st_mode & 0o077:
        return [f"others may read the file; run `chmod 600 {database.path}`"]
    return []


def _incomplete(con: Connection) -> list[str]:
    counted = select(scores.c.batch, func.count().label("rows")).group_by(scores.c.batch).subquery()
    wrong = (
        select(batches.c.id)
        .outerjoin(counted, counted.c.batch == batches.c.id)
        .where(batches.c.status != "staged", func.coalesce(counted.c.rows, 0) != batches.c.rows)
    )
    return [f"batch {n} is not whole; score it again with revise=True" for n in con.scalars(wrong.order_by("id"))]


def _staged(con: Connection, database: Database) -> list[str]:
    if not con.scalar(select(func.count()).where(batches.c.status == "staged")):
        return []
    try:
        with database.writing():
            return ["a job was killed while it wrote a batch; the next one clears that away"]
    except BusyError:
        return []
