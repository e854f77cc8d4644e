"""Calls: why they were hung up, and the loss of their connection, which outlives a restart."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("calls", sa.Column("hangup_reason", sa.String(length=32)))
    op.add_column("calls", sa.Column("lost_channel", sa.String(length=150)))
    op.add_column("calls", sa.Column("lost_side", sa.String(length=16)))
    op.add_column("calls", sa.Column("lost_since", sa.BigInteger()))
    op.add_column("calls", sa.Column("lost_packets", sa.BigInteger()))


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")
