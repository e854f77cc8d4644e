"""The tables. Times are Unix milliseconds (BIGINT); closed sets are short strings; JSON is text.

The unique constraints are the promise that doing an effect twice is harmless: one row per call, one ticket per merge
key, one ticket per call, one delivery per effect and target. Tables written for every call have no rowid: SQLite then
keeps them in one tree instead of two, and a commit writes fewer pages.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    func,
    literal_column,
)

from daemon.store.metadata import metadata

calls = Table(
    "calls",
    metadata,
    Column("pbx", String(64), nullable=False),
    Column("call_id", String(150), nullable=False),
    Column("direction", String(16), nullable=False),
    Column("customer_number", String(64)),
    Column("customer_number_raw", String(255)),
    Column("customer_name", String(255)),
    Column("hotline", String(64)),
    Column("queue", String(128)),
    Column("user_id", String(128)),
    Column("user_ids", Text, nullable=False),  # JSON list, in order
    Column("state", String(16), nullable=False),
    Column("outcome", String(16)),
    Column("missed_reason", String(32)),
    Column("started_at", BigInteger, nullable=False),
    Column("queued_at", BigInteger),
    Column("answered_at", BigInteger),
    Column("ended_at", BigInteger),
    Column("ended_by", String(16)),
    Column("hangup_cause", Integer),
    Column("customer_dialled", Boolean, nullable=False),
    Column("hangup_reason", String(32)),
    Column("lost_channel", String(150)),  # with the next three: its connection is lost, or was when it ended
    Column("lost_side", String(16)),
    Column("lost_since", BigInteger),
    Column("lost_packets", BigInteger),
    Column("caught_up", Boolean, nullable=False, server_default="0"),  # read afterwards from the PBX's records
    Column("rung_at", BigInteger),
    PrimaryKeyConstraint("pbx", "call_id"),
    Index(None, "customer_number", "started_at"),
    sqlite_with_rowid=False,
)
# Everything that lists and reports choose and count by, in the order of lists: no question reads the table for a call
# that is not shown. 1,000,000 calls are passed over in about a tenth of a second.
Index(
    "ix_calls_history",
    *(calls.c[name] for name in ("started_at", "pbx", "call_id", "direction", "outcome", "missed_reason", "ended_by")),
    *(calls.c[name] for name in ("queue", "hotline", "user_id", "customer_number", "state")),
    *(calls.c[name] for name in ("queued_at", "rung_at", "answered_at", "ended_at")),
)
Index("ix_calls_customer_end", func.substr(calls.c.customer_number, literal_column("-4")), calls.c.started_at)
Index("ix_calls_living", calls.c.state, sqlite_where=calls.c.state != literal_column("'ended'"))

call_agents = Table(
    "call_agents",  # who talked in which call, once more beside `calls.user_ids`: to find the calls of one of them
    metadata,
    Column("user_id", String(128), nullable=False),
    Column("started_at", BigInteger, nullable=False),
    Column("pbx", String(64), nullable=False),
    Column("call_id", String(150), nullable=False),
    PrimaryKeyConstraint("user_id", "started_at", "pbx", "call_id"),
    sqlite_with_rowid=False,
)

call_moments = Table(
    "call_moments",  # what happened on the way and changes nothing about the call: rings, holds, handovers
    metadata,
    Column("pbx", String(64), nullable=False),
    Column("call_id", String(150), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("what", String(16), nullable=False),
    Column("user_id", String(128), nullable=False, server_default=""),
    Column("about", String(150), nullable=False, server_default=""),
    Column("until", BigInteger),
    PrimaryKeyConstraint("pbx", "call_id", "at", "what", "user_id", "about"),
    sqlite_with_rowid=False,
)

tickets = Table(
    "tickets",
    metadata,
    Column("ticket_id", Integer, primary_key=True, autoincrement=True),
    Column("merge_key", String(400), nullable=False, unique=True),
    Column("kind", String(24), nullable=False),
    Column("status", String(16), nullable=False),  # open | pending | closed
    Column("customer_number", String(64)),
    Column("hotline", String(64)),
    Column("queue", String(128)),
    Column("assignee", String(128)),
    Column("note", Text, nullable=False, server_default=""),
    Column("missed_count", Integer, nullable=False),
    Column("reason", String(64), nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("closed_at", BigInteger),
    Column("closed_reason", String(64)),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("tags", Text, nullable=False, server_default="[]"),  # JSON list
    Column("waiting_since", BigInteger),  # the first missed call that no talk has made good
    Column("reached_at", BigInteger),  # when the last talk made one good; stays when the ticket opens again
    Column("call_back_seconds", Integer),  # how long the customer had waited for it
    Column("caught_up", Boolean, nullable=False, server_default="0"),  # one of its calls was read afterwards
    CheckConstraint("status IN ('open', 'pending', 'closed')", name="status"),
    Index(None, "status", "updated_at"),
    Index(None, "customer_number"),
)

ticket_calls = Table(
    "ticket_calls",
    metadata,
    Column("pbx", String(64), nullable=False),
    Column("call_id", String(150), nullable=False),
    Column("ticket_id", Integer, ForeignKey("tickets.ticket_id"), nullable=False),
    Column("position", Integer, nullable=False),
    PrimaryKeyConstraint("pbx", "call_id"),  # one ticket per call
    ForeignKeyConstraint(["pbx", "call_id"], ["calls.pbx", "calls.call_id"]),
    Index(None, "ticket_id", "position"),
    sqlite_with_rowid=False,
)

ticket_events = Table(
    "ticket_events",
    metadata,
    Column("ticket_id", Integer, ForeignKey("tickets.ticket_id"), nullable=False),
    Column("version", Integer, nullable=False),  # the ticket's after the change
    Column("what", String(16), nullable=False),  # status | assignee | tags | note
    Column("at", BigInteger, nullable=False),
    Column("by", String(128)),  # as in the audit log; null: a rule
    Column("reason", String(64)),
    Column("old", Text, nullable=False),  # JSON
    Column("new", Text, nullable=False),
    Column("call_back_seconds", Integer),  # of a closing by a talk with the customer
    PrimaryKeyConstraint("ticket_id", "version", "what"),
    sqlite_with_rowid=False,
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("webhook_id", String(40), primary_key=True),
    Column("url", Text, nullable=False),
    Column("events", Text, nullable=False),  # JSON list of event types
    Column("description", String(255), nullable=False, server_default=""),
    Column("secret", String(128), nullable=False),  # whsec_… (Standard Webhooks)
    Column("enabled", Boolean, nullable=False),
    Column("disabled_reason", String(255)),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)

screen_pops = Table(
    "screen_pops",
    metadata,
    Column("pbx", String(64), nullable=False),
    Column("call_id", String(150), nullable=False),
    Column("user_id", String(128), nullable=False),
    Column("url", Text, nullable=False),
    Column("time_answer", BigInteger, nullable=False),
    Column("to_desk", Boolean, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("opened_at", BigInteger),
    Column("opened_by", String(64)),  # the one window that opened it
    Column("blocked_at", BigInteger),  # a browser let the window not open that had won
    PrimaryKeyConstraint("pbx", "call_id", "user_id"),  # one popup per call and agent
    Index(None, "user_id", "at"),
    sqlite_with_rowid=False,
)

deliveries = Table(
    "deliveries",
    metadata,
    # The webhook-id header, the same at every attempt: a hash of effect and webhook, so one row for each pair.
    Column("delivery_id", String(64), primary_key=True),
    Column("effect_key", String(400), nullable=False),
    Column("webhook_id", String(40), nullable=False, server_default=""),  # '' is the popup URL
    Column("event_type", String(40), nullable=False),  # an EventType, or 'popup'
    Column("method", String(8), nullable=False),
    Column("url", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("pbx", String(64)),
    Column("call_id", String(150)),
    Column("ticket_id", Integer),
    Column("user_id", String(128)),
    Column("status", String(16), nullable=False),  # pending | delivered | failed | expired
    Column("attempt_count", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", BigInteger),
    Column("expires_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("last_status_code", Integer),
    Column("last_error", String(255)),
    Index(None, "status", "next_attempt_at"),
    Index(None, "created_at"),
    Index(None, "call_id", "created_at"),
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("delivery_id", String(64), ForeignKey("deliveries.delivery_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("status_code", Integer),
    Column("latency_ms", Integer, nullable=False),
    Column("error", String(255)),
    Column("answer", Text),  # the first 1,000 characters
    PrimaryKeyConstraint("delivery_id", "number"),
    sqlite_with_rowid=False,
)

settings = Table(
    "settings",
    metadata,
    Column("key", String(128), primary_key=True),  # a call setting, or an inner value such as popup_secret
    Column("value", Text, nullable=False),  # JSON
    Column("changed_at", BigInteger, nullable=False),
    Column("changed_by", String(128)),
)

agents = Table(
    "agents",
    metadata,
    Column("user_id", String(128), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("ringtone", String(64)),
    Column("phone_brand", String(32)),
    Column("personal_number", String(32), unique=True),  # E.164
)

agent_endpoints = Table(
    "agent_endpoints",
    metadata,
    Column("endpoint", String(128), primary_key=True),  # one agent per endpoint
    Column("user_id", String(128), ForeignKey("agents.user_id", ondelete="CASCADE"), nullable=False),
    Column("position", Integer, nullable=False),
    Index(None, "user_id"),
)

queues = Table(
    "queues",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("create_tickets", Boolean, nullable=False),
    Column("ringtone", String(64)),
    Column("sla_target_percent", Integer),  # with the next: null is as in the call settings
    Column("sla_answer_within_seconds", Integer),
)

hotlines = Table(
    "hotlines",
    metadata,
    Column("number", String(64), primary_key=True),
    Column("label", String(255), nullable=False, server_default=""),
    Column("ringtone", String(64)),
)

ringtones = Table(
    "ringtones",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("label", String(255), nullable=False),
    Column("digest", String(64), nullable=False),  # SHA-256 of both files, hex
    Column("duration_ms", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(128), nullable=False),
    # Last, so that SQLite reads the columns before them without their pages. WAV, 16 bit, mono, 16 and 8 kHz.
    Column("wide", LargeBinary, nullable=False),
    Column("narrow", LargeBinary, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_id", String(40), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256, hex: the token itself is never kept
    Column("role", String(16), nullable=False),
    Column("label", String(255), nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("last_used_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("created_by", String(128)),  # an account's name or command:<system user>; NULL: before it was kept
)

wall_links = Table(
    "wall_links",
    metadata,
    Column("link_id", String(40), primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256, hex: the secret itself is never kept
    Column("label", String(255), nullable=False, server_default=""),
    Column("created_at", BigInteger, nullable=False),
    Column("created_by", String(128), nullable=False),  # as in the audit log
)

agent_periods = Table(
    "agent_periods",  # what each agent was for how long; they never overlap, and the newest may go on
    metadata,
    Column("user_id", String(128), nullable=False),
    Column("began_at", BigInteger, nullable=False),
    Column("doing", String(16), nullable=False),  # available | paused | wrap_up
    Column("reason", String(128), nullable=False, server_default=""),
    Column("ended_at", BigInteger),
    Column("estimated", Boolean, nullable=False, server_default="0"),  # seen until then; it may have gone on unseen
    PrimaryKeyConstraint("user_id", "began_at"),
    # In the order in which reports sum: without it, SQLite would sort millions of rows for a year.
    Index("ix_agent_periods_sums", "user_id", "doing", "reason", "ended_at", "began_at", "estimated"),
    sqlite_with_rowid=False,
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(64), primary_key=True),  # case-folded: An and an are one person
    Column("password_hash", String(255), nullable=False),  # argon2id with its parameters
    Column("role", String(16), nullable=False),
    Column("user_id", String(128), unique=True),  # an agent is a person, so one account each; kept like calls keep it
    Column("language", String(8), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256, hex: the id itself is only in the browser
    Column("account", String(64), ForeignKey("accounts.name", ondelete="CASCADE"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("last_seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("user_agent", String(255), nullable=False, server_default=""),
    Column("remote", String(64), nullable=False, server_default=""),
    Index(None, "account"),
)

setup_links = Table(
    "setup_links",
    metadata,
    Column("digest", String(64), primary_key=True),  # SHA-256, hex
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

audit_log = Table(
    "audit_log",
    metadata,
    Column("audit_id", Integer, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String(128), nullable=False),  # an account's name, token:<label> (<id>), command:<system user>
    Column("action", String(64), nullable=False),  # agent.change, session.open …
    Column("object", String(255), nullable=False),  # agent:<user id>, call_settings …
    Column("old", Text),  # JSON object of what differs; never a secret
    Column("new", Text),
    Column("remote", String(64)),
    Index(None, "at"),
    Index(None, "object"),
    sqlite_autoincrement=True,  # a number is never given twice, so a hole shows
)
