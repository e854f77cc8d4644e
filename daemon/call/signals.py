"""What any PBX reports about its channels, in words of no PBX in particular.

An adapter (`ami`, `esl`) turns its PBX's messages into these values; the tracker understands nothing else. A signal
names channels by the PBX's unique id. It must never carry a PBX's own message.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NewType

UnixMs = NewType("UnixMs", int)
"""Milliseconds since 1970-01-01 UTC: the only representation of a date inside the process."""

SteadyMs = NewType("SteadyMs", UnixMs)
"""Milliseconds of a clock that no change of the date moves: says how long something lasted, and nothing to people.

In a trace, which has one clock, both are the same number.
"""

ChannelId = NewType("ChannelId", str)
"""Asterisk's Uniqueid, FreeSWITCH's Unique-ID."""

BridgeId = NewType("BridgeId", str)

Endpoint = NewType("Endpoint", str)
"""Technology and resource, as `PJSIP/1001`: a channel's name without its instance."""


class ChannelKind(Enum):
    """What stands behind a channel."""

    DEVICE = "device"  # a phone or a trunk
    LOCAL = "local"  # one half of a pair inside the PBX
    PSEUDO = "pseudo"  # announcer, recorder, masquerade helper: never a party of the call


class ChannelState(Enum):
    """How far a channel has come. A `DOWN` first channel was made by the PBX, a `DIALING` one by its phone."""

    DOWN = "down"
    DIALING = "dialing"
    RINGING = "ringing"
    UP = "up"


class ContactState(Enum):
    """What the PBX says of a place where an endpoint is registered."""

    ANSWERS = "answers"  # it answered the PBX's own question
    KNOWN = "known"  # it is there; whether it answers is not known
    SILENT = "silent"  # it did not answer
    GONE = "gone"  # it is registered no more


class DialStatus(Enum):
    """How a dial attempt ended (Asterisk's DIALSTATUS)."""

    ANSWER = "answer"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    CANCEL = "cancel"
    CONGESTION = "congestion"
    UNAVAILABLE = "unavailable"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class LinkUp:
    """Events of the PBX flow (again). A `Snapshot` follows; until then absence proves nothing."""

    at: UnixMs
    steady: SteadyMs | None = None


@dataclass(frozen=True, slots=True)
class LinkDown:
    """Events have stopped. Calls go on unseen."""

    at: UnixMs


@dataclass(frozen=True, slots=True)
class CallOrdered:
    """We asked the PBX to call an agent on a `channel` of this id and then this number; the order comes before it."""

    at: UnixMs
    channel: ChannelId
    number: str
    hotline: str | None


@dataclass(frozen=True, slots=True)
class ChannelCreated:
    """A channel exists. `number`, `name`, `exten` are None where the PBX has none (`<unknown>`, empty)."""

    at: UnixMs
    channel: ChannelId
    linked: ChannelId
    kind: ChannelKind
    endpoint: Endpoint
    state: ChannelState
    number: str | None
    name: str | None
    exten: str | None


@dataclass(frozen=True, slots=True)
class ChannelChanged:
    """A channel rings or is up."""

    at: UnixMs
    channel: ChannelId
    state: ChannelState


@dataclass(frozen=True, slots=True)
class CallerIdChanged:
    """A channel's own number and name changed."""

    at: UnixMs
    channel: ChannelId
    number: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class LocalPaired:
    """Two Local channels are the two ends of one wire."""

    at: UnixMs
    one: ChannelId
    two: ChannelId


@dataclass(frozen=True, slots=True)
class DialBegan:
    """`callee` is being called, by `caller` or by the PBX itself (None).

    `shown` is the number the callee sees; `dialled` are the candidates for the number called, best first.
    """

    at: UnixMs
    caller: ChannelId | None
    callee: ChannelId
    shown: str | None
    dialled: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DialEnded:
    """The attempt to call `callee` is over. May come twice for one attempt."""

    at: UnixMs
    caller: ChannelId | None
    callee: ChannelId
    status: DialStatus


@dataclass(frozen=True, slots=True)
class BridgeEntered:
    """A channel joined a bridge. In a bridge that does not mix (parking, music) nobody hears anybody."""

    at: UnixMs
    bridge: BridgeId
    channel: ChannelId
    mixing: bool


@dataclass(frozen=True, slots=True)
class BridgeLeft:
    """A channel left a bridge."""

    at: UnixMs
    bridge: BridgeId
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class QueueJoined:
    """A channel waits in a queue."""

    at: UnixMs
    channel: ChannelId
    queue: str


