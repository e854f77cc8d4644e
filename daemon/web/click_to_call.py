"""`POST /api/v1/calls`: an agent's phone rings, and when he takes it the number is called for him."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from annotated_types import Len
from pydantic import AfterValidator, Field, TypeAdapter

from daemon.acts import CallOrder
from daemon.call.dialling import dialable, ways_to_dial
from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.store.agents import read_agent
from daemon.store.hotlines import read_hotline, read_hotlines
from daemon.store.seen_hotlines import read_seen_hotlines
from daemon.store.settings import read_settings
from daemon.web.acts_json import ordered_json
from daemon.web.body import json_object, validated
from daemon.web.caller import caller
from daemon.web.desk import agent_of
from daemon.web.listing import json_response
from daemon.web.problem import FieldError, Problem, invalid
from daemon.web.query import Query
from daemon.web.rate import ORDERS
from daemon.web.services import Services, services
from daemon.web.texts import Label

_SEEN_MS: Final = 30 * 86_400_000


def _number(text: str) -> str:
    number = dialable(text)
    if number is None:
        raise ValueError(_NO_NUMBER)
    return number


_NO_NUMBER: Final = Message("is no telephone number: digits, and perhaps a + before them")
Number = Annotated[str, AfterValidator(_number), Field(json_schema_extra={"examples": ["0901234567"]})]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallForm:
    """A call to be made. `user_id` is whose phone rings: one's own where it is left out.

    `hotline_optional`: made without the hotline where that is none of the company's numbers any more.
    """

    number: Number
    user_id: Annotated[Label, Len(1, 128)] | None = None
    hotline: Annotated[Label, Len(1, 64)] | None = None
    hotline_optional: bool = False


_CALL: Final = TypeAdapter(CallForm)


async def order_call(request: web.Request) -> web.Response:
    """202: his phone is being called. What comes of it are events, and the call under `call_id`."""
    Query(request, ())
    wanted = validated(_CALL, await json_object(request))
    parts, user_id = services(request), _whose(request, wanted.user_id)
    agent = await read_agent(parts.reads, user_id)
    if agent is None:
        raise invalid([FieldError("user_id", Message("there is no such agent"))])
    hotline = wanted.hotline
    if hotline is not None and not await _is_ours(parts, hotline):
        if not wanted.hotline_optional:
            raise invalid([FieldError("hotline", Message("is none of your numbers"))])
        hotline = None
    country = (await read_settings(parts.reads)).settings.country
    _slow_down(request, user_id)
    order = CallOrder(
        user_id=user_id,
        endpoints=agent.endpoints,
        numbers=ways_to_dial(wanted.number, country),
        hotline=hotline,
    )
    return json_response(ordered_json(order, await parts.acts.order(order)), 202)


async def hotlines_to_show(parts: Services) -> list[tuple[str, str]]:
    """Numbers a customer may be shown, and what people call them: the configured ones, else the last month's."""
    configured = [(one.number, one.label) for one in await read_hotlines(parts.reads)]
    if configured:
        return configured
    return [(one.number, "") for one in await read_seen_hotlines(parts.reads, _month_ago(parts))]


def _whose(request: web.Request, user_id: str | None) -> str:
    """A program and a supervisor call for anybody, an agent for himself."""
    who = caller(request)
    if user_id is None:
        return agent_of(request)
    if who.token is None and who.role == "agent" and user_id != agent_of(request):
        raise Problem(403, Message("you can only have your own phone called"))
    return user_id


async def _is_ours(parts: Services, hotline: str) -> bool:
    if await read_hotline(parts.reads, hotline) is not None:
        return True
    return any(one.number == hotline for one in await read_seen_hotlines(parts.reads, _month_ago(parts)))


def _month_ago(parts: Services) -> UnixMs:
    return UnixMs(parts.clock() - _SEEN_MS)


def _slow_down(request: web.Request, user_id: str) -> None:
    wait = request.app[ORDERS].wait(user_id, services(request).clock())
    if wait:
        seconds = -(-wait // 1000)
        words = Message("too many calls were ordered for this agent; try again in {seconds} s", seconds=seconds)
        raise Problem(429, words, headers={"Retry-After": str(seconds)})
