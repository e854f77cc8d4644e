"""Desks: which window opened a popup; tickets: tags, and who changed what."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("screen_pops", sa.Column("opened_at", sa.BigInteger()))
    op.add_column("screen_pops", sa.Column("opened_by", sa.String(length=64)))
    op.create_index("ix_screen_pops_user_id_at", "screen_pops", ["user_id", "at"])
    op.add_column("tickets", sa.Column("tags", sa.Text(), server_default="[]", nullable=False))
    op.create_table(
        "ticket_events",
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=128)),
        sa.Column("reason", sa.String(length=64)),
        sa.Column("old", sa.Text(), nullable=False),
        sa.Column("new", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.ticket_id"], name="fk_ticket_events_ticket_id"),
        sa.PrimaryKeyConstraint("ticket_id", "version", "what", name="pk_ticket_events"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")
