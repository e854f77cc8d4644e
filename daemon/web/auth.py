"""Who may do what. A route without an entry in the table is closed to everybody; every change is checked for CSRF."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from daemon.errors import TryAgain
from daemon.message import Message
from daemon.store.role import Role
from daemon.web.caller import CALLER, Caller, find_caller, nobody
from daemon.web.cookies import form_cookie, session_cookie
from daemon.web.csrf import SAFE, require_token
from daemon.web.next_page import sign_in_address
from daemon.web.page import is_page, redirect, wants_page
from daemon.web.problem import Problem
from daemon.web.services import services
from daemon.web.uses import USES

Access = frozenset[Role] | None
"""The roles that may use a route; None: everybody, without a token."""

ACCESS: Final = web.AppKey("access", Mapping[tuple[str, str], Access])
_LOOK_AGAIN_S: Final = 10.0
_BACKGROUND: Final = "X-Background"
"""What a page asks by itself, every few seconds, says so: nobody sits there for that, so it counts as no use."""


@web.middleware
async def authorize(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.match_info.http_exception is not None:
        await _recognise(request)
        return await handler(request)  # 404 and 405 are for everybody
    allowed, page = _allowed(request), is_page(request)
    if allowed is None:
        if request.method not in SAFE:
            await require_token(request, form_cookie(request), form=True)
        return await handler(request)
    known = await find_caller(request, page=page)
    if known is None and page:
        return _to_sign_in(request)
    if known is None:
        raise nobody()
    request[CALLER] = known  # a refusal is shown and logged as his too
    await _admit(request, known, allowed, page=page)
    return await handler(request)


class Revocations:
    """Wakes those who serve a caller for long, when somebody may have lost the right to it."""

    def __init__(self) -> None:
        self._news = asyncio.Event()

    def happened(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def wait(self) -> None:
        """Until one happened; not for long, as the command line revokes in another process."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_AGAIN_S):
                await self._news.wait()


REVOCATIONS: Final = web.AppKey("revocations", Revocations)


async def until_refused(request: web.Request) -> None:
    """Returns when the caller may no longer use this route: signed out, disabled, revoked, of another role.

    Meanwhile a stream counts as use: who watches a wallboard is not idle.
    """
    while True:
        await request.app[REVOCATIONS].wait()
        with suppress(TryAgain):
            try:
                known = await find_caller(request, page=is_page(request))
            except Problem:
                return
            if known is None or known.role not in (_allowed(request) or ()):
                return
            _note_use(request, known)


async def _recognise(request: web.Request) -> None:
    """Whose 404 a page shows, so that it stands among his pages. It takes no permission and counts as no use."""
    if not wants_page(request):
        return
    with suppress(TryAgain):
        if known := await find_caller(request, page=True):
            request[CALLER] = known


async def _admit(request: web.Request, known: Caller, allowed: frozenset[Role], *, page: bool) -> None:
    if known.session is not None and request.method not in SAFE:
        await require_token(request, session_cookie(request), form=page)
    if known.role not in allowed:
        raise Problem(403, Message("the role {role} may not do this", role=known.role.value))
    if not (known.session is not None and request.method in SAFE and _BACKGROUND in request.headers):
        _note_use(request, known)


def _note_use(request: web.Request, known: Caller) -> None:
    uses, parts = request.app[USES], services(request)
    if known.token is not None:
        uses.token(known.token, parts)
    if known.session is not None:
        uses.session(known.session, parts)


def _allowed(request: web.Request) -> Access:
    resource = request.match_info.route.resource
    method = "GET" if request.method == "HEAD" else request.method
    return request.app[ACCESS].get((method, resource.canonical if resource else ""), frozenset())


def _to_sign_in(request: web.Request) -> web.Response:
    """Back to this page afterwards, if it is one that can be read again."""
    return redirect(request, sign_in_address(request.rel_url.raw_path_qs if request.method in SAFE else None))
