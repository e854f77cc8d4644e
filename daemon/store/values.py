"""What the store hands out: tickets, deliveries and the result of a commit. Frozen; times are Unix milliseconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from daemon.call.model import Call, CallId, PbxName, UserId
from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.call.timeline import Moment
from daemon.policy.decision import Decision, TicketKind


class TicketStatus(StrEnum):
    OPEN = "open"
    PENDING = "pending"
    CLOSED = "closed"


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    ticket_id: str
    kind: TicketKind
    status: TicketStatus
    customer_number: str | None
    hotline: str | None
    queue: str | None
    assignee: str | None
    note: str
    call_ids: tuple[CallId, ...]
    missed_count: int
    opened_at: UnixMs
    updated_at: UnixMs
    closed_at: UnixMs | None
    closed_reason: str | None
    tags: tuple[str, ...] = ()
    version: int = 1
    waiting_since: UnixMs | None = None
    """Of a missed one: since when the customer waits to be reached, by the first call that no talk has made good."""
    reached_at: UnixMs | None = None
    call_back_seconds: int | None = None
    """How long he had waited when he was reached the last time; both stay when the ticket opens again."""
    caught_up: bool = False
    """One of its calls was read afterwards from the PBX's records."""

    def as_json(self) -> dict[str, object]:
        """The ticket object of the contract; `version` grows with every change."""
        return {
            "ticket_id": self.ticket_id,
            "kind": self.kind.value,
            "status": self.status.value,
            "customer_number": self.customer_number,
            "hotline": self.hotline,
            "queue": self.queue,
            "assignee": self.assignee,
            "note": self.note,
            "call_ids": list(self.call_ids),
            "missed_count": self.missed_count,
            "opened_at": iso_utc(self.opened_at),
            "updated_at": iso_utc(self.updated_at),
            "closed_at": iso_utc(self.closed_at),
            "closed_reason": self.closed_reason,
            "reached_at": iso_utc(self.reached_at),
            "call_back_seconds": self.call_back_seconds,
            "caught_up": self.caught_up,
            "tags": list(self.tags),
            "version": self.version,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one target. `delivery_id` is the webhook-id of every attempt."""

    delivery_id: str
    webhook_id: str  # '' is the popup URL
    event_type: str
    method: str  # GET for the popup, else POST
    url: str
    body: str
    created_at: UnixMs
    expires_at: UnixMs
    attempt_count: int
    next_attempt_at: UnixMs
    pbx: PbxName | None
    call_id: CallId | None
    user_id: UserId | None


@dataclass(frozen=True, slots=True)
class Unit:
    """What one call event changed: the call as it is now, what the policies decided, what happened on the way."""

    at: UnixMs
    call: Call
    decisions: tuple[Decision, ...]
    moments: tuple[Moment, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketChange:
    """A ticket was opened by this commit, or took in one more call."""

    ticket: Ticket
    created: bool


@dataclass(frozen=True, slots=True)
class Committed:
    """A unit that is safe on disk. `closed` are the missed tickets that it made good.

    `pops` are the user ids for whom a screen pop was recorded for the first time.
    """

    unit: Unit
    ticket_id: str | None
    ticket: TicketChange | None
    closed: tuple[Ticket, ...]
    deliveries: tuple[Delivery, ...]
    pops: tuple[UserId, ...]
