"""What a PBX wrote of its calls, in words of no file or table in particular: attempts to connect, and queue events."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from daemon.call.signals import ChannelId, ChannelKind, DialStatus, Endpoint, UnixMs


@dataclass(frozen=True, slots=True)
class Party:
    """One end of an attempt. `wire` is the channel's own name, of a Local one what both its halves share."""

    wire: str
    kind: ChannelKind
    endpoint: Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One record: `caller` was on the line, and `callee` (if any) was called for it. A call has one or many.

    `linked` is what all records of a call share; None where the PBX does not write it. `order` sorts records of one
    second. `answered_at` is the PBX's: of a call that it took itself first, it is that moment.
    """

    channel: ChannelId
    linked: ChannelId | None
    order: int
    caller: Party
    callee: Party | None
    number: str | None
    name: str | None
    dialled: str | None
    hotline: str | None
    application: str
    queue: str | None
    status: DialStatus
    started_at: UnixMs
    answered_at: UnixMs | None
    ended_at: UnixMs

    @property
    def group(self) -> ChannelId:
        return self.linked or self.channel

    @property
    def connected(self) -> bool:
        """Somebody was called and answered."""
        return self.callee is not None and self.status is DialStatus.ANSWER


class QueueStep(Enum):
    """What a queue noted of a caller."""

    ENTERED = "entered"
    CONNECTED = "connected"
    ABANDONED = "abandoned"
    GIVEN_UP = "given up"  # timeout, empty, key pressed
    ENDED_BY_CUSTOMER = "ended by customer"
    ENDED_BY_AGENT = "ended by agent"


@dataclass(frozen=True, slots=True)
class QueueNote:
    """`channel` is the caller's."""

    at: UnixMs
    channel: ChannelId
    queue: str
    step: QueueStep
