"""The tables of the store. Migrations make them; a test holds the two against each other.

Times are microseconds UTC, days are days since 1970, both as whole numbers: the same on every database. Rows of a batch
are keyed by (batch, row) and what belongs to them by (batch, row, place): they are written in that order, which is the
fastest there is, and read together.
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.types import TypeEngine

from touchline.serve.store.shapes import SHAPES

metadata = MetaData()

PLAIN = Text().with_variant(String(collation="C"), "postgresql")
"""Text in the order of its bytes, so that an index finds beginnings."""


def _stored(of: pa.DataType) -> TypeEngine[Any]:
    """How a column of a shape is kept; lists are JSON."""
    if pa.types.is_boolean(of):
        return Boolean()
    if pa.types.is_floating(of):
        return Double()
    if pa.types.is_timestamp(of) or pa.types.is_int64(of):
        return BigInteger()
    if pa.types.is_date32(of) or pa.types.is_int32(of):
        return Integer()
    return SmallInteger() if pa.types.is_integer(of) else Text()


def _of_lead(name: str, schema: pa.Schema) -> Table:
    """A table of rows that belong to leads of a batch."""
    keys = [Column("batch", Integer, primary_key=True), Column("row", Integer, primary_key=True),
            Column("place", SmallInteger, primary_key=True)]  # fmt: skip
    own = [Column(f.name, _stored(f.type), nullable=f.nullable) for f in schema if f.name not in ("row", "lead_id")]
    return Table(name, metadata, *keys, *own, sqlite_with_rowid=False)


batches = Table(
    "batches",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("as_of", BigInteger, nullable=False),
    Column("model", Text, nullable=False),
    Column("version", Text, nullable=False),
    Column("model_digest", Text, nullable=False),
    Column("playbook_digest", Text, nullable=False),
    Column("input_digest", Text, nullable=False),
    Column("catalog_digest", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("code_version", Text, nullable=False),
    Column("scored_at", BigInteger, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("meta", Text, nullable=False),
    sqlite_autoincrement=True,  # a number is never given twice: pages under way name it
)
Index(
    "one_published",
    batches.c.as_of,
    batches.c.model,
    batches.c.version,
    unique=True,
    sqlite_where=text("status = 'published'"),
    postgresql_where=text("status = 'published'"),
)

scores = Table(
    "scores",
    metadata,
    Column("batch", Integer, ForeignKey("batches.id"), primary_key=True),
    Column("row", Integer, primary_key=True),
    *(Column(f.name, PLAIN if f.name == "lead_id" else _stored(f.type), nullable=f.nullable) for f in SHAPES["scores"]),
    sqlite_with_rowid=False,
)
_best = (scores.c.flames.desc(), scores.c.stars.desc(), scores.c.probability.desc(), scores.c.row)
Index("one_of_a_lead", scores.c.batch, scores.c.lead_id, unique=True)
Index("best_first", scores.c.batch, *_best)
Index("best_of_owner", scores.c.batch, scores.c.owner_id, *_best)

of_leads = {name: _of_lead(name, schema) for name, schema in SHAPES.items() if name != "scores"}
"""What belongs to a batch's leads, by name."""

settings = Table("settings", metadata, Column("name", Text, primary_key=True), Column("value", Text, nullable=False))
forgotten = Table(
    "forgotten", metadata, Column("hash", Text, primary_key=True), Column("at", BigInteger, nullable=False)
)
audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("batch", Integer),
    Column("count", Integer, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("lead_id", PLAIN, nullable=False, index=True),
    Column("batch", Integer, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("reason", Text),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)
handoffs = Table(
    "handoffs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("lead_id", PLAIN, nullable=False),
    Column("batch", Integer, nullable=False),
    Column("by", Text, nullable=False),
    Column("handed_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("ended_at", BigInteger),
)
Index("handoffs_of_lead", handoffs.c.lead_id, handoffs.c.handed_at)
Index("handoffs_due", handoffs.c.state, handoffs.c.due_at)
Index(
    "one_open_handoff",
    handoffs.c.lead_id,
    unique=True,
    sqlite_where=text("state = 'open'"),
    postgresql_where=text("state = 'open'"),
)
watched = Table(
    "watched",
    metadata,
    Column("user", Text, primary_key=True),
    Column("lead_id", PLAIN, primary_key=True),
    Column("since", BigInteger, nullable=False),
)
