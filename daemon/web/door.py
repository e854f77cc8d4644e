"""The door of the web server: how long somebody may stand in it without asking, and how many may be inside.

Who only holds connections open, or sends a byte now and then, loses his own first: never a desk, never a request that
has arrived. So the process keeps files for the PBX, the store and the webhooks.
"""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import Mapping
from typing import Any, Final

import structlog
from aiohttp import web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.typedefs import Handler

from daemon.web.headers import put_headers
from daemon.web.problem import Problem, problem_response

_log = structlog.get_logger(__name__)

HEAD_S: Final = 15.0
IDLE_S: Final = 75.0  # longer than proxies keep a connection they do not use (nginx: 60), or they would get errors
BACKLOG: Final = 64  # asyncio takes so many at once, before it closes those whom they put out
_TOLD_EVERY_S: Final = 60.0
_UNLIMITED: Final = 65_536
_OPTIONS: Final[Mapping[str, Any]] = {
    "access_log": None,
    "max_line_size": 8190,
    "lingering_time": 2.0,  # so long a refused body is read on, that its sender may read why
    "auto_decompress": False,  # `refuse_coded` refuses it
}


def places() -> int:
    """Three quarters of the files that the process may open."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(16, (_UNLIMITED if limit == resource.RLIM_INFINITY else min(limit, _UNLIMITED)) * 3 // 4)


class Door:
    """All connections. `head_s`: from the connection to its first request; `idle_s`: from an answer to the next."""

    def __init__(self, most: int | None = None, head_s: float = HEAD_S, idle_s: float = IDLE_S) -> None:
        self.shed = 0
        self.head_s, self.idle_s = head_s, idle_s
        self._most = most or places()
        self._all: set[Visitor] = set()
        self._waiting: dict[Visitor, float] = {}  # since when; the first has waited longest
        self._sending: dict[Visitor, tuple[float, web.Request]] = {}  # a body that had not come whole, the same way
        self._told = -_TOLD_EVERY_S

    def __len__(self) -> int:
        return len(self._all)

    def entered(self, visitor: Visitor) -> None:
        self._all.add(visitor)
        self._waiting[visitor] = time.monotonic()
        if len(self) > self._most:
            self._make_room(visitor)

    def began(self, visitor: Visitor, request: web.Request) -> None:
        self._waiting.pop(visitor, None)
        if not request.content.is_eof():
            self._sending[visitor] = time.monotonic(), request

    def ended(self, visitor: Visitor) -> None:
        if visitor in self._all:
            self._sending.pop(visitor, None)
            self._wait_anew(visitor)

    def left(self, visitor: Visitor) -> None:
        self._all.discard(visitor)
        self._waiting.pop(visitor, None)
        self._sending.pop(visitor, None)

    def close(self) -> None:
        """Bodies that are still on their way are not waited for."""
        while (sender := self._slowest_sender()) is not None:
            self.left(sender)
            sender.put_out()

    def _slowest_sender(self) -> Visitor | None:
        while self._sending:
            visitor = next(iter(self._sending))
            if not self._sending[visitor][1].content.is_eof():
                return visitor
            del self._sending[visitor]  # its request has arrived: it is safe
        return None

    def _wait_anew(self, visitor: Visitor) -> None:
        self._waiting.pop(visitor, None)
        self._waiting[visitor] = time.monotonic()

    def _longest_waiter(self) -> Visitor:
        """Who reads an answer keeps nobody waiting; the newest reads none yet, so there is one."""
        while (visitor := next(iter(self._waiting))).reads(self.head_s):
            self._wait_anew(visitor)
        return visitor

    def _make_room(self, newest: Visitor) -> None:
        """Who has kept us waiting longest goes; the newest where everybody else is being answered."""
        waiter, sender = self._longest_waiter(), self._slowest_sender()
        victim = waiter
        if sender is not None and (waiter is newest or self._sending[sender][0] < self._waiting[waiter]):
            victim = sender
        self.left(victim)
        victim.put_out()
        self.shed += 1
        if (now := time.monotonic()) - self._told >= _TOLD_EVERY_S:
            self._told = now
            _log.warning("connections_shed", most=self._most, shed=self.shed)


class Visitor(web.RequestHandler):
    """One connection."""

    __slots__ = ("_door", "_taken", "_taken_at", "_timer", "_writer")

    def __init__(self, server: web.Server, door: Door, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, keepalive_timeout=door.idle_s, **_OPTIONS)
        self._door = door
        self._timer: asyncio.TimerHandle | None = None
        self._writer: AbstractStreamWriter | None = None
        self._taken, self._taken_at = 0, 0.0  # bytes of its answer that had left when we last saw more leave

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._wait(self._door.head_s)
        self._door.entered(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_waiting()
        self._door.left(self)
        super().connection_lost(exc)

    def began(self, request: web.Request) -> None:
        self._stop_waiting()
        self._writer, self._taken = request.writer, 0
        self._door.began(self, request)

    def ended(self) -> None:
        """The answer is still to be read: who reads nothing of it within the time is put out as well."""
        if self.transport is not None:
            self._door.ended(self)
            self._wait(self._door.idle_s)

    def reads(self, within: float) -> bool:
        """Whether an answer is on its way to him, and he took some of it within these seconds or since the last look.

        A large answer is handed over whole after its handler has ended, and may take a slow line long.
        """
        if self.transport is None or self._writer is None:
            return False
        left, now = self.transport.get_write_buffer_size(), time.monotonic()
        if (taken := self._writer.output_size - left) > self._taken:
            self._taken, self._taken_at = taken, now
        return left > 0 and now - self._taken_at < within

    def put_out(self) -> None:
        """At once: what is not sent yet nobody reads."""
        if self.transport is not None:
            self.transport.abort()

    def handle_error(self, request: Any, status: int = 500, exc: Any = None, message: Any = None) -> Any:  # noqa: ARG002
        """Answers what is no request. aiohttp would tell its version, and log each time with a traceback."""
        if isinstance(exc, ConnectionError) or request.writer.output_size > 0:
            raise ConnectionError("nobody is there any more, or has half of an answer")
        ours = status >= 500
        _log.log(40 if ours else 10, "no_request", status=status, remote=request.remote, exc_info=exc if ours else None)
        detail = "this is our fault" if ours else "this is no HTTP request as this server takes them"
        response = problem_response(Problem(status, detail))
        put_headers(response)
        response.force_close()
        return response

    def _wait(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._is_over)

    def _is_over(self) -> None:
        if self.reads(self._door.idle_s):
            self._wait(self._door.idle_s)
        else:
            self.put_out()

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


@web.middleware
async def note_visits(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Tells the door who is being answered."""
    visitor = request.protocol
    if not isinstance(visitor, Visitor):
        return await handler(request)
    visitor.began(request)
    try:
        return await handler(request)
    finally:
        visitor.ended()


@web.middleware
async def refuse_coded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """415 for a compressed body: a small one could unpack into a large one (RFC 9110 §15.5.16)."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise Problem(415, "send the body as it is, not compressed", headers={"Accept-Encoding": "identity"})
    return await handler(request)
