"""Who asks and what they may do. A route without an entry in the table is closed to everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from daemon.errors import CallwardenError
from daemon.store.tokens import USE_NOTED_EVERY_MS, Role, Token, find_token, note_use
from daemon.web.problem import Problem
from daemon.web.services import Services, services

_log = structlog.get_logger(__name__)

Access = frozenset[Role] | None
"""The roles that may use a route; None: everybody, without a token."""

ACCESS: Final = web.AppKey("access", Mapping[tuple[str, str], Access])
_REALM: Final = 'Bearer realm="callwarden"'


@dataclass(frozen=True, slots=True)
class Caller:
    """`name` is what the store keeps as the one who changed something."""

    name: str
    role: Role


CALLER: Final = web.RequestKey("caller", Caller)


def caller(request: web.Request) -> Caller:
    return request[CALLER]


class TokenUses:
    """Writes `last_used_at` beside the request, never in its way: a full disk must not close the API."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def note(self, known: Token, parts: Services) -> None:
        now = parts.clock()
        recent = known.last_used_at is not None and now - known.last_used_at < USE_NOTED_EVERY_MS
        if recent or known.token_id in self._tasks:
            return
        task = asyncio.create_task(self._write(known.token_id, parts))
        self._tasks[known.token_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(known.token_id, None))

    async def close(self) -> None:
        """Gives what is under way a moment, then lets go."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _write(self, token_id: str, parts: Services) -> None:
        try:
            async with asyncio.timeout(10):
                await parts.writes.change(lambda: note_use(token_id, parts.clock()))
        except (CallwardenError, TimeoutError) as error:
            _log.warning("token_use_not_noted", token_id=token_id, error=str(error))


TOKEN_USES: Final = web.AppKey("token_uses", TokenUses)


@web.middleware
async def authorize(request: web.Request, handler: Handler) -> web.StreamResponse:
    if request.match_info.http_exception is not None:
        return await handler(request)  # 404 and 405 are for everybody
    resource = request.match_info.route.resource
    allowed = request.app[ACCESS].get((_method(request), resource.canonical if resource else ""), frozenset())
    if allowed is None:
        return await handler(request)
    known = await _known_token(request)
    if known.role not in allowed:
        raise Problem(403, f"a token with the role {known.role} may not do this")
    request.app[TOKEN_USES].note(known, services(request))
    request[CALLER] = Caller(f"token:{known.label or known.token_id}"[:128], known.role)
    return await handler(request)


def _method(request: web.Request) -> str:
    return "GET" if request.method == "HEAD" else request.method


async def _known_token(request: web.Request) -> Token:
    headers = request.headers.getall("Authorization", [])
    if not headers:
        raise Problem(401, "send a token: Authorization: Bearer …", headers={"WWW-Authenticate": _REALM})
    scheme, _, text = headers[0].partition(" ")
    if len(headers) == 1 and scheme.lower() == "bearer" and 0 < len(text) <= 200:
        known = await find_token(services(request).reads, text.strip())
        if known is not None:
            return known
    refused = {"WWW-Authenticate": f'{_REALM}, error="invalid_token"'}
    raise Problem(401, "this token is not known or was revoked", headers=refused)
