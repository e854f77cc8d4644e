"""What agents have the PBX do: calls, what they do in them, and whether the queues give them any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from daemon.acts import Availability, PhoneState
from daemon.web.agent_state import StateForm
from daemon.web.call_controls import DigitsForm, TransferForm
from daemon.web.click_to_call import CallForm
from daemon.web.description.answers import Time
from daemon.web.description.model import Answer, Body, Description, Descriptions, ListOf, path

_WORDS: Final = (
    "Says why in words, and `why` in a word: `no_phone`, `not_registered`, `no_way`, `no_right`, `no_call` …"
)
_GONE: Final = "The PBX is not connected."
_REFUSALS: Final[Mapping[int, str]] = {409: f"Not done. {_WORDS}", 503: _GONE}
_TOLD: Final = (
    "The PBX presses the phone's key (NOTIFY `talk` or `hold`), which needs its right `system` and a phone that has "
    "said in `Allow-Events` that it understands; others are never asked (`phone_cannot`). `phone_did_not_obey`: it was "
    "asked, and nothing happened within three seconds."
)
_CALL: Final = (path("pbx", "The PBX of the call.", 64), path("call_id", "The id of a call.", 150))


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedCall:
    """A call under way."""

    pbx: str
    call_id: Annotated[str, Field(description="The id it has among the calls, once the phone rings.")]
    user_id: str
    endpoint: Annotated[str, Field(description="The phone that rings.")]
    number: Annotated[str, Field(description="As it is dialled.")]
    hotline: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """Whether the queues give this agent calls."""

    user_id: str
    state: Availability
    reason: Annotated[
        str | None, Field(description="`break`, `lunch`, `training`, `back_office`, `wrap_up`, or as the PBX has it.")
    ]
    since: Time | None
    until: Annotated[Time | None, Field(description="When the wrap-up ends by itself.")]
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody to whom a call can be given."""

    user_id: str
    name: str
    number: Annotated[str | None, Field(description="What is dialled for him.")]
    presence: Annotated[PhoneState | None, Field(description="His phone; null: nobody can tell.")]
    state: Availability
    reason: str | None


ACTING: Final[Descriptions] = {
    ("POST", "/calls"): Description(
        tag="Calls",
        summary="Calls a number for an agent: his phone rings first, then the number is called.",
        more=(
            "The registered phone of several is taken. A number is digits with perhaps a + before them; it is dialled "
            "as the PBX understands it. `hotline` is the number of yours that the customer sees. Is it none of yours "
            "any more, that is refused; with `hotline_optional` the call is made without it, and `hotline` of the "
            "answer is null. An agent calls for himself, a supervisor and a program for any `user_id`; ten calls a "
            "minute and agent. When the agent does not take his phone, `click_to_call.failed` is an event, with `why`: "
            "`busy`, `no_answer` or `rejected`."
        ),
        body=Body(CallForm),
        answers={202: Answer("The phone is being called.", OrderedCall)},
        refusals={**_REFUSALS, 429: "Too many calls for this agent; try again after `Retry-After` seconds."},
    ),
    ("GET", "/desk/state"): Description(
        tag="Desk",
        summary="Whether the PBX's queues give you calls.",
        answers={200: Answer("As the PBX has it now.", QueueState)},
        refusals={409: "This account belongs to no agent."},
    ),
    ("PUT", "/desk/state"): Description(
        tag="Desk",
        summary="Pauses you in all queues, with a reason, or takes you back.",
        more="Each change, whoever made it, is the event `agent.state`.",
        body=Body(StateForm),
        answers={200: Answer("As it is now.", QueueState)},
        refusals=_REFUSALS,
    ),
    ("GET", "/desk/colleagues"): Description(
        tag="Desk",
        summary="All agents, and whether they are free.",
        answers={200: Answer("By name.", ListOf(Colleague))},
    ),
    ("POST", "/desk/calls/{pbx}/{call_id}/hangup"): Description(
        tag="Desk",
        summary="Hangs up your phone in this call, refuses it while it rings, or hands over after asking.",
        parameters=_CALL,
        answers={204: Answer("Done.")},
        refusals=_REFUSALS,
    ),
    ("POST", "/desk/calls/{pbx}/{call_id}/answer"): Description(
        tag="Desk",
        summary="Has your phone answer the call that rings at it.",
        more=_TOLD,
        parameters=_CALL,
        answers={204: Answer("It answered.")},
        refusals=_REFUSALS,
    ),
    ("POST", "/desk/calls/{pbx}/{call_id}/hold"): Description(
        tag="Desk",
        summary="Has your phone put the other side on hold.",
        more=_TOLD,
        parameters=_CALL,
        answers={204: Answer("It holds.")},
        refusals=_REFUSALS,
    ),
    ("POST", "/desk/calls/{pbx}/{call_id}/unhold"): Description(
        tag="Desk",
        summary="Has your phone take the other side back.",
        more=_TOLD,
        parameters=_CALL,
        answers={204: Answer("You hear each other again.")},
        refusals=_REFUSALS,
    ),
    ("POST", "/desk/calls/{pbx}/{call_id}/mute"): Description(
        tag="Desk",
        summary="Nobody hears you any more.",
        parameters=_CALL,
        answers={204: Answer("Done.")},
        refusals=_REFUSALS,
    ),
    ("POST", "/desk/calls/{pbx}/{call_id}/unmute"): Description(
        tag="Desk",
        summary="You are heard again.",
        parameters=_CALL,
        answers={204: Answer("Done.")},
        refusals=_REFUSALS,
    ),
    ("POST", "/desk/calls/{pbx}/{call_id}/dtmf"): Description(
        tag="Desk",
        summary="Sends keys to the other side.",
        parameters=_CALL,
        body=Body(DigitsForm),
        answers={204: Answer("All were sent.")},
        refusals=_REFUSALS,
    ),
    ("POST", "/desk/calls/{pbx}/{call_id}/transfer"): Description(
        tag="Desk",
        summary="Gives the other side to a colleague or a number; you are free at once.",
        more="A number the PBX cannot reach is refused before anything is done.",
        parameters=_CALL,
        body=Body(TransferForm),
        answers={204: Answer("Done.")},
        refusals=_REFUSALS,
    ),
    ("POST", "/desk/calls/{pbx}/{call_id}/attended-transfer"): Description(
        tag="Desk",
        summary="Lets the other side wait while you ask a colleague; your hangup hands over.",
        more="The PBX does it by its own feature, which the dialplan must allow (option `t` or `T`): `why` is "
        "`no_feature` where it does not.",
        parameters=_CALL,
        body=Body(TransferForm),
        answers={204: Answer("The colleague is being called.")},
        refusals=_REFUSALS,
    ),
    ("DELETE", "/desk/calls/{pbx}/{call_id}/attended-transfer"): Description(
        tag="Desk",
        summary="Ends the asking and takes you back to the other side.",
        parameters=_CALL,
        answers={204: Answer("You are back.")},
        refusals=_REFUSALS,
    ),
}
