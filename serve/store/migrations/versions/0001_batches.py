"""Batches of scores with all that belongs to their leads, the forgotten, and the audit log."""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

PLAIN = sa.Text().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("batch", sa.Integer()),
        sa.Column("count", sa.Integer(), nullable=False),
    )
    op.create_table(
        "batches",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("as_of", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("model_digest", sa.Text(), nullable=False),
        sa.Column("playbook_digest", sa.Text(), nullable=False),
        sa.Column("input_digest", sa.Text(), nullable=False),
        sa.Column("catalog_digest", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("code_version", sa.Text(), nullable=False),
        sa.Column("scored_at", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("meta", sa.Text(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "one_published",
        "batches",
        ["as_of", "model", "version"],
        unique=True,
        sqlite_where=sa.text("status = 'published'"),
        postgresql_where=sa.text("status = 'published'"),
    )
    op.create_table(
        "changes",
        sa.Column("batch", sa.Integer(), primary_key=True),
        sa.Column("row", sa.Integer(), primary_key=True),
        sa.Column("place", sa.SmallInteger(), primary_key=True),
        sa.Column("step", sa.SmallInteger(), nullable=False),
        sa.Column("subject", sa.SmallInteger()),
        sa.Column("points", sa.Double(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forgotten",
        sa.Column("hash", sa.Text(), primary_key=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "moments",
        sa.Column("batch", sa.Integer(), primary_key=True),
        sa.Column("row", sa.Integer(), primary_key=True),
        sa.Column("place", sa.SmallInteger(), primary_key=True),
        sa.Column("moment", sa.Text()),
        sa.Column("occurred_at", sa.BigInteger()),
        sa.Column("day", sa.Integer()),
        sa.Column("kind", sa.Text()),
        sa.Column("asset", sa.Text()),
        sa.Column("topic", sa.Text()),
        sa.Column("campaign", sa.Text()),
        sa.Column("touch_ids", sa.Text()),
        sa.Column("touches", sa.BigInteger()),
        sa.Column("person", sa.Text()),
        sa.Column("silent_days", sa.BigInteger()),
        sa.Column("usual", sa.Double()),
        sa.Column("strength", sa.Double()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "pressure",
        sa.Column("batch", sa.Integer(), primary_key=True),
        sa.Column("row", sa.Integer(), primary_key=True),
        sa.Column("place", sa.SmallInteger(), primary_key=True),
        sa.Column("last_7_days", sa.BigInteger()),
        sa.Column("last_30_days", sa.BigInteger()),
        sa.Column("last_at", sa.BigInteger()),
        sa.Column("too_much", sa.Boolean()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reasons",
        sa.Column("batch", sa.Integer(), primary_key=True),
        sa.Column("row", sa.Integer(), primary_key=True),
        sa.Column("place", sa.SmallInteger(), primary_key=True),
        sa.Column("family", sa.SmallInteger(), nullable=False),
        sa.Column("subject", sa.SmallInteger(), nullable=False),
        sa.Column("points", sa.Double(), nullable=False),
        sa.Column("count", sa.Integer()),
        sa.Column("against", sa.Integer()),
        sa.Column("last", sa.Integer()),
        sa.Column("value", sa.Text()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", sa.Text(), nullable=False),
    )
    op.create_table(
        "share",
        sa.Column("batch", sa.Integer(), primary_key=True),
        sa.Column("row", sa.Integer(), primary_key=True),
        sa.Column("place", sa.SmallInteger(), primary_key=True),
        sa.Column("rank", sa.BigInteger()),
        sa.Column("asset", sa.Text()),
        sa.Column("title", sa.Text()),
        sa.Column("topic", sa.Text()),
        sa.Column("language", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("fallback", sa.Boolean()),
        sa.Column("reason", sa.Text()),
        sa.Column("count", sa.BigInteger()),
        sa.Column("similar", sa.Boolean()),
        sa.Column("interest", sa.Double()),
        sa.Column("worked", sa.Double()),
        sa.Column("score", sa.Double()),
        sa.Column("too_much", sa.Boolean()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "told",
        sa.Column("batch", sa.Integer(), primary_key=True),
        sa.Column("row", sa.Integer(), primary_key=True),
        sa.Column("place", sa.SmallInteger(), primary_key=True),
        sa.Column("about", sa.Text()),
        sa.Column("name", sa.Text()),
        sa.Column("response", sa.Text()),
        sa.Column("response_at", sa.BigInteger()),
        sa.Column("last_at", sa.BigInteger()),
        sa.Column("touches", sa.BigInteger()),
        sa.Column("account_response", sa.Text()),
        sa.Column("account_last_at", sa.BigInteger()),
        sa.Column("colleagues", sa.BigInteger()),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "touches",
        sa.Column("batch", sa.Integer(), primary_key=True),
        sa.Column("row", sa.Integer(), primary_key=True),
        sa.Column("place", sa.SmallInteger(), primary_key=True),
        sa.Column("family", sa.SmallInteger()),
        sa.Column("touch_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asset", sa.Text()),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("points", sa.Double(), nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "scores",
        sa.Column("batch", sa.Integer(), sa.ForeignKey("batches.id"), primary_key=True),
        sa.Column("row", sa.Integer(), primary_key=True),
        sa.Column("lead_id", PLAIN, nullable=False),
        sa.Column("account_id", sa.Text()),
        sa.Column("owner_id", sa.Text()),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("log_odds", sa.Double(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("grade", sa.Text(), nullable=False),
        sa.Column("stars", sa.SmallInteger(), nullable=False),
        sa.Column("stars_frozen", sa.SmallInteger(), nullable=False),
        sa.Column("flames", sa.SmallInteger(), nullable=False),
        sa.Column("trend", sa.Text(), nullable=False),
        sa.Column("change", sa.Double()),
        sa.Column("rest", sa.Double(), nullable=False),
        sa.Column("stage", sa.Text()),
        sa.Column("language", sa.Text()),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "best_first",
        "scores",
        ["batch", sa.text("flames DESC"), sa.text("stars DESC"), sa.text("probability DESC"), "row"],
    )
    op.create_index(
        "best_of_owner",
        "scores",
        ["batch", "owner_id", sa.text("flames DESC"), sa.text("stars DESC"), sa.text("probability DESC"), "row"],
    )
    op.create_index("one_of_a_lead", "scores", ["batch", "lead_id"], unique=True)
    # So that hashes of the forgotten cannot be looked up in a table made elsewhere.
    settings = sa.table("settings", sa.column("name", sa.Text()), sa.column("value", sa.Text()))
    op.bulk_insert(settings, [{"name": "salt", "value": secrets.token_hex(32)}])
