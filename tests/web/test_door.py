"""The door: who holds connections open, dribbles or floods is put out; desks and requests that arrived never are."""

from __future__ import annotations

import asyncio
import resource
import socket
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest
from aiohttp import web
from structlog.testing import capture_logs

from daemon.web.door import Door, note_visits, places
from daemon.web.server import build_app, start_web
from tests.web.conftest import House

LARGE = 2_000_000
GET = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\nCookie: callwarden-form=" + b"a" * 43 + b"\r\n"
POST = b"POST /sign-in HTTP/1.1\r\nHost: x\r\n" + FORM


@dataclass
class Street:
    """A server that listens, and connections to it."""

    port: int
    door: Door
    house: House
    lines: AsyncExitStack

    async def connect(self, first: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.lines.callback(writer.close)
        writer.write(first)
        return reader, writer

    async def ask(self, request: bytes) -> bytes:
        reader, _ = await self.connect(request)
        async with asyncio.timeout(5):
            return await reader.read(65536)


@pytest.fixture
async def street(house: House) -> AsyncIterator[Callable[..., Awaitable[Street]]]:
    async with AsyncExitStack() as lines:

        async def open_street(**limits: float) -> Street:
            door = Door(**limits)  # type: ignore[arg-type]
            server = await start_web(build_app(house.services()), "127.0.0.1", 0, door)
            lines.push_async_callback(server.stop)
            return Street(server.port, door, house, lines)

        yield open_street


@asynccontextmanager
async def desk(street: Street) -> AsyncIterator[asyncio.StreamReader]:
    """A listener of events, as a desk is one, who has heard the first line."""
    async with aiohttp.ClientSession() as session:
        address = f"http://127.0.0.1:{street.port}/api/v1/events"
        async with session.get(address, headers=street.house.headers()) as stream:
            await stream.content.readline()
            yield stream.content  # type: ignore[misc]


async def is_over(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(5):
            return await reader.read() == b""
    except ConnectionError:
        return True


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX-A: "])
async def test_who_does_not_ask_in_time_is_put_out(street: Callable[..., Awaitable[Street]], first: bytes) -> None:
    here = await street(head_s=0.2)
    reader, writer = await here.connect(first)
    for _ in range(3):
        await asyncio.sleep(0.02)
        writer.write(first and b"a")  # a byte now and then is no request
    assert await is_over(reader)
    assert len(here.door) == 0


async def test_a_kept_connection_ends_when_nothing_more_is_asked(street: Callable[..., Awaitable[Street]]) -> None:
    here = await street(head_s=5, idle_s=0.2)
    reader, writer = await here.connect(GET)
    assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
    writer.write(b"GET /healthz HTTP/1.1\r\n")
    assert await is_over(reader)


async def test_a_desk_may_be_quiet_for_longer_than_any_of_these_times(street: Callable[..., Awaitable[Street]]) -> None:
    here = await street(head_s=0.1, idle_s=0.1)
    async with desk(here):
        await asyncio.sleep(0.4)
        assert len(here.door) == 1


async def test_a_flood_of_connections_sheds_its_own_and_neither_desk_nor_request(
    street: Callable[..., Awaitable[Street]],
) -> None:
    here = await street(most=20)
    async with desk(here), desk(here):
        with capture_logs() as log:
            for turn in range(60):
                await here.connect(GET[: turn % 20])
        assert len(here.door) <= 20
        assert (await here.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))).startswith(b"HTTP/1.1 200")
        assert here.house.feed.listeners == 2
    assert here.door.shed >= 40
    assert [line["event"] for line in log] == ["connections_shed"]  # once a minute, not once each


async def test_bodies_that_never_end_make_room_for_others(street: Callable[..., Awaitable[Street]]) -> None:
    here = await street(most=10)
    async with desk(here):
        with capture_logs() as log:
            for _ in range(40):
                await here.connect(POST + b"Content-Length: 1000\r\n\r\nname=")
                await asyncio.sleep(0.002)  # the request begins
        assert (await here.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))).startswith(b"HTTP/1.1 200")
        assert here.house.feed.listeners == 1
        assert len(here.door) <= 10
    assert [line for line in log if line["log_level"] == "error"] == []  # nothing of ours broke


async def test_who_comes_amid_a_flood_of_bodies_is_answered_each_time(
    street: Callable[..., Awaitable[Street]],
) -> None:
    """He is the youngest; older ones that keep us waiting go, whatever they wait with."""
    here = await street(most=30)
    for turn in range(90):
        await here.connect((b"", GET[:20], POST + b"Content-Length: 900\r\n\r\nn")[turn % 3])
        if turn % 10 == 9:
            ours = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
            assert (await here.ask(ours)).startswith(b"HTTP/1.1 200")


