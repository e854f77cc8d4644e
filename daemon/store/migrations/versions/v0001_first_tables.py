"""The tables of version 0.1."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_agents()
    _create_calls()
    _create_deliveries()
    _create_hotlines()
    _create_queues()
    _create_screen_pops()
    _create_settings()
    _create_tickets()
    _create_tokens()
    _create_webhooks()
    _create_agent_endpoints()
    _create_delivery_attempts()
    _create_ticket_calls()


def downgrade() -> None:
    raise NotImplementedError("a store never goes back a version: restore a backup")


def _create_agents() -> None:
    op.create_table(
        "agents",
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("ringtone", sa.String(length=64)),
        sa.Column("phone_brand", sa.String(length=32)),
        sa.Column("personal_number", sa.String(length=32)),
        sa.PrimaryKeyConstraint("user_id", name="pk_agents"),
        sa.UniqueConstraint("personal_number", name="uq_agents_personal_number"),
    )


def _create_calls() -> None:
    op.create_table(
        "calls",
        sa.Column("pbx", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=False),
        sa.Column("direction", sa.String(length=16), nullable=False),
        sa.Column("customer_number", sa.String(length=64)),
        sa.Column("customer_number_raw", sa.String(length=255)),
        sa.Column("customer_name", sa.String(length=255)),
        sa.Column("hotline", sa.String(length=64)),
        sa.Column("queue", sa.String(length=128)),
        sa.Column("user_id", sa.String(length=128)),
        sa.Column("user_ids", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=16)),
        sa.Column("missed_reason", sa.String(length=32)),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("queued_at", sa.BigInteger()),
        sa.Column("answered_at", sa.BigInteger()),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_by", sa.String(length=16)),
        sa.Column("hangup_cause", sa.Integer()),
        sa.Column("customer_dialled", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "call_id", name="pk_calls"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_calls_customer_number_started_at", "calls", ["customer_number", "started_at"])
    op.create_index("ix_calls_started_at", "calls", ["started_at"])
    op.create_index("ix_calls_state", "calls", ["state"])


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("delivery_id", sa.String(length=64), nullable=False),
        sa.Column("effect_key", sa.String(length=400), nullable=False),
        sa.Column("webhook_id", sa.String(length=40), server_default="", nullable=False),
        sa.Column("event_type", sa.String(length=40), nullable=False),
        sa.Column("method", sa.String(length=8), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("pbx", sa.String(length=64)),
        sa.Column("call_id", sa.String(length=150)),
        sa.Column("ticket_id", sa.Integer()),
        sa.Column("user_id", sa.String(length=128)),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("attempt_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger()),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", sa.BigInteger()),
        sa.Column("last_status_code", sa.Integer()),
        sa.Column("last_error", sa.String(length=255)),
        sa.PrimaryKeyConstraint("delivery_id", name="pk_deliveries"),
    )
    op.create_index("ix_deliveries_created_at", "deliveries", ["created_at"])
    op.create_index("ix_deliveries_pbx_call_id", "deliveries", ["pbx", "call_id"])
    op.create_index("ix_deliveries_status_next_attempt_at", "deliveries", ["status", "next_attempt_at"])


def _create_hotlines() -> None:
    op.create_table(
        "hotlines",
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("label", sa.String(length=255), server_default="", nullable=False),
        sa.Column("ringtone", sa.String(length=64)),
        sa.PrimaryKeyConstraint("number", name="pk_hotlines"),
    )


def _create_queues() -> None:
    op.create_table(
        "queues",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("create_tickets", sa.Boolean(), nullable=False),
        sa.Column("ringtone", sa.String(length=64)),
        sa.PrimaryKeyConstraint("name", name="pk_queues"),
    )


def _create_screen_pops() -> None:
    op.create_table(
        "screen_pops",
        sa.Column("pbx", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("time_answer", sa.BigInteger(), nullable=False),
        sa.Column("to_desk", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pbx", "call_id", "user_id", name="pk_screen_pops"),
        sqlite_with_rowid=False,
    )


def _create_settings() -> None:
    op.create_table(
        "settings",
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=128)),
        sa.PrimaryKeyConstraint("key", name="pk_settings"),
    )


def _create_tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("ticket_id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("merge_key", sa.String(length=400), nullable=False),
        sa.Column("kind", sa.String(length=24), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("customer_number", sa.String(length=64)),
        sa.Column("hotline", sa.String(length=64)),
        sa.Column("queue", sa.String(length=128)),
        sa.Column("assignee", sa.String(length=128)),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("missed_count", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("closed_reason", sa.String(length=64)),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status IN ('open', 'pending', 'closed')", name="ck_tickets_status"),
        sa.PrimaryKeyConstraint("ticket_id", name="pk_tickets"),
        sa.UniqueConstraint("merge_key", name="uq_tickets_merge_key"),
    )
    op.create_index("ix_tickets_customer_number", "tickets", ["customer_number"])
    op.create_index("ix_tickets_status_updated_at", "tickets", ["status", "updated_at"])


def _create_tokens() -> None:
    op.create_table(
        "tokens",
        sa.Column("token_id", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("label", sa.String(length=255), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_used_at", sa.BigInteger()),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("token_id", name="pk_tokens"),
        sa.UniqueConstraint("digest", name="uq_tokens_digest"),
    )


def _create_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("webhook_id", sa.String(length=40), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("description", sa.String(length=255), server_default="", nullable=False),
        sa.Column("secret", sa.String(length=128), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("disabled_reason", sa.String(length=255)),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("webhook_id", name="pk_webhooks"),
    )


def _create_agent_endpoints() -> None:
    op.create_table(
        "agent_endpoints",
        sa.Column("endpoint", sa.String(length=128), nullable=False),
        sa.Column("user_id", sa.String(length=128), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["agents.user_id"], name="fk_agent_endpoints_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("endpoint", name="pk_agent_endpoints"),
    )


def _create_delivery_attempts() -> None:
    op.create_table(
        "delivery_attempts",
        sa.Column("delivery_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("status_code", sa.Integer()),
        sa.Column("latency_ms", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=255)),
        sa.Column("answer", sa.Text()),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.delivery_id"], name="fk_delivery_attempts_delivery_id"),
        sa.PrimaryKeyConstraint("delivery_id", "number", name="pk_delivery_attempts"),
        sqlite_with_rowid=False,
    )


def _create_ticket_calls() -> None:
    op.create_table(
        "ticket_calls",
        sa.Column("pbx", sa.String(length=64), nullable=False),
        sa.Column("call_id", sa.String(length=150), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["pbx", "call_id"], ["calls.pbx", "calls.call_id"], name="fk_ticket_calls_pbx_call_id"),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.ticket_id"], name="fk_ticket_calls_ticket_id"),
        sa.PrimaryKeyConstraint("pbx", "call_id", name="pk_ticket_calls"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_ticket_calls_ticket_id_position", "ticket_calls", ["ticket_id", "position"])
