"""`/api/v1/sessions`: where I am signed in, and leaving there; `/accounts/{name}/sessions`: an admin signs one out."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from daemon.store.accounts import account_name, read_account
from daemon.store.session_pages import end_one_session, public_id, read_open_sessions
from daemon.store.sessions import end_sessions
from daemon.web.auth import REVOCATIONS
from daemon.web.caller import by, caller
from daemon.web.listing import json_response
from daemon.web.problem import not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services

_ID_LIMIT: Final = 64
_NAME_LIMIT: Final = 256


async def list_sessions(request: web.Request) -> web.Response:
    """One's own, the last used first; a token has none."""
    Query(request, ())
    session, parts = caller(request).session, services(request)
    if session is None:
        return json_response({"items": [], "next": None})
    found = await read_open_sessions(parts.reads, session.account.name, parts.clock())
    mine = public_id(session.digest)
    return json_response(
        {"items": [{**one.as_json(), "current": one.session_id == mine} for one in found], "next": None}
    )


async def remove_session(request: web.Request) -> web.Response:
    """Signs one's own account out there, at once. Of others' sessions it says what it says of none."""
    Query(request, ())
    session_id, session, who = path_part(request, "session_id", _ID_LIMIT), caller(request).session, by(request)
    if session is None:
        raise not_found("session")
    name = session.account.name
    if not await services(request).writes.change(lambda: end_one_session(name, session_id, who)):
        raise not_found("session")
    request.app[REVOCATIONS].happened()
    return web.Response(status=204)


async def remove_account_sessions(request: web.Request) -> web.Response:
    """Signs an account out everywhere."""
    Query(request, ())
    name, parts, who = account_name(path_part(request, "name", _NAME_LIMIT)) or "", services(request), by(request)
    if await read_account(parts.reads, name) is None:
        raise not_found("account")
    await parts.writes.change(lambda: end_sessions(name, who))
    request.app[REVOCATIONS].happened()
    return web.Response(status=204)
