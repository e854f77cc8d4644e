"""`/`: leads everybody to the first page of his role."""

from __future__ import annotations

from aiohttp import web

from daemon.web.caller import caller
from daemon.web.navigation import home_of
from daemon.web.page import redirect


async def show_home(request: web.Request) -> web.Response:
    return redirect(request, home_of(caller(request).role))
