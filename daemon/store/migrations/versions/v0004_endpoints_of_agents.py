"""An agent's endpoints are found without reading everybody's."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_agent_endpoints_user_id", "agent_endpoints", ["user_id"])


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")
