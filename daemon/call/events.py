"""What happened to a call, in the past tense: the tracker's only output. Each carries the call as it is now."""

from __future__ import annotations

from dataclasses import dataclass

from daemon.call.model import Call, ConnectionLoss, UserId
from daemon.call.signals import ChannelId, Endpoint, UnixMs


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A call exists and has a direction; once more when an internal call goes on to an outside party."""

    at: UnixMs
    call: Call


@dataclass(frozen=True, slots=True)
class CallChanged:
    """A fact about the call became known or changed: queue, hotline, customer, direction, waiting agent."""

    at: UnixMs
    call: Call


@dataclass(frozen=True, slots=True)
class AgentRinging:
    """This agent's phone rings for the call (the phone said so, not merely the dialplan).

    `endpoint` is the phone that is registered as his; None: he is rung at his own number outside, or elsewhere.
    """

    at: UnixMs
    call: Call
    user_id: UserId
    channel: ChannelId
    endpoint: Endpoint | None = None


@dataclass(frozen=True, slots=True)
class AgentRingingEnded:
    """This agent's phone rings no more: answered, answered elsewhere, refused, given up."""

    at: UnixMs
    call: Call
    user_id: UserId
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """Incoming: an agent talks to the customer. Outgoing: the customer answered. Internal: the colleague answered."""

    at: UnixMs
    call: Call


@dataclass(frozen=True, slots=True)
class AgentConnected:
    """This agent talks to the customer for the first time in this call: by answer, transfer or pickup.

    `answered_at` is when he answered: his phone, which after a consultation is before the customer came to it; of an
    outgoing call the customer's answer.
    """

    at: UnixMs
    call: Call
    user_id: UserId
    answered_at: UnixMs


@dataclass(frozen=True, slots=True)
class AgentReturned:
    """The customer is back with this agent, who had him before a colleague did: nothing new opens."""

    at: UnixMs
    call: Call
    user_id: UserId


@dataclass(frozen=True, slots=True)
class CallHeld:
    """This agent's phone put the other side on hold."""

    at: UnixMs
    call: Call
    user_id: UserId
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class CallResumed:
    """This agent's phone holds nobody any more: taken back, handed over, gone."""

    at: UnixMs
    call: Call
    user_id: UserId
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """Nothing comes from one side of the call any more: `call.lost` says which, and since when.

    `lasting`: how long already, in milliseconds that no change of the date can lengthen or shorten.
    """

    at: UnixMs
    call: Call
    lasting: int


@dataclass(frozen=True, slots=True)
class ConnectionStillLost:
    """It was looked at again this moment, and is still lost. Told a few times a second."""

    at: UnixMs
    call: Call
    lasting: int


@dataclass(frozen=True, slots=True)
class ConnectionRestored:
    """`lost` is over: the far end is heard again, or is in the call no more."""

    at: UnixMs
    call: Call
    lost: ConnectionLoss


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over; nothing about it will change. `seen` False: it vanished while nobody listened."""

    at: UnixMs
    call: Call
    seen: bool = True


CallEvent = (
    CallStarted
    | CallChanged
    | AgentRinging
    | AgentRingingEnded
    | CallAnswered
    | AgentConnected
    | AgentReturned
    | CallHeld
    | CallResumed
    | ConnectionLost
    | ConnectionStillLost
    | ConnectionRestored
    | CallEnded
)

PASSING = (AgentRinging, AgentRingingEnded, CallHeld, CallResumed, ConnectionStillLost)
"""Events that change nothing about the call which is kept."""
