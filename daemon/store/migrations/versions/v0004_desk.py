"""Desks: which window opened a popup; tickets: tags."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("screen_pops", sa.Column("opened_at", sa.BigInteger()))
    op.add_column("screen_pops", sa.Column("opened_by", sa.String(length=64)))
    op.create_index("ix_screen_pops_user_id_at", "screen_pops", ["user_id", "at"])
    op.add_column("tickets", sa.Column("tags", sa.Text(), server_default="[]", nullable=False))


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")
