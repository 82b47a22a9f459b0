"""What sales does with scores: hand-offs, verdicts, and leads that somebody watches."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

PLAIN = sa.Text().with_variant(sa.String(collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("lead_id", PLAIN, nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_feedback_at", "feedback", ["at"])
    op.create_index("ix_feedback_lead_id", "feedback", ["lead_id"])
    op.create_table(
        "handoffs",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("lead_id", PLAIN, nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("handed_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
    )
    op.create_index("handoffs_due", "handoffs", ["state", "due_at"])
    op.create_index("handoffs_of_lead", "handoffs", ["lead_id", "handed_at"])
    op.create_index(
        "one_open_handoff",
        "handoffs",
        ["lead_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "watched",
        sa.Column("user", sa.Text(), primary_key=True),
        sa.Column("lead_id", PLAIN, primary_key=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
    )
