"""Calls, tickets and deliveries as rows, and back: the only place that knows how a value is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType

from daemon.call.model import (
    Call,
    CallId,
    CallState,
    ConnectionLoss,
    Direction,
    EndedBy,
    HangupReason,
    LostSide,
    MissedReason,
    Outcome,
)
from daemon.policy.decision import TicketKind
from daemon.store.values import Delivery, Ticket, TicketStatus
from daemon.store.work import Row

_encoder = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)  # made once: json.dumps makes one each time


_NO_LOSS: Mapping[str, object] = MappingProxyType(
    dict.fromkeys(("lost_channel", "lost_side", "lost_since", "lost_packets"))
)


def call_row(call: Call) -> dict[str, object]:
    return {
        "pbx": call.pbx,
        "call_id": call.call_id,
        "direction": call.direction.value,
        "customer_number": call.customer_number,
        "customer_number_raw": call.customer_number_raw,
        "customer_name": call.customer_name,
        "hotline": call.hotline,
        "queue": call.queue,
        "user_id": call.user_id,
        "user_ids": compact_json(call.user_ids),
        "state": call.state.value,
        "outcome": call.outcome and call.outcome.value,
        "missed_reason": call.missed_reason and call.missed_reason.value,
        "started_at": call.started_at,
        "queued_at": call.queued_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "ended_by": call.ended_by and call.ended_by.value,
        "hangup_cause": call.hangup_cause,
        "customer_dialled": call.customer_dialled,
        "hangup_reason": call.hangup_reason and call.hangup_reason.value,
        "caught_up": call.caught_up,
        "rung_at": call.rung_at,
        **(_loss_row(call.lost) if call.lost else _NO_LOSS),
    }


def call_of(row: Row) -> Call:
    return Call(
        call_id=row["call_id"],
        pbx=row["pbx"],
        direction=Direction(row["direction"]),
        customer_number=row["customer_number"],
        customer_number_raw=row["customer_number_raw"],
        customer_name=row["customer_name"],
        hotline=row["hotline"],
        queue=row["queue"],
        user_id=row["user_id"],
        user_ids=tuple(json.loads(row["user_ids"])),
        state=CallState(row["state"]),
        outcome=Outcome(row["outcome"]) if row["outcome"] else None,
        missed_reason=MissedReason(row["missed_reason"]) if row["missed_reason"] else None,
        started_at=row["started_at"],
        queued_at=row["queued_at"],
        answered_at=row["answered_at"],
        ended_at=row["ended_at"],
        ended_by=EndedBy(row["ended_by"]) if row["ended_by"] else None,
        hangup_cause=row["hangup_cause"],
        customer_dialled=bool(row["customer_dialled"]),
        lost=_loss_of(row) if row["lost_channel"] else None,
        hangup_reason=HangupReason(row["hangup_reason"]) if row["hangup_reason"] else None,
        caught_up=bool(row["caught_up"]),
        rung_at=row["rung_at"],
    )


def _loss_row(lost: ConnectionLoss) -> dict[str, object]:
    return {
        "lost_channel": lost.channel,
        "lost_side": lost.side.value,
        "lost_since": lost.since,
        "lost_packets": lost.packets,
    }


def _loss_of(row: Row) -> ConnectionLoss:
    return ConnectionLoss(row["lost_channel"], LostSide(row["lost_side"]), row["lost_since"], row["lost_packets"])


def ticket_of(row: Row, call_ids: Iterable[CallId]) -> Ticket:
    """`call_ids` in the order of `ticket_calls.position`."""
    return Ticket(
        ticket_id=str(row["ticket_id"]),
        kind=TicketKind(row["kind"]),
        status=TicketStatus(row["status"]),
        customer_number=row["customer_number"],
        hotline=row["hotline"],
        queue=row["queue"],
        assignee=row["assignee"],
        note=row["note"],
        call_ids=tuple(call_ids),
        missed_count=row["missed_count"],
        opened_at=row["opened_at"],
        updated_at=row["updated_at"],
        closed_at=row["closed_at"],
        closed_reason=row["closed_reason"],
        tags=tuple(json.loads(row["tags"])),
        version=row["version"],
        waiting_since=row["waiting_since"],
        reached_at=row["reached_at"],
        call_back_seconds=row["call_back_seconds"],
        caught_up=bool(row["caught_up"]),
    )


def delivery_row(delivery: Delivery, effect_key: str, ticket_id: str | None) -> dict[str, object]:
    return {
        "delivery_id": delivery.delivery_id,
        "effect_key": effect_key,
        "webhook_id": delivery.webhook_id,
        "event_type": delivery.event_type,
        "method": delivery.method,
        "url": delivery.url,
        "body": delivery.body,
        "pbx": delivery.pbx,
        "call_id": delivery.call_id,
        "ticket_id": None if ticket_id is None else int(ticket_id),
        "user_id": delivery.user_id,
        "status": "pending",
        "attempt_count": delivery.attempt_count,
        "next_attempt_at": delivery.next_attempt_at,
        "expires_at": delivery.expires_at,
        "created_at": delivery.created_at,
    }


def delivery_of(row: Row) -> Delivery:
    """A delivery that is still to be made (`next_attempt_at` is not null)."""
    return Delivery(
        delivery_id=row["delivery_id"],
        webhook_id=row["webhook_id"],
        event_type=row["event_type"],
        method=row["method"],
        url=row["url"],
        body=row["body"],
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        attempt_count=row["attempt_count"],
        next_attempt_at=row["next_attempt_at"],
        pbx=row["pbx"],
        call_id=row["call_id"],
        user_id=row["user_id"],
    )


def compact_json(value: object) -> str:
    return _encoder.encode(value)


@lru_cache(maxsize=1024)
def subscribed_events(events: str) -> frozenset[str]:
    """The event types of `webhooks.events`."""
    return frozenset(json.loads(events))
