"""Calls and tickets that were read afterwards from the PBX's records."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("calls", "tickets"):
        op.add_column(table, sa.Column("caught_up", sa.Boolean(), nullable=False, server_default="0"))


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")
