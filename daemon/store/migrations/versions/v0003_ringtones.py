"""Ringtones that people uploaded, and who made a token.

Both are one step because no release came between them: a store made from the sources in those days is to be made anew.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "ringtones",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("duration_ms", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.Column("wide", sa.LargeBinary(), nullable=False),
        sa.Column("narrow", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_ringtones"),
    )
    op.add_column("tokens", sa.Column("created_by", sa.String(length=128), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")
