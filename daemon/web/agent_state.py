"""`/api/v1/desk/state`: whether the PBX's queues give this agent calls, and why not."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from daemon.message import Message
from daemon.web.acts_json import state_json
from daemon.web.body import json_object, validated
from daemon.web.desk import agent_of
from daemon.web.listing import json_response
from daemon.web.problem import FieldError, invalid
from daemon.web.query import Query
from daemon.web.services import services


class Wanted(StrEnum):
    AVAILABLE = "available"
    PAUSED = "paused"


class PauseReason(StrEnum):
    """What the PBX keeps as the reason of a pause, and its reports show."""

    BREAK = "break"
    LUNCH = "lunch"
    TRAINING = "training"
    BACK_OFFICE = "back_office"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateForm:
    """`reason` goes with `paused` only."""

    state: Wanted
    reason: PauseReason | None = None


_STATE: Final = TypeAdapter(StateForm)

REASON_WORDS: Final = {
    PauseReason.BREAK: Message("Break"),
    PauseReason.LUNCH: Message("Lunch"),
    PauseReason.TRAINING: Message("Training"),
    PauseReason.BACK_OFFICE: Message("Back office"),
}


async def get_state(request: web.Request) -> web.Response:
    Query(request, ())
    user_id = agent_of(request)
    return json_response({"user_id": user_id, **state_json(services(request).states.of(user_id))})


async def put_state(request: web.Request) -> web.Response:
    """The state as it is then, in all queues of all PBXs."""
    Query(request, ())
    user_id, wanted = agent_of(request), validated(_STATE, await json_object(request))
    if (wanted.state is Wanted.PAUSED) != (wanted.reason is not None):
        raise invalid([FieldError("reason", Message("is needed for a pause, and for nothing else"))])
    states = services(request).states
    state = await (states.pause(user_id, wanted.reason.value) if wanted.reason else states.resume(user_id))
    return json_response({"user_id": user_id, **state_json(state)})
