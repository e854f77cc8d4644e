"""`/reference`: the API's description for people, made from the same document as `openapi.json`."""

from __future__ import annotations

from aiohttp import web

from daemon.web.description.reference import reference
from daemon.web.openapi import description_of
from daemon.web.page import page
from daemon.web.server_address import server_address


async def show_reference(request: web.Request) -> web.Response:
    return page(request, "reference.html", reference=reference(description_of(request), server_address(request)))
