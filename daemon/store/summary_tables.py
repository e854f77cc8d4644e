"""The tables of the daily summary: to whom it is sent, and what became of each."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, PrimaryKeyConstraint, String, Table, Text

from daemon.store.metadata import metadata

summary_targets = Table(
    "summary_targets",
    metadata,
    Column("target_id", String(40), primary_key=True),
    Column("url", Text, nullable=False),  # with its password or token: never shown, logged or audited
    Column("label", String(255), nullable=False),
    Column("language", String(8), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

summaries = Table(
    "summaries",  # what was sent of which day to whom: one row each, so that it is sent once
    metadata,
    Column("target_id", String(40), ForeignKey("summary_targets.target_id", ondelete="CASCADE"), nullable=False),
    Column("day", String(10), nullable=False),  # the day told of, as 2026-11-30
    Column("status", String(16), nullable=False),  # pending | sent | failed | skipped
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("attempted_at", BigInteger),
    Column("next_attempt_at", BigInteger),
    Column("finished_at", BigInteger),
    Column("reason", String(32)),  # why it was not sent
    Column("said", String(255)),  # what the other side said of it, without secrets
    PrimaryKeyConstraint("target_id", "day"),
)
