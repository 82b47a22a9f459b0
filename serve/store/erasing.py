"""What goes away: batches that are old enough, and people who asked to be forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection, delete, insert, select, update

from touchline.serve.store.batches import micros, newest
from touchline.serve.store.database import Database
from touchline.serve.store.tables import (
    audit,
    batches,
    feedback,
    forgotten,
    handoffs,
    of_leads,
    scores,
    settings,
    watched,
)


def remove(con: Connection, batch: int) -> None:
    """Take a batch away, with all that belongs to it."""
    with con.begin():
        for table in (*of_leads.values(), scores):
            con.execute(delete(table).where(table.c.batch == batch))
        con.execute(delete(batches).where(batches.c.id == batch))


def expire(database: Database, now: datetime, keep: timedelta, by: str) -> int:
    """Remove batches written before `now - keep`, but never the newest that is published; see `Store.expire`."""
    with database.writing() as con:
        with con.begin():
            last = con.scalar(newest().with_only_columns(batches.c.id).limit(1))
            old = select(batches.c.id).where(batches.c.scored_at < micros(now - keep), batches.c.id != (last or 0))
            found = con.scalars(old).all()
        for number in found:
            remove(con, number)
        if found:
            with con.begin():
                con.execute(insert(audit).values(at=micros(now), who=by, what="expire", count=len(found)))
    return len(found)


def forget(database: Database, lead_id: str, now: datetime, by: str) -> int:
    """Erase a person; see `Store.forget`."""
    with database.changing() as con:
        numbers = con.scalars(select(batches.c.id)).all()
        found = con.execute(
            select(scores.c.batch, scores.c.row).where(scores.c.batch.in_(numbers), scores.c.lead_id == lead_id)
        ).all()
        for batch, row in found:  # one per batch, a few hundred at most
            for table in (*of_leads.values(), scores):
                con.execute(delete(table).where(table.c.batch == batch, table.c.row == row))
            con.execute(update(batches).where(batches.c.id == batch, batches.c.status != "staged")
                        .values(rows=batches.c.rows - 1))  # fmt: skip
        of_others = of_leads["moments"]
        con.execute(delete(of_others).where(of_others.c.person == lead_id))
        for table in (feedback, handoffs, watched):
            con.execute(delete(table).where(table.c.lead_id == lead_id))
        (hashed,) = _hashes(_salt(con), pa.chunked_array([pa.array([lead_id])])).to_pylist()
        if con.scalar(select(forgotten.c.hash).where(forgotten.c.hash == hashed)) is None:
            con.execute(insert(forgotten).values(hash=hashed, at=micros(now)))
        con.execute(insert(audit).values(at=micros(now), who=by, what="forget", count=len(found)))
    if database.path is not None:
        # The log still holds pages from before; without readers in the way they go now, else with their end.
        with database.engine.connect() as con:
            con.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return len(found)


def are_forgotten(con: Connection, lead_ids: pa.ChunkedArray[Any]) -> Any:
    """For each lead whether it was forgotten, as an Arrow column; None if nobody was."""
    hashes = con.scalars(select(forgotten.c.hash)).all()
    if not hashes:
        return None
    return pc.is_in(_hashes(_salt(con), lead_ids), value_set=pa.array(hashes, pa.string()))


def _salt(con: Connection) -> str:
    return con.execute(select(settings.c.value).where(settings.c.name == "salt")).scalar_one()


def _hashes(salt: str, lead_ids: Any) -> pa.ChunkedArray[Any]:
    with duckdb.connect() as con:
        con.register("given", pa.table({"of": lead_ids}))
        return con.sql("SELECT sha256(? || of) AS of FROM given", params=[salt]).to_arrow_table()["of"]
