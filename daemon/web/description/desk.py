"""An agent's desk: for the page in his browser, and for whoever builds another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from daemon.web.description.answers import Call, Customer, Ticket, Time
from daemon.web.description.model import Answer, Body, Description, Descriptions, Parameter, path
from daemon.web.desk import OpenPopForm

_NO_DESK: Final = "Your account belongs to no agent; a token has no desk."


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskCall(Call):
    """A call that lives, and who its customer is."""

    customer: Annotated[Customer | None, Field(description="By what `customer_lookup_url` answered up to now.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCall(DeskCall):
    """A call that he has, and how he takes part in it; each change that he asked for is the event `agent.part`."""

    muted: Annotated[bool, Field(description="Nobody hears him, by `mute`; a phone's own key is not known.")]
    consulting: Annotated[bool, Field(description="He asks a colleague, and the other side waits.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RingingPhone:
    """One phone of the agent rings."""

    channel: Annotated[str, Field(description="Which phone; its end names it too.")]
    since: Time
    until: Annotated[Time, Field(description="Nothing rings longer, whatever was missed.")]
    call: DeskCall


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCall:
    """One phone of the agent holds the other side."""

    channel: Annotated[str, Field(description="Which phone; the events `agent.hold` name it too.")]
    pbx: str
    call_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneKeys:
    """Which keys of his phone the desk may press; each change is the event `agent.phone_keys`."""

    allowed: Annotated[bool, Field(description="A PBX gives the right.")]
    answer: Annotated[bool, Field(description="A phone of his has said that it understands.")]
    hold: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Popup:
    """A customer's page that is to open once."""

    pbx: str
    call_id: str
    url: str
    time_answer: Time
    at: Annotated[Time, Field(description="When the customer came to this agent.")]
    opened_at: Annotated[Time | None, Field(description="null: no window has opened it yet.")]
    blocked_at: Annotated[Time | None, Field(description="When a browser last let no window open.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedPopup(Popup):
    """What came of asking."""

    open: Annotated[bool, Field(description="true: open it in this window. false: another one did.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskNow:
    """What an agent has before him."""

    user_id: str
    event_id: Annotated[str, Field(description="From here listen to `/desk/events`: nothing is missed.")]
    now: Annotated[Time, Field(description="The server's clock, by which seconds are counted.")]
    ringing: tuple[RingingPhone, ...]
    calls: Annotated[tuple[OwnCall, ...], Field(description="Those he has now.")]
    held: Annotated[tuple[HeldCall, ...], Field(description="What his phones hold.")]
    keys: PhoneKeys
    pops: Annotated[tuple[Popup, ...], Field(description="Those of the last minutes.")]
    tickets: Annotated[tuple[Ticket, ...], Field(description="His own, not closed.")]
    missed: Annotated[tuple[Ticket, ...], Field(description="Missed calls that nobody has claimed.")]
    recent: Annotated[tuple[Call, ...], Field(description="His last calls, newest first.")]


DESK: Final[Descriptions] = {
    ("GET", "/desk"): Description(
        tag="Desk",
        summary="Everything on your desk as it is now.",
        answers={200: Answer("The desk.", DeskNow)},
        refusals={409: _NO_DESK},
    ),
    ("GET", "/desk/events"): Description(
        tag="Desk",
        summary="What concerns your desk, as Server-Sent Events.",
        more=(
            "Those of `/events` that are yours, `popup.opened` when one of your windows opened a page, "
            "`popup.blocked` when its browser did not let it, `agent.part` when you are muted or ask a colleague, and "
            "a `beat` every ten seconds: a line without it is dead. `reset` says that events are gone: read the desk "
            "again."
        ),
        parameters=(
            Parameter("after", "The `event_id` of the desk.", {"type": "string", "maxLength": 64}),
            Parameter(
                "Last-Event-ID",
                "Goes on after this event, as a browser's EventSource asks.",
                {"type": "string", "maxLength": 64},
                "header",
            ),
        ),
        answers={200: Answer("The stream; it does not end.", media="text/event-stream")},
        refusals={409: _NO_DESK},
    ),
    ("POST", "/desk/pops/{pbx}/{call_id}/open"): Description(
        tag="Desk",
        summary="Asks whether this window may open a customer's page.",
        more="The first window that asks may, and the same one again; so a page opens once whatever windows there are.",
        parameters=(path("pbx", "The PBX of the call.", 64), path("call_id", "The id of a call.", 150)),
        body=Body(OpenPopForm),
        answers={200: Answer("Whether it may.", OpenedPopup)},
        refusals={409: _NO_DESK},
    ),
    ("POST", "/desk/pops/{pbx}/{call_id}/blocked"): Description(
        tag="Desk",
        summary="Gives back a customer's page that this window may open, but its browser does not let it.",
        more="Another window of yours may open it then, and every card offers it. From any other window: no change.",
        parameters=(path("pbx", "The PBX of the call.", 64), path("call_id", "The id of a call.", 150)),
        body=Body(OpenPopForm),
        answers={200: Answer("As it is now.", Popup)},
        refusals={409: _NO_DESK},
    ),
}
