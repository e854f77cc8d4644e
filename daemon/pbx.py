"""What a PBX tells of itself, whatever its make: its state, what it has, what was checked. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from daemon.call.signals import UnixMs
from daemon.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class CatchUpState:
    """What was read afterwards of a span in which the PBX was not followed. `error`: it cannot be read."""

    since: UnixMs
    until: UnixMs
    calls: int = 0
    broken: int = 0
    running: bool = False
    error: Message | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PbxState:
    """One configured PBX now. `last_error` stays after the link is back; `state` says whether it is.

    `events_per_second` is over about ten seconds, the other over the last minute; None: not watched long enough.
    `counters` are totals since the start.
    """

    name: str
    kind: str
    host: str
    port: int
    state: str  # connecting | refused | connected | lost
    connected_since: UnixMs | None = None
    version: str | None = None
    events_per_second: float | None = None
    events_per_second_minute: float | None = None
    last_error: Message | None = None
    last_error_at: UnixMs | None = None
    catch_up: CatchUpState | None = None
    counters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointSeen:
    """A phone or trunk that the PBX has. None: it could not be told."""

    endpoint: str
    registered: bool | None = None
    takes_registrations: bool | None = None
    """A phone comes and registers; a trunk is configured with an address or logs in at the other side."""
    user_agent: str | None = None
    name: str | None = None
    """As its caller id says."""
    rung_at: UnixMs | None = None
    """When a call from outside last made it ring while it belonged to no agent."""


@dataclass(frozen=True, slots=True)
class MemberSeen:
    """A queue's member. `endpoint` is the phone it stands for, None where only a number or Local channel is known."""

    interface: str
    name: str
    endpoint: str | None


@dataclass(frozen=True, slots=True)
class QueueSeen:
    name: str
    members: tuple[MemberSeen, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """What one PBX has; what could not be learned is among the problems."""

    pbx: str
    endpoints: tuple[EndpointSeen, ...] = ()
    queues: tuple[QueueSeen, ...] = ()
    problems: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Snippet:
    """Text to paste into a file of the PBX, and the command that puts it in force. No secret is in it."""

    file: str
    purpose: Message
    text: str
    reload: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tested. `ok` None: it cannot be told now, and `words` say why. `fix` where it is not ok."""

    name: str
    ok: bool | None
    words: Message
    fix: Message | None = None