@dataclass(frozen=True, slots=True)
class QueueLeft:
    """A channel waits no longer: connected, timed out or gone (the PBX does not tell them apart reliably)."""

    at: UnixMs
    channel: ChannelId
    queue: str


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """A phone put its party on hold (True) or took it back."""

    at: UnixMs
    channel: ChannelId
    held: bool


@dataclass(frozen=True, slots=True)
class HangupAsked:
    """The far end of this channel hung up or refused: it, not the PBX, is the one who ends."""

    at: UnixMs
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class ChannelEnded:
    """A channel is gone. `cause` is Q.850, None where the PBX says 0."""

    at: UnixMs
    channel: ChannelId
    cause: int | None


@dataclass(frozen=True, slots=True)
class AttendedTransferred:
    """The party of `first` (transferer's channel in the first call) goes to the call of `second`."""

    at: UnixMs
    first: ChannelId
    second: ChannelId
    transferee: ChannelId | None
    target: ChannelId | None


@dataclass(frozen=True, slots=True)
class BlindTransferred:
    """`transferer` sends `transferee` away without asking."""

    at: UnixMs
    transferer: ChannelId
    transferee: ChannelId | None


@dataclass(frozen=True, slots=True)
class PickedUp:
    """`picker` takes the call that rings on `ringing`."""

    at: UnixMs
    picker: ChannelId
    ringing: ChannelId


@dataclass(frozen=True, slots=True)
class MemberPaused:
    """A member of a queue was paused or is back, wherever it was asked for. It says nothing of any call."""

    at: UnixMs
    queue: str
    interface: str
    paused: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class ContactChanged:
    """A place where an endpoint is registered answers, answers no more, came or went.

    `at` is when we heard it, by our steady clock, as of all that is told of media: it is compared with our own time.
    """

    at: SteadyMs
    endpoint: Endpoint
    contact: str
    state: ContactState


@dataclass(frozen=True, slots=True)
class ReportReceived:
    """The far end of a channel reported on its media (RTCP): it lives, whether it sends sound or not."""

    at: SteadyMs
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class ReportSent:
    """The PBX reported on the sound of a channel's far end: its newest packet has this number, counted past 65535."""

    at: SteadyMs
    channel: ChannelId
    sequence: int


@dataclass(frozen=True, slots=True)
class PacketsCounted:
    """We asked: so many packets of sound came from the far end so far; None: the PBX does not count them.

    `direct`: they go past the PBX. `held`: the far end put us on hold. `date`: of that moment, for people.
    """

    at: SteadyMs
    channel: ChannelId
    packets: int | None
    direct: bool = False
    held: bool = False
    date: UnixMs | None = None


@dataclass(frozen=True, slots=True)
class ChannelMissing:
    """We asked, and the PBX has no such channel (any more): word of its end may be on its way."""

    at: SteadyMs
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class HangUpOrdered:
    """We are about to have the PBX hang up this channel, whose connection is lost; `refused`: it will not do it."""

    at: UnixMs
    channel: ChannelId
    refused: bool = False


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """One row of a snapshot. `bridge` is None outside mixing bridges; `queue` while in a queue."""

    channel: ChannelId
    linked: ChannelId
    kind: ChannelKind
    endpoint: Endpoint
    state: ChannelState
    number: str | None
    name: str | None
    connected_number: str | None
    exten: str | None
    bridge: BridgeId | None
    queue: str | None
    pair: str | None  # what both halves of a Local pair share
    since: UnixMs  # when the channel began


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything the PBX has now: a channel known from before and not listed is gone."""

    at: UnixMs
    channels: tuple[ChannelSeen, ...]


Signal = (
    LinkUp
    | LinkDown
    | CallOrdered
    | ChannelCreated
    | ChannelChanged
    | CallerIdChanged
    | LocalPaired
    | DialBegan
    | DialEnded
    | BridgeEntered
    | BridgeLeft
    | QueueJoined
    | QueueLeft
    | HoldChanged
    | HangupAsked
    | ChannelEnded
    | AttendedTransferred
    | BlindTransferred
    | PickedUp
    | MemberPaused
    | ContactChanged
    | ReportReceived
    | ReportSent
    | PacketsCounted
    | ChannelMissing
    | HangUpOrdered
    | Snapshot
)
