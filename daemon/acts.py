"""What an agent may have the PBX do, whatever its make: call a number, act on a call, pause. Values and words only."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError
from daemon.message import Message

WRAP_UP: Final = "wrap_up"
"""The reason of a pause that Callwarden makes after a call and ends by itself."""


class Why(StrEnum):
    """Why the PBX did not do what was asked."""

    NO_PHONE = "no_phone"
    NOT_CONNECTED = "not_connected"
    NOT_REGISTERED = "not_registered"
    NO_RIGHT = "no_right"
    NO_WAY = "no_way"
    NO_CALL = "no_call"
    NOT_TALKING = "not_talking"
    NO_FEATURE = "no_feature"
    NOT_RINGING = "not_ringing"
    PHONE_CANNOT = "phone_cannot"
    PHONE_DID_NOT_OBEY = "phone_did_not_obey"
    NO_QUEUE = "no_queue"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    REFUSED = "refused"
    UNSURE = "unsure"


class CannotAct(CallwardenError):
    """The PBX did not do this."""

    def __init__(self, why: Why, words: Message) -> None:
        super().__init__(words)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """Call this agent on one of these phones and then the number, which has several ways to be dialled; best first.

    `hotline` is what the customer is shown; None: as the PBX has it.
    """

    user_id: str
    endpoints: Sequence[str]
    numbers: Sequence[str]
    hotline: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """A call under way, with the id it will have, and the phone and way to dial that were chosen."""

    pbx: str
    call_id: str
    endpoint: str
    number: str


class Control(StrEnum):
    """What can be done to the agent's own part of a call. Answering and holding only his phone can: it is told to."""

    HANGUP = "hangup"
    ANSWER = "answer"
    HOLD = "hold"
    UNHOLD = "unhold"
    MUTE = "mute"
    UNMUTE = "unmute"
    DTMF = "dtmf"
    TRANSFER = "transfer"
    CONSULT = "consult"
    RETURN = "return"
    """From the consultation back to the customer; completing it is a hangup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """`numbers` are the ways to dial the target of a transfer or consultation, best first."""

    pbx: str
    call_id: str
    user_id: str
    control: Control
    digits: str = ""
    numbers: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """Which keys of his phone an agent may press from the desk. `allowed`: some PBX would do it, if the phone did."""

    allowed: bool = False
    answer: bool = False
    hold: bool = False

    def as_json(self) -> dict[str, object]:
        return {"allowed": self.allowed, "answer": self.answer, "hold": self.hold}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """How an agent takes part in his call. `consulting`: he asks a colleague, and the other side waits."""

    muted: bool = False
    consulting: bool = False

    def as_json(self) -> dict[str, object]:
        return {"muted": self.muted, "consulting": self.consulting}


class Acts(Protocol):
    """Raises CannotAct with words for the agent; what was done is done when it returns."""

    async def order(self, order: CallOrder) -> Ordered:
        """His phone is being called when this returns; how it goes on the events of the desk tell."""

    async def act(self, act: Act) -> None: ...

    def keys_of(self, user_id: str) -> Keys:
        """By what his phones have said until now."""

    def part_of(self, pbx: str, call_id: str, user_id: str) -> Part:
        """Of an agent who is not in the call, as if nothing had been done."""

    async def phone_states(self, endpoints: Collection[str]) -> Mapping[str, PhoneState]:
        """Those that could be told, as they were within the last seconds."""


class PhoneState(StrEnum):
    FREE = "free"
    RINGING = "ringing"
    TALKING = "talking"
    OFFLINE = "offline"


class Availability(StrEnum):
    AVAILABLE = "available"
    PAUSED = "paused"
    WRAP_UP = "wrap_up"
    NO_QUEUE = "no_queue"
    """He is in no queue, so there is nothing to pause."""
    UNKNOWN = "unknown"
    """The PBX is not connected, or has not told yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentState:
    """As the PBX's queues have it. `reason` is free text where the pause was made elsewhere."""

    state: Availability
    reason: str | None = None
    since: UnixMs | None = None
    until: UnixMs | None = None
    """When the wrap-up ends by itself."""
    queues: tuple[str, ...] = ()


class AgentStates(Protocol):
    def of(self, user_id: str) -> AgentState: ...

    async def pause(self, user_id: str, reason: str) -> AgentState:
        """Raises CannotAct."""

    async def resume(self, user_id: str) -> AgentState:
        """Raises CannotAct."""
