"""`/api/v1/desk/calls/{pbx}/{call_id}/…`: what an agent does to his own part of a call without touching the phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from annotated_types import Len
from pydantic import AfterValidator, Field, TypeAdapter

from daemon.acts import Act, Control
from daemon.call.dialling import is_digits, ways_to_dial
from daemon.message import Message
from daemon.store.agents import read_agent
from daemon.store.settings import read_settings
from daemon.web.body import json_object, validated
from daemon.web.click_to_call import Number
from daemon.web.colleagues import number_of
from daemon.web.desk import agent_of
from daemon.web.problem import FieldError, invalid
from daemon.web.query import Query, path_part
from daemon.web.services import services
from daemon.web.texts import Label


def _digits(text: str) -> str:
    if not is_digits(text):
        raise ValueError(_NO_DIGITS)
    return text


_NO_DIGITS: Final = Message("must be digits, *, # or A to D, at most 32")


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitsForm:
    """What the keys of a telephone send."""

    digits: Annotated[str, AfterValidator(_digits), Field(json_schema_extra={"pattern": "^[0-9*#A-D]{1,32}$"})]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferForm:
    """Where to: a colleague or a number, one of the two."""

    user_id: Annotated[Label, Len(1, 128)] | None = None
    number: Number | None = None


_DIGITS: Final = TypeAdapter(DigitsForm)
_TRANSFER: Final = TypeAdapter(TransferForm)


async def hang_up(request: web.Request) -> web.Response:
    """Also refuses a call that rings, and completes a transfer after asking."""
    return await _act(request, Control.HANGUP)


async def answer(request: web.Request) -> web.Response:
    """His phone is told to, and this returns when it did."""
    return await _act(request, Control.ANSWER)


async def hold(request: web.Request) -> web.Response:
    return await _act(request, Control.HOLD)


async def unhold(request: web.Request) -> web.Response:
    return await _act(request, Control.UNHOLD)


async def mute(request: web.Request) -> web.Response:
    return await _act(request, Control.MUTE)


async def unmute(request: web.Request) -> web.Response:
    return await _act(request, Control.UNMUTE)


async def send_digits(request: web.Request) -> web.Response:
    Query(request, ())
    return await _act(request, Control.DTMF, digits=validated(_DIGITS, await json_object(request)).digits)


async def transfer(request: web.Request) -> web.Response:
    return await _act(request, Control.TRANSFER, numbers=await _target(request))


async def consult(request: web.Request) -> web.Response:
    return await _act(request, Control.CONSULT, numbers=await _target(request))


async def go_back(request: web.Request) -> web.Response:
    return await _act(request, Control.RETURN)


async def _act(
    request: web.Request, control: Control, *, digits: str = "", numbers: tuple[str, ...] = ()
) -> web.Response:
    Query(request, ())
    act = Act(
        pbx=path_part(request, "pbx", 64),
        call_id=path_part(request, "call_id", 150),
        user_id=agent_of(request),
        control=control,
        digits=digits,
        numbers=numbers,
    )
    await services(request).acts.act(act)
    return web.Response(status=204)


async def _target(request: web.Request) -> tuple[str, ...]:
    """The ways to dial him, best first."""
    Query(request, ())
    wanted, parts = validated(_TRANSFER, await json_object(request)), services(request)
    if (wanted.user_id is None) == (wanted.number is None):
        raise invalid([FieldError("number", Message("give a number or a colleague, one of the two"))])
    number = wanted.number
    if wanted.user_id is not None:
        agent = await read_agent(parts.reads, wanted.user_id)
        number = number_of(agent) if agent is not None else None
        if number is None:
            raise invalid([FieldError("user_id", Message("there is no number to reach this colleague at"))])
    return ways_to_dial(number or "", (await read_settings(parts.reads)).settings.country)
