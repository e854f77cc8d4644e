"""A call as everybody outside the tracker sees it: one frozen value, the fields of the contract."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from daemon.call.signals import ChannelId, UnixMs

CallId = NewType("CallId", str)
"""The Uniqueid of the call's first channel; never changes."""

UserId = NewType("UserId", str)
"""An agent, a person."""

PbxName = NewType("PbxName", str)


class Direction(StrEnum):
    INCOMING = "incoming"
    OUTGOING = "outgoing"
    INTERNAL = "internal"


class CallState(StrEnum):
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class Outcome(StrEnum):
    ANSWERED = "answered"
    MISSED = "missed"


class MissedReason(StrEnum):
    """Why nobody on the other side answered."""

    ABANDONED = "abandoned"  # the customer hung up while waiting or while a phone rang
    QUEUE_TIMEOUT = "queue_timeout"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"  # no phone registered, trunk down
    LEFT_IN_IVR = "left_in_ivr"
    FORWARDED = "forwarded"  # to an outside number that belongs to no agent
    CANCELLED = "cancelled"  # outgoing: the agent hung up first
    FAILED = "failed"
    UNOBSERVED = "unobserved"  # ended while the daemon was not connected


class EndedBy(StrEnum):
    CUSTOMER = "customer"
    AGENT = "agent"
    SYSTEM = "system"


class LostSide(StrEnum):
    """Whose connection is lost."""

    CUSTOMER = "customer"
    AGENT = "agent"
    OTHER = "other"  # an outside party that is not the customer


class HangupReason(StrEnum):
    """Why we hung a call up ourselves."""

    CONNECTION_LOST = "connection_lost"


@dataclass(frozen=True, slots=True)
class ConnectionLoss:
    """Nothing comes from this channel's far end since then; `packets` had come until then."""

    channel: ChannelId
    side: LostSide
    since: UnixMs
    packets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Times are Unix milliseconds. `user_ids` are the agents who talked (outgoing: also who called), in order."""

    call_id: CallId
    pbx: PbxName
    direction: Direction
    customer_number: str | None  # E.164 where it is a telephone number, else as received; None: anonymous
    customer_number_raw: str | None
    customer_name: str | None
    hotline: str | None
    queue: str | None
    user_id: UserId | None
    user_ids: tuple[UserId, ...]
    state: CallState
    outcome: Outcome | None
    missed_reason: MissedReason | None
    started_at: UnixMs
    queued_at: UnixMs | None
    answered_at: UnixMs | None
    ended_at: UnixMs | None
    ended_by: EndedBy | None
    hangup_cause: int | None
    customer_dialled: bool  # outgoing: the customer's own phone was called, not only the agent's
    lost: ConnectionLoss | None = None  # its connection is lost now, or was when it ended
    hangup_reason: HangupReason | None = None  # why it was us who hung up
    caught_up: bool = False  # nobody followed its end: it was read afterwards from what the PBX wrote
    rung_at: UnixMs | None = None  # incoming: when the first agent's phone rang

    @property
    def wait_seconds(self) -> float | None:
        """From the queue, else the first ring, else the start, to the answer or the end; None while still waiting."""
        until = self.answered_at if self.answered_at is not None else self.ended_at
        if until is None:
            return None
        return max(0, until - (self.queued_at or self.rung_at or self.started_at)) / 1000

    @property
    def talk_seconds(self) -> float | None:
        """From the answer to the end; 0 for a call never answered; None while it lives."""
        if self.ended_at is None:
            return None
        return max(0, self.ended_at - self.answered_at) / 1000 if self.answered_at is not None else 0.0
