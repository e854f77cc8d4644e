"""`/desk`: what an agent has before him all day. The page brings words and what stays; its scripts follow the calls."""

from __future__ import annotations

from typing import Any, Final

from aiohttp import web

from daemon.policy.call_settings import PopupDelivery
from daemon.store.agents import Agent, read_agent
from daemon.store.hotlines import read_hotlines
from daemon.store.role import Role
from daemon.store.settings import read_settings
from daemon.web.auth import ACCESS
from daemon.web.caller import caller
from daemon.web.frames import frame_origins
from daemon.web.page import show, words
from daemon.web.pages.choices import number_words, ringtone_options
from daemon.web.pages.webphone import state_words
from daemon.web.services import services

_CALL: Final = ("POST", "/api/v1/calls")


async def show_desk(request: web.Request) -> web.Response:
    """Who belongs to no agent reads how he comes to a desk."""
    account, agent = caller(request).account, None
    if account is not None and account.user_id is not None:
        agent = await read_agent(services(request).reads, account.user_id)
    if agent is None:
        return await show(request, "no_desk.html", is_admin=caller(request).role is Role.ADMIN)
    return await show(request, "desk.html", **await _values(request, agent))


async def _values(request: web.Request, agent: Agent) -> dict[str, Any]:
    reads, _ = services(request).reads, words(request)
    settings = (await read_settings(reads)).settings
    to_desk = settings.popup_answer_delivery is not PopupDelivery.WEBHOOK
    return {
        "frames": frame_origins(settings),  # of the ticket, which opens inside
        "agent": agent,
        "notifies": settings.notify_incoming_calls,
        "pops": bool(settings.popup_answer_url) and to_desk,
        "hotlines": {one.number: one.label for one in await read_hotlines(reads) if one.label},
        "numbers": number_words(settings.country),
        "tones": await ringtone_options(reads, _),
        "tone": agent.ringtone or settings.ringtone,
        **state_words(_),
        "may_call": _CALL in request.app[ACCESS],
    }
