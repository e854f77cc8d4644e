"""`/wallboard`, and `/wall/{secret}` for a screen on the wall: the words; the script follows the board."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from daemon.message import Message
from daemon.store.wall_links import read_wall_links
from daemon.web.assets import version
from daemon.web.page import page, show, words
from daemon.web.services import services
from daemon.web.wall import open_link
from daemon.web.wall_now import Doing

_DOING: Final[Mapping[Doing, Message]] = {
    Doing.HOLD: Message("On hold"),
    Doing.TALKING: Message("Talks"),
    Doing.CALLING: Message("Calls"),
    Doing.RINGING: Message("Rings"),
    Doing.WRAP_UP: Message("After call"),
    Doing.PAUSED: Message("Paused"),
    Doing.AVAILABLE: Message("Free"),
    Doing.NO_QUEUE: Message("No queue"),
    Doing.UNKNOWN: Message("Unknown"),
}


async def show_wallboard(request: web.Request) -> web.Response:
    """In the shell, with the links below."""
    links = await read_wall_links(services(request).reads)
    rows = [{"link": one, "name": one.label or one.link_id, "key": quote(one.link_id, safe="")} for one in links]
    return await show(request, "wallboard.html", links=rows, **_values(request, "/api/v1/wallboard/events"))


async def show_wall(request: web.Request) -> web.Response:
    """Nothing but the board. It is nobody's business where it came from, and no search engine's what it shows."""
    await open_link(request)
    events = f"/wall/{quote(request.match_info['secret'], safe='')}/events"
    response = page(request, "wall.html", **_values(request, events))
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


def _values(request: web.Request, events: str) -> dict[str, Any]:
    _ = words(request)
    return {"events": events, "version": version(), "doing": {key.value: _(word) for key, word in _DOING.items()}}
