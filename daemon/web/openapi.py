"""`/api/v1/openapi.json`: the API's description. Open to everybody: it says what can be asked, not what is."""

from __future__ import annotations

import json
from functools import lru_cache

from aiohttp import web

from daemon.store.role import Role
from daemon.web.auth import ACCESS
from daemon.web.cookies import session_cookie_name
from daemon.web.description.document import Document, openapi
from daemon.web.description.table import DESCRIPTIONS
from daemon.web.query import Query
from daemon.web.services import services


async def get_description(request: web.Request) -> web.Response:
    Query(request, ())
    return web.Response(text=_text(*_facts(request)), content_type="application/json")


def description_of(request: web.Request) -> Document:
    document: Document = json.loads(_text(*_facts(request)))
    return document


def _facts(request: web.Request) -> tuple[frozenset[tuple[tuple[str, str], frozenset[Role] | None]], str, str]:
    """Without a configured address the server is whoever was asked for the description (OpenAPI 3.1 §4.8.5)."""
    server = (services(request).public_url or "").rstrip("/") or "/"
    return frozenset(request.app[ACCESS].items()), server, session_cookie_name(request)


@lru_cache(maxsize=4)
def _text(roles: frozenset[tuple[tuple[str, str], frozenset[Role] | None]], server: str, cookie: str) -> str:
    """Made once: whoever is not signed in must not keep the processor busy."""
    return json.dumps(openapi(DESCRIPTIONS, dict(roles), server, cookie))
