"""`/api/v1/openapi.json`: the API's description, for tools. Open to everybody: it says what can be asked, not what is."""

from __future__ import annotations

from aiohttp import web

from daemon.web.auth import ACCESS
from daemon.web.cookies import session_cookie_name
from daemon.web.description.document import Document, openapi
from daemon.web.description.table import DESCRIPTIONS
from daemon.web.listing import json_response
from daemon.web.query import Query
from daemon.web.services import services


async def get_description(request: web.Request) -> web.Response:
    Query(request, ())
    return json_response(description_of(request))


def description_of(request: web.Request) -> Document:
    """Without a configured address the server is whoever was asked for the description (OpenAPI 3.1 §4.8.5)."""
    server = (services(request).public_url or "").rstrip("/") or "/"
    return openapi(DESCRIPTIONS, request.app[ACCESS], server, session_cookie_name(request))
