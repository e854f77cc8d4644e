"""The wallboard's streams, and the links with which a screen sees it where nobody is signed in.

Whoever has a link sees the board and nothing else; no answer here tells who a customer is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

from aiohttp import web
from aiohttp_sse import EventSourceResponse
from pydantic import TypeAdapter

from daemon.errors import TryAgain
from daemon.message import Message
from daemon.store.wall_links import (
    WALL_LINK,
    TooManyLinks,
    WallLink,
    add_wall_link,
    find_wall_link,
    new_wall_secret,
    read_wall_links,
    revoke_wall_link,
    wall_link_id,
)
from daemon.web.audit import change
from daemon.web.auth import REVOCATIONS, until_refused
from daemon.web.body import json_object, validated
from daemon.web.caller import caller
from daemon.web.events import Job, attend
from daemon.web.listing import json_response
from daemon.web.problem import Problem, not_found
from daemon.web.query import Query, path_part
from daemon.web.server_address import server_address
from daemon.web.services import services
from daemon.web.texts import Label

_ID_LIMIT: Final = 40
_FIRST: Final = b"retry: 2000\n\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class WallLinkForm:
    """The body of a new link. `label` is where the screen hangs."""

    label: Label = ""


_FORM: Final = TypeAdapter(WallLinkForm)


async def stream_wallboard(request: web.Request) -> web.StreamResponse:
    """For whoever is signed in and may see it: `board` when it changed, `beat` every two seconds."""
    Query(request, ())
    return await _stream(request, caller(request).name, lambda _: until_refused(request))


async def stream_wall(request: web.Request) -> web.StreamResponse:
    """The same by a link, until it is revoked."""
    Query(request, ())
    link = await open_link(request)
    return await _stream(request, f"link:{link.link_id}", lambda _: _until_revoked(request))


async def open_link(request: web.Request) -> WallLink:
    """The link of this address; 404 alike for one that was revoked and one that never was."""
    link = await find_wall_link(services(request).reads, request.match_info["secret"])
    if link is None:
        raise Problem(404, Message("this link to the wallboard was revoked or never was; ask a supervisor for another"))
    return link


async def list_links(request: web.Request) -> web.Response:
    Query(request, ())
    found = await read_wall_links(services(request).reads)
    return json_response({"items": [link.as_json() for link in found], "next": None})


async def create_link(request: web.Request) -> web.Response:
    """201 with the address, this once."""
    Query(request, ())
    form, address = validated(_FORM, await json_object(request)), server_address(request)
    secret, now, maker = new_wall_secret(), services(request).clock(), caller(request).name
    link_id = wall_link_id(secret)
    try:
        await change(request, WALL_LINK, link_id, lambda: add_wall_link(secret, form.label, now, maker))
    except TooManyLinks as error:
        raise Problem(409, Message("there are too many links already; revoke one that no screen needs")) from error
    made = WallLink(link_id=link_id, label=form.label, created_at=now, created_by=maker)
    return json_response({**made.as_json(), "url": f"{address}/wall/{secret}"}, 201)


async def remove_link(request: web.Request) -> web.Response:
    """Revoked: screens that show it stop at once."""
    Query(request, ())
    link_id = path_part(request, "link_id", _ID_LIMIT)
    if not await change(request, WALL_LINK, link_id, lambda: revoke_wall_link(link_id)):
        raise not_found("link to the wallboard")
    request.app[REVOCATIONS].happened()
    return web.Response(status=204)


async def _stream(request: web.Request, key: str, until: Job) -> web.StreamResponse:
    wall = services(request).wall
    if wall.is_full(key):
        raise Problem(503, Message("too many listen already"), headers={"Retry-After": "30"})
    return await attend(request, _FIRST, lambda response: _copy(wall.listen(key), response), until)


async def _copy(listening: AsyncGenerator[tuple[str, str]], response: EventSourceResponse) -> None:
    """Until the board closes, or the screen is gone or reads so slowly that it is let go."""
    with suppress(ConnectionError, TimeoutError, RuntimeError):
        async with aclosing(listening) as frames:
            async for event, data in frames:
                await response.send(data, event=event)


async def _until_revoked(request: web.Request) -> None:
    while True:
        await request.app[REVOCATIONS].wait()
        with suppress(TryAgain):
            try:
                await open_link(request)
            except Problem:
                return