@asynccontextmanager
async def large_answer(door: Door) -> AsyncIterator[tuple[asyncio.StreamReader, int]]:
    """Somebody who has asked for more than the buffers of the system hold, and has read nothing yet."""

    async def large(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        return web.Response(body=bytes(LARGE))

    app = web.Application(middlewares=[note_visits])
    app.router.add_get("/", large)
    server = await start_web(app, "127.0.0.1", 0, door)
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    line.connect(("127.0.0.1", server.port))
    reader, writer = await asyncio.open_connection(sock=line, limit=4096)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await asyncio.sleep(0.05)
    yield reader, server.port
    writer.close()
    await server.stop()


async def test_who_reads_a_large_answer_slowly_gets_all_of_it_also_amid_a_flood() -> None:
    door = Door(most=3, head_s=0.3, idle_s=0.3)
    async with large_answer(door) as (reader, port), AsyncExitStack() as flood:
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(20):
            await reader.readexactly(LARGE // 20)
            flood.callback((await asyncio.open_connection("127.0.0.1", port))[1].close)
            await asyncio.sleep(0.04)
        assert door.shed > 10


async def test_who_reads_nothing_of_a_large_answer_is_put_out() -> None:
    door = Door(head_s=0.1, idle_s=0.1)
    async with large_answer(door):
        assert len(door) == 1
        await asyncio.sleep(0.5)
        assert len(door) == 0


def test_it_is_the_same_under_uvloop() -> None:
    """Whose transports are of no class of asyncio's; the service runs under it."""
    uvloop = pytest.importorskip("uvloop")

    async def flood() -> int:
        door = Door(most=20)
        server = await start_web(web.Application(middlewares=[note_visits]), "127.0.0.1", 0, door)
        lines = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(60)]
        await asyncio.sleep(0.1)
        gone = sum(reader.at_eof() or reader.exception() is not None for reader, _ in lines)
        for _, writer in lines:
            writer.close()
        await server.stop()
        return gone

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(flood()) == 40


async def test_a_body_on_its_way_does_not_hold_up_the_stop(house: House) -> None:
    server = await start_web(build_app(house.services()), "127.0.0.1", 0)
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(POST + b"Content-Length: 1000\r\n\r\nname=")
    await asyncio.sleep(0.1)
    async with asyncio.timeout(2):
        await server.stop()
    writer.close()


async def test_where_everybody_is_being_answered_the_newcomer_goes(street: Callable[..., Awaitable[Street]]) -> None:
    here = await street(most=2)
    async with desk(here), desk(here):
        assert await is_over((await here.connect())[0])
        assert here.house.feed.listeners == 2


async def test_a_small_body_that_unpacks_into_a_large_one_is_not_unpacked(
    street: Callable[..., Awaitable[Street]],
) -> None:
    here, packer = await street(), zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(80)) + packer.flush()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    head = b"Content-Encoding: gzip\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(bomb)
    answer = await here.ask(POST + head + bomb)
    assert answer.startswith(b"HTTP/1.1 415")
    assert b"not compressed" in answer
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000  # KiB


async def _flood(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"4000\r\n" + bytes(0x4000) + b"\r\n")
        await writer.drain()
        await asyncio.sleep(0.005)


@pytest.mark.parametrize("cookie", [FORM, b"Content-Type: application/x-www-form-urlencoded\r\n"])
async def test_a_body_without_end_is_refused_and_not_read_for_long(
    street: Callable[..., Awaitable[Street]], cookie: bytes
) -> None:
    here = await street()
    _, writer = await here.connect(POST.replace(FORM, cookie) + b"Transfer-Encoding: chunked\r\n\r\n")
    began = asyncio.get_running_loop().time()
    with pytest.raises(ConnectionError):
        await _flood(writer)
    assert asyncio.get_running_loop().time() - began < 4


@pytest.mark.parametrize(
    "request_line",
    [
        b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 9000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X-%d: a\r\n" % n for n in range(500)) + b"\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"POST /sign-in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03<script>\r\n\r\n",
    ],
)
async def test_what_is_no_request_learns_no_version_and_fills_no_log(
    street: Callable[..., Awaitable[Street]], request_line: bytes
) -> None:
    here = await street()
    with capture_logs() as log:
        answer = await here.ask(request_line)
    assert answer.split(b" ")[1] == b"400"
    assert b"\r\nServer: callwarden\r\n" in answer
    assert b"nosniff" in answer
    for told in (b"aiohttp", b"Python", b"<script>", b"aaaa"):
        assert told not in answer
    assert [line for line in log if line["log_level"] not in ("debug", "info")] == []


def test_a_quarter_of_the_files_is_left_to_pbx_store_and_webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit, expected in ((1024, 768), (16384, 12288), (resource.RLIM_INFINITY, 49152), (4, 16)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, limit=limit: (limit, limit))
        assert places() == expected
