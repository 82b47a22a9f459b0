"""Batches: what one night's scores are, and what they were made from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, and_, select

from touchline.serve.store.errors import StoreError
from touchline.serve.store.tables import batches

Status = Literal["staged", "published", "superseded"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(instant: datetime) -> int:
    """Microseconds UTC.

    Raises
    ------
    StoreError
        If the instant has no zone.
    """
    if instant.tzinfo is None:
        raise StoreError("a time has no zone; give it one, such as datetime(2026, 3, 1, tzinfo=UTC)")
    return (instant - _EPOCH) // timedelta(microseconds=1)


def instant(of: int) -> datetime:
    """The instant that microseconds UTC mean."""
    return _EPOCH + timedelta(microseconds=of)


@dataclass(frozen=True)
class Lineage:
    """What scores are made from.

    Attributes
    ----------
    as_of
        As of when leads are scored.
    model, version
        Of the registry.
    input_digest
        Of the data; with `as_of`, `model` and `version` it says whether a batch is the same again.
    model_digest, playbook_digest, catalog_digest
        Of what else went in.
    run_id, code_version, scored_at
        Which run, of which Touchline, and when.
    meta
        What pages need to tell a batch as it was, as plain data: the playbook's text, the grouping's subjects with
        their words, the scale, base points. No lead's data: it is kept as long as the batch.
    """

    as_of: datetime
    model: str
    version: str
    input_digest: str
    model_digest: str
    playbook_digest: str
    catalog_digest: str
    run_id: str
    code_version: str
    scored_at: datetime
    meta: dict[str, Any] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        """As columns of the table."""
        plain = {name: of for name, of in vars(self).items() if name not in ("as_of", "scored_at", "meta")}
        meta = json.dumps(self.meta, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        return {**plain, "as_of": micros(self.as_of), "scored_at": micros(self.scored_at), "meta": meta}


@dataclass(frozen=True)
class Batch:
    """A batch of scores: its number, what it was made from, how many leads it holds, and whether it is published."""

    id: int
    lineage: Lineage
    rows: int
    status: Status


def batch_of(row: Row[Any]) -> Batch:
    """A batch as it is kept."""
    of: dict[str, Any] = dict(zip(batches.c.keys(), row, strict=True))
    number, rows, status = of.pop("id"), of.pop("rows"), of.pop("status")
    of |= {"as_of": instant(of["as_of"]), "scored_at": instant(of["scored_at"]), "meta": json.loads(of["meta"])}
    return Batch(number, Lineage(**of), rows, status)


def newest() -> Select[Any]:
    """Published batches, the newest first: the latest `as_of`, and of one instant what was written last."""
    return select(batches).where(batches.c.status == "published").order_by(batches.c.as_of.desc(), batches.c.id.desc())


def find_batch(con: Connection, number: int) -> Batch:
    """A batch that is or was published.

    Raises
    ------
    StoreError
        If there is none of this number.
    """
    row = con.execute(select(batches).where(batches.c.id == number, batches.c.status != "staged")).first()
    if row is None:
        raise StoreError(f"there is no batch {number}, or it was removed by `[retention]`; begin at the newest again")
    return batch_of(row)


def published_as(con: Connection, lineage: Lineage) -> Batch | None:
    """The published batch of the same instant, model and version."""
    same = and_(
        batches.c.as_of == micros(lineage.as_of),
        batches.c.model == lineage.model,
        batches.c.version == lineage.version,
        batches.c.status == "published",
    )
    row = con.execute(select(batches).where(same)).first()
    return None if row is None else batch_of(row)
