"""What agents were for how long, and the daily summary: whom it is sent to, and what came of it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "agent_periods",
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("doing", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=128), nullable=False, server_default=""),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("estimated", sa.Boolean(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("user_id", "began_at", name="pk_agent_periods"),
        sqlite_with_rowid=False,
    )
    columns = ["user_id", "doing", "reason", "ended_at", "began_at", "estimated"]
    op.create_index("ix_agent_periods_sums", "agent_periods", columns)
    op.create_table(
        "summary_targets",
        sa.Column("target_id", sa.String(length=40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("target_id", name="pk_summary_targets"),
    )
    op.create_table(
        "summaries",
        sa.Column("target_id", sa.String(length=40), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attempted_at", sa.BigInteger()),
        sa.Column("next_attempt_at", sa.BigInteger()),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("reason", sa.String(length=32)),
        sa.Column("said", sa.String(length=255)),
        sa.PrimaryKeyConstraint("target_id", "day", name="pk_summaries"),
        sa.ForeignKeyConstraint(
            ["target_id"],
            ["summary_targets.target_id"],
            name="fk_summaries_target_id",
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")
