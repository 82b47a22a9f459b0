"""Reading published scores: the best leads page by page, one lead with all that is known of it, and its history."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import ColumnElement, Connection, Double, Select, and_, cast, false, or_, select

from touchline.serve.store.batches import Batch, batch_of, find_batch, micros, newest
from touchline.serve.store.columns import read
from touchline.serve.store.errors import StoreError
from touchline.serve.store.shapes import SHAPES, Part
from touchline.serve.store.tables import batches, of_leads, scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

HISTORY = pa.schema(
    [
        ("batch", pa.int32()),
        ("as_of", pa.timestamp("us", "UTC")),
        ("model", pa.string()),
        ("version", pa.string()),
        ("log_odds", pa.float64()),
        ("probability", pa.float64()),
        ("score", pa.float64()),
        ("tier", pa.string()),
    ]
)
"""Columns of a lead's history."""
_LAST_LETTER = "\U0010ffff"


@dataclass(frozen=True)
class Page:
    """Some of the best leads.

    Attributes
    ----------
    batch
        Where they stand; the pages of one reading all are of the same, whatever is published meanwhile.
    scores
        As in `SHAPES`, the best first.
    after
        What to ask for the next page with; None if there is none.
    """

    batch: Batch
    scores: pa.Table
    after: str | None


@dataclass(frozen=True)
class StoredLead:
    """One lead in a batch: its score and all that belongs to it, as a part of one row, and its earlier scores."""

    batch: Batch
    part: Part
    history: pa.Table


@dataclass(frozen=True)
class Before:
    """Earlier scores of some leads, in their order; NaN where there was none. `batch` is where they stand."""

    batch: Batch | None
    log_odds: NDArray[np.float64]
    score: NDArray[np.float64]


def latest(con: Connection, model: str | None = None, before: int | None = None) -> Batch | None:
    """The newest published batch, of any model or of one, as of any instant or earlier than one."""
    query = newest() if model is None else newest().where(batches.c.model == model)
    if before is not None:
        query = query.where(batches.c.as_of < before)
    row = con.execute(query.limit(1)).first()
    return None if row is None else batch_of(row)


def published(con: Connection, as_of: int) -> Batch | None:
    """The batch published as of an instant; of several models the one written last."""
    row = con.execute(newest().where(batches.c.as_of == as_of).limit(1)).first()
    return None if row is None else batch_of(row)


_NUMBERS = pa.schema([("lead_id", pa.string()), ("log_odds", pa.float64()), ("score", pa.float64())])


def numbers(con: Connection, batch: int) -> pa.Table:
    """Log-odds and score of every lead of a batch."""
    return read(
        con.execute(select(*(scores.c[name] for name in _NUMBERS.names)).where(scores.c.batch == batch)), _NUMBERS
    )


def best(
    con: Connection,
    *,
    batch: int | None,
    owner: str | None,
    tier: str | None,
    stage: str | None,
    search: str,
    after: str | None,
    limit: int,
) -> Page:
    """See `Store.best`."""
    if limit < 1:
        raise StoreError("a page holds one lead at least; ask for a limit of 1 or more")
    keys = _keys(after) if after is not None else None
    of = find_batch(con, keys[0]) if keys else _batch(con, batch)
    wanted = [scores.c.batch == of.id]
    wanted += [column == value for column, value in ((scores.c.owner_id, owner), (scores.c.tier, tier),
               (scores.c.stage, stage)) if value is not None]  # fmt: skip
    if search:
        wanted.append(_begins(search))
    if keys:
        wanted.append(_beyond(*keys[1:]))
    order = (scores.c.flames.desc(), scores.c.stars.desc(), scores.c.probability.desc(), scores.c.row)
    columns = [*(scores.c[name] for name in SHAPES["scores"].names), scores.c.row]
    schema = SHAPES["scores"].append(pa.field("row", pa.int32()))
    # One more than asked for says whether there is a next page.
    found = read(con.execute(select(*columns).where(*wanted).order_by(*order).limit(limit + 1)), schema)
    page = found.slice(0, limit)
    return Page(of, page.drop_columns(["row"]), _cursor(of.id, page) if found.num_rows > limit else None)


def _batch(con: Connection, number: int | None) -> Batch:
    found = latest(con) if number is None else find_batch(con, number)
    if found is None:
        raise StoreError("nothing is published yet; run `touchline score` first")
    return found


def _begins(search: str) -> ColumnElement[bool]:
    if "\0" in search:
        return false()
    return and_(scores.c.lead_id >= search, scores.c.lead_id < search + _LAST_LETTER)


