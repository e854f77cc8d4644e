"""A customer's CRM on loopback: answers as told, keeps what it got, to the microsecond. Usable by any test.

`Receiver().plan("/path", Reply(status=503, headers={"Retry-After": "1"}), Reply())` answers the first request to the
path with 503 and every later one with 200. Misbehaviour that HTTP servers do not offer is written on a raw socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Self

from aiohttp import web
from standardwebhooks import Webhook


def unix_ms() -> int:
    return time.time_ns() // 1_000_000


class Misbehaviour(Enum):
    HANG = "hang"  # take the request, never answer
    RESET = "reset"  # take the request, cut the connection
    GARBAGE = "garbage"  # answer something that is not HTTP
    SLOW_BODY = "slow body"  # a good head, then a body that never ends
    ENDLESS_BODY = "endless body"  # a good head, then a body as fast as it goes


@dataclass(frozen=True, slots=True)
class Reply:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    delay_s: float = 0.0
    misbehaviour: Misbehaviour | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """`at` is time.perf_counter() when the request's head had arrived, `unix_ms` the wall clock then."""

    at: float
    unix_ms: int
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    peer: tuple[str, int]

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    def verify(self, secret: str) -> None:
        """By the reference library; raises WebhookVerificationError."""
        Webhook(secret).verify(self.body, dict(self.headers), json_parse=False)


class Receiver:
    """`async with Receiver() as crm:` listens on a free port of loopback (or the one given)."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._plans: dict[str, list[Reply]] = defaultdict(list)
        self._arrived = asyncio.Event()
        self._runner: web.ServerRunner | None = None
        self.requests: list[Request] = []
        self.at_once = 0
        self.most_at_once = 0
        self.connections: set[tuple[str, int]] = set()

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def port(self) -> int:
        return self._port

    def plan(self, path: str, *replies: Reply) -> None:
        """The replies to the next requests for `path`, in order; the last one stays."""
        self._plans[path] = list(replies)

    def got(self, path: str) -> list[Request]:
        return [one for one in self.requests if one.path == path]

    async def wait_for(self, count: int, path: str | None = None, within_s: float = 5.0) -> list[Request]:
        """The first `count` requests (to `path`). Raises TimeoutError."""
        async with asyncio.timeout(within_s):
            while len(found := self.requests if path is None else self.got(path)) < count:
                self._arrived.clear()
                await self._arrived.wait()
        return found

    async def open(self) -> None:
        """Listen; after `close` on the same port again, with everything kept."""
        self._runner = web.ServerRunner(web.Server(self._answer, keepalive_timeout=60), shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Nobody listens any more."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        at, now = time.perf_counter(), unix_ms()
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self._keep(request, at, now)
            return await self._reply(request, self._next_reply(request.path))
        finally:
            self.at_once -= 1

    async def _keep(self, request: web.BaseRequest, at: float, now: int) -> None:
        assert request.transport is not None
        peer = request.transport.get_extra_info("peername")[:2]
        self.connections.add(peer)
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = await request.read()
        self.requests.append(Request(at, now, request.method, request.path, request.query_string, headers, body, peer))
        self._arrived.set()

    def _next_reply(self, path: str) -> Reply:
        plan = self._plans.get(path)
        if not plan:
            return Reply()
        return plan.pop(0) if len(plan) > 1 else plan[0]

    async def _reply(self, request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        if reply.misbehaviour is None:
            return web.Response(status=reply.status, headers=reply.headers, body=reply.body)
        return await _misbehave(request, reply)


async def _misbehave(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    transport = request.transport
    assert isinstance(transport, asyncio.Transport)
    match reply.misbehaviour:
        case Misbehaviour.HANG:
            await asyncio.sleep(3600)
        case Misbehaviour.RESET:
            transport.abort()
        case Misbehaviour.GARBAGE:
            transport.write(b"\x00\xff not HTTP at all\r\n\r\n")
            transport.close()
        case _:
            return await _stream(request, reply)
    return web.Response()


async def _stream(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    await response.prepare(request)
    slow = reply.misbehaviour is Misbehaviour.SLOW_BODY
    with contextlib.suppress(ConnectionError):
        while True:
            await response.write(b"drip " if slow else b"x" * 65_536)
            await asyncio.sleep(0.05 if slow else 0)
    return response
