"""A target and a limit of its own for a queue."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("queues", sa.Column("sla_target_percent", sa.Integer()))
    op.add_column("queues", sa.Column("sla_answer_within_seconds", sa.Integer()))


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")
