"""A call as JSON: the same form in the API, in webhooks and in `replay`."""

from __future__ import annotations

from datetime import UTC, datetime

from daemon.call.model import Call
from daemon.call.signals import UnixMs


def iso_utc(at: UnixMs | None) -> str | None:
    """ISO 8601 in UTC with milliseconds and `Z`, as `2026-11-22T07:34:19.467Z`."""
    if at is None:
        return None
    seconds, ms = divmod(at, 1000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ms:03d}Z"


def call_json(call: Call, ticket_id: str | None) -> dict[str, object]:
    """The call object of the contract, and the name and queue time we know besides."""
    return {
        "call_id": call.call_id,
        "pbx": call.pbx,
        "direction": call.direction.value,
        "customer_number": call.customer_number,
        "customer_number_raw": call.customer_number_raw,
        "customer_name": call.customer_name,
        "hotline": call.hotline,
        "queue": call.queue,
        "user_id": call.user_id,
        "user_ids": list(call.user_ids),
        "state": call.state.value,
        "outcome": call.outcome and call.outcome.value,
        "missed_reason": call.missed_reason and call.missed_reason.value,
        "started_at": iso_utc(call.started_at),
        "queued_at": iso_utc(call.queued_at),
        "rung_at": iso_utc(call.rung_at),
        "answered_at": iso_utc(call.answered_at),
        "ended_at": iso_utc(call.ended_at),
        "wait_seconds": call.wait_seconds,
        "talk_seconds": call.talk_seconds,
        "ended_by": call.ended_by and call.ended_by.value,
        "hangup_cause": call.hangup_cause,
        "hangup_reason": call.hangup_reason and call.hangup_reason.value,
        "connection_lost_at": iso_utc(call.lost.since) if call.lost else None,
        "connection_lost_side": call.lost.side.value if call.lost else None,
        "caught_up": call.caught_up,
        "ticket_id": ticket_id,
    }
