"""The web application put together, and its socket. What each address does stands in `routes`."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from daemon.web.auth import ACCESS, REVOCATIONS, Revocations, authorize
from daemon.web.body import BODY_LIMIT
from daemon.web.brake import BRAKE, Brake
from daemon.web.caller import CALLER
from daemon.web.deadline import limited
from daemon.web.door import BACKLOG, Door, Visitor, note_visits, refuse_coded
from daemon.web.events import LISTENING
from daemon.web.exports import EXPORTS, Exports
from daemon.web.framing import FRAMINGS, Framings
from daemon.web.headers import put_headers
from daemon.web.page import PAGES, problem_page, set_up_pages, wants_page, words
from daemon.web.password_check import PASSWORD_CHECK, PasswordCheck
from daemon.web.problem import SHOWING, Problem, Showing, problem_response, problems
from daemon.web.rate import ORDERS, orders_of_calls
from daemon.web.remote import remote_of
from daemon.web.routes import ENDLESS, QUIET, ROUTES, Route
from daemon.web.services import SERVICES, Services
from daemon.web.sound_file import SOUND_FILES, SoundFiles
from daemon.web.uses import USES, Uses

_log = structlog.get_logger(__name__)

REQUEST_TIMEOUT_S: Final = 20.0
_STOP_TIMEOUT_S: Final = 3.0  # with that of the outbox below the ten seconds in which the daemon stops


@dataclass(frozen=True, slots=True)
class WebServer:
    """A server that listens. `port` is the real one where 0 was asked for."""

    runner: web.AppRunner
    socket: asyncio.Server
    door: Door
    port: int

    async def stop(self) -> None:
        """Closes the socket, ends the listeners of events, lets requests finish for a moment."""
        self.socket.close()
        self.door.close()
        await self.runner.cleanup()


def build_app(parts: Services) -> web.Application:
    """The application over these parts; it owns none of them but the feed, which it closes."""
    app = web.Application(middlewares=_MIDDLEWARES, client_max_size=BODY_LIMIT)
    app[SERVICES] = parts
    app[USES], app[BRAKE], app[PASSWORD_CHECK], app[REVOCATIONS] = Uses(), Brake(), PasswordCheck(), Revocations()
    app[SOUND_FILES], app[FRAMINGS], app[ORDERS] = SoundFiles(), Framings(), orders_of_calls()
    app[LISTENING] = Counter()
    app[EXPORTS] = Exports()
    app[ACCESS] = {(route.method, route.path): route.access for route in ROUTES}
    app[PAGES] = frozenset((route.method, route.path) for route in ROUTES if route.page)
    app[SHOWING] = Showing(show_problem)
    set_up_pages(app)
    for route in ROUTES:
        _add(app, route)
    app.on_response_prepare.append(add_headers)
    app.on_shutdown.append(_end_listeners)
    app.cleanup_ctx.append(_finish_uses)
    return app


async def start_web(app: web.Application, host: str, port: int, door: Door | None = None) -> WebServer:
    """Raises OSError when the address is taken or not ours."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_TIMEOUT_S)
    await runner.setup()
    try:
        loop, server, shared = asyncio.get_running_loop(), runner.server, Door() if door is None else door
        assert server is not None, "it was set up"
        socket = await loop.create_server(lambda: Visitor(server, shared, loop), host or None, port, backlog=BACKLOG)
    except BaseException:
        await runner.cleanup()
        raise
    return WebServer(runner, socket, shared, int(socket.sockets[0].getsockname()[1]))


def _add(app: web.Application, route: Route) -> None:
    path = route.path.replace("}", ":[^/]+}")  # aiohttp's own pattern would leave out names with braces
    if route.method == "GET":
        app.router.add_get(path, route.handler, allow_head=route.path not in ENDLESS)
    else:
        app.router.add_route(route.method, path, route.handler)


def show_problem(request: web.Request, problem: Problem) -> web.Response:
    """People read it in their language; programs always get the same words."""
    if wants_page(request):
        return problem_page(request, problem.translated(words(request)))
    known = request.get(CALLER)
    return problem_response(problem.translated(words(request)) if known and known.account else problem)


async def add_headers(_: web.Request, response: web.StreamResponse) -> None:
    put_headers(response)


@web.middleware
async def limit_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Also ends a body that arrives a byte at a time."""
    if _route_name(request) in ENDLESS:
        return await handler(request)
    async with limited(request, REQUEST_TIMEOUT_S):
        return await handler(request)


@web.middleware
async def log_access(request: web.Request, handler: Handler) -> web.StreamResponse:
    """The route and its names, never the raw path or query: they may hold a secret. Numbers are masked by the log."""
    began = time.monotonic()
    response = await handler(request)
    route, known = _route_name(request), request.get(CALLER)
    _log.log(
        10 if route in QUIET else 20,
        "http_request",
        method=request.method[:10],
        route=route,
        status=response.status,
        ms=round((time.monotonic() - began) * 1000, 1),
        by=known and known.name,
        remote=remote_of(request),
        **{name: value[:100] for name, value in request.match_info.items()},
    )
    return response


_MIDDLEWARES: Final = (note_visits, log_access, problems, refuse_coded, limit_time, authorize)


def _route_name(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource else "unknown"


async def _end_listeners(app: web.Application) -> None:
    app[SERVICES].feed.close()
    app[SERVICES].wall.close()


async def _finish_uses(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[USES].close()
    await app[FRAMINGS].close()