def _beyond(flames: int, stars: int, probability: float, row: int) -> ColumnElement[bool]:
    """What comes after a place in the order; the first comparison lets the index begin there."""
    c = scores.c
    # Said to be a double, or the server would round it to the number of decimals that a text has.
    chance = cast(probability, Double)
    return and_(
        c.flames <= flames,
        or_(
            c.flames < flames,
            and_(c.flames == flames, c.stars < stars),
            and_(c.flames == flames, c.stars == stars, c.probability < chance),
            and_(c.flames == flames, c.stars == stars, c.probability == chance, c.row > row),
        ),
    )


def _cursor(batch: int, page: pa.Table) -> str:
    last = page.select(["flames", "stars", "probability", "row"]).slice(page.num_rows - 1).to_pylist()[0]
    return base64.urlsafe_b64encode(json.dumps([batch, *last.values()]).encode()).decode().rstrip("=")


def _keys(after: str) -> tuple[int, int, int, float, int]:
    try:
        values = json.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        batch, flames, stars, probability, row = values
        whole = all(type(n) is int and abs(n) < 2**31 for n in (batch, flames, stars, row))
        if whole and 0 <= float(probability) <= 1:
            return batch, flames, stars, float(probability), row
    except (ValueError, TypeError):
        pass  # whoever makes one up is told the same, whatever is wrong with it
    raise StoreError("this is no page of ours; begin again without `after`")


def lead(con: Connection, lead_id: str, batch: int | None) -> StoredLead | None:
    """See `Store.lead`."""
    of = _batch(con, batch)
    names = SHAPES["scores"].names
    mine = (scores.c.batch == of.id, scores.c.lead_id == lead_id)
    score = read(con.execute(select(*(scores.c[name] for name in names)).where(*mine)), SHAPES["scores"])
    if not score.num_rows:
        return None
    row: int = con.execute(select(scores.c.row).where(*mine)).scalar_one()
    tables = {name: _of_lead(con, name, of.id, row, lead_id) for name in of_leads}
    return StoredLead(of, Part(score, **tables), history(con, lead_id))


def _of_lead(con: Connection, name: str, batch: int, row: int, lead_id: str) -> pa.Table:
    table, schema = of_leads[name], SHAPES[name]
    own = [f for f in schema if f.name not in ("row", "lead_id")]
    columns = [table.c[f.name] for f in own]
    query: Select[Any] = select(*columns).where(table.c.batch == batch, table.c.row == row).order_by(table.c.place)
    content: dict[str, Any] = dict(
        zip((f.name for f in own), read(con.execute(query), pa.schema(own)).columns, strict=True)
    )
    size = len(content[own[0].name])
    keys = {"row": pa.array([0] * size, pa.int32()), "lead_id": pa.array([lead_id] * size, pa.string())}
    return pa.table({f.name: content.get(f.name, keys.get(f.name)) for f in schema}, schema=schema)


def history(con: Connection, lead_id: str) -> pa.Table:
    """See `Store.history`."""
    # By number of the batch, so that the index of leads is used in each.
    published = con.scalars(select(batches.c.id).where(batches.c.status == "published")).all()
    of = (batches.c.id, batches.c.as_of, batches.c.model, batches.c.version)
    values = (scores.c.log_odds, scores.c.probability, scores.c.score, scores.c.tier)
    query = (
        select(*of, *values)
        .join_from(scores, batches, scores.c.batch == batches.c.id)
        .where(scores.c.batch.in_(published), scores.c.lead_id == lead_id)
        .order_by(batches.c.as_of, batches.c.id)
    )
    return read(con.execute(query), HISTORY)


def score_before(
    con: Connection, leads: pa.Array[Any] | pa.ChunkedArray[Any], as_of: datetime, within: timedelta
) -> Before:
    """See `Store.score_before`."""
    query = newest().where(batches.c.as_of <= micros(as_of), batches.c.as_of > micros(as_of - within)).limit(1)
    row = con.execute(query).first()
    nothing = np.full(len(leads), np.nan)
    if row is None:
        return Before(None, nothing, nothing)
    of = batch_of(row)
    found = numbers(con, of.id)
    place = pc.index_in(leads, found["lead_id"])
    log_odds, score = (pc.fill_null(pc.take(found[name], place), pa.scalar(np.nan)) for name in ("log_odds", "score"))
    return Before(of, np.asarray(log_odds, np.float64), np.asarray(score, np.float64))
