"""Links that show the wallboard to a screen where nobody is signed in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wall_links",
        sa.Column("link_id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False, server_default=""),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("link_id", name="pk_wall_links"),
        sa.UniqueConstraint("digest", name="uq_wall_links_digest"),
    )


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")
