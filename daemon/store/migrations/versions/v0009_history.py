"""Calls: when the first phone rang, what happened on the way, and indexes that find any of a million at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_HISTORY = (
    *("started_at", "pbx", "call_id", "direction", "outcome", "missed_reason", "ended_by"),
    *("queue", "hotline", "user_id", "customer_number", "state", "queued_at", "rung_at", "answered_at", "ended_at"),
)
_AGENTS_OF_CALLS = """
INSERT OR IGNORE INTO call_agents (user_id, started_at, pbx, call_id)
SELECT member.value, calls.started_at, calls.pbx, calls.call_id FROM calls, json_each(calls.user_ids) AS member
"""


def upgrade() -> None:
    op.add_column("calls", sa.Column("rung_at", sa.BigInteger()))
    op.drop_index("ix_calls_started_at", "calls")
    op.drop_index("ix_calls_state", "calls")
    op.drop_index("ix_deliveries_pbx_call_id", "deliveries")
    op.create_index("ix_calls_history", "calls", _HISTORY)
    op.create_index("ix_calls_customer_end", "calls", [sa.text("substr(customer_number, -4)"), "started_at"])
    op.create_index("ix_calls_living", "calls", ["state"], sqlite_where=sa.text("state != 'ended'"))
    op.create_index("ix_deliveries_call_id_created_at", "deliveries", ["call_id", "created_at"])
    _create_tables()
    op.execute(_AGENTS_OF_CALLS)


def _create_tables() -> None:
    op.create_table(
        "call_agents",
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("pbx", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "started_at", "pbx", "call_id", name="pk_call_agents"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "call_moments",
        sa.Column("pbx", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False, server_default=""),
        sa.Column("about", sa.String(length=150), nullable=False, server_default=""),
        sa.Column("until", sa.BigInteger()),
        sa.PrimaryKeyConstraint("pbx", "call_id", "at", "what", "user_id", "about", name="pk_call_moments"),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")
