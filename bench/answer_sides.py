"""Who follows the PBX of the answer benchmark: the whole daemon, and the least program that could."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

from bench.answer_pbx import is_answer
from bench.stream import directory
from bench.wire import LOOPBACK
from daemon.ami.link import LinkState
from daemon.app import Daemon
from daemon.clock import now_ms
from daemon.config import Config, HttpConfig, Listen, PbxConfig, Secret, StoreConfig
from daemon.log import configure_logging
from daemon.store.agents import Agent, put_agent
from daemon.store.settings import change_settings
from daemon.store.store import Store

_MOST = 1 << 18


def blocking_sockets(pipe: Connection, pbx_port: int, crm_port: int, folder: Path, *, durable: bool) -> None:
    """The floor: read the event, send the GET. No ticket, no signature. `durable`: one bare row first."""
    store = sqlite3.connect(folder / "floor.db", isolation_level=None)
    for line in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE popups (call_id PRIMARY KEY)"):
        store.execute(line).fetchall()
    with socket.create_connection((LOOPBACK, pbx_port)) as pbx, socket.create_connection((LOOPBACK, crm_port)) as crm:
        crm.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pipe.send(None)
        rest = b""
        while data := pbx.recv(_MOST):
            *events, rest = (rest + data).split(b"\r\n\r\n")
            for event in filter(is_answer, events):
                call_id = event[event.index(b"\r\nLinkedid: ") + 12 :].split(b"\r", 1)[0]
                if durable:
                    store.execute("INSERT INTO popups VALUES (?)", (call_id,))  # commits by itself
                crm.sendall(b"GET /pop?callId=" + call_id + b" HTTP/1.1\r\nHost: crm\r\n\r\n")
                crm.recv(_MOST)


def daemon_side(pipe: Connection, pbx_port: int, crm_port: int, folder: Path, *, uvloop: bool) -> None:
    """The whole daemon on a real file; tells the popup secret, runs until the pipe closes."""
    configure_logging("error", "console")
    with asyncio.Runner(loop_factory=_loop_factory(uvloop=uvloop)) as runner:
        runner.run(_serve(pipe, pbx_port, f"http://{LOOPBACK}:{crm_port}/pop", folder / "callwarden.db"))


def tickets_in(folder: Path) -> int:
    with sqlite3.connect(folder / "callwarden.db") as store:
        return int(store.execute("SELECT count(*) FROM tickets").fetchone()[0])


async def _serve(pipe: Connection, pbx_port: int, popup_url: str, store: Path) -> None:
    url = f"sqlite:///{store}"
    await _prepare(url, popup_url)
    pbx = PbxConfig(name="bench", port=pbx_port, secret=Secret("bench"))
    config = Config(http=HttpConfig(listen=Listen(LOOPBACK, 0)), store=StoreConfig(url=url), pbx=(pbx,))
    async with Daemon(config) as daemon:
        while any(link.state is not LinkState.CONNECTED for link in daemon.links.values()):  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.02)
        secret = daemon.secrets.popup_secret()
        assert secret is not None
        pipe.send(secret.reveal())
        await asyncio.get_running_loop().run_in_executor(None, _wait_for_end, pipe)


def _wait_for_end(pipe: Connection) -> None:
    while True:
        try:
            pipe.recv()
        except EOFError:
            return


async def _prepare(url: str, popup_url: str) -> None:
    store = await Store.open(url)
    try:
        for endpoint, user_id in directory().endpoints.items():
            agent = Agent(user_id=user_id, name=user_id, endpoints=(endpoint,))
            await store.writer.change(lambda agent=agent: put_agent(agent))  # type: ignore[misc]
        await store.writer.change(lambda: change_settings({"popup_answer_url": popup_url}, "bench", now_ms()))
    finally:
        await store.close()


def _loop_factory(*, uvloop: bool) -> Callable[[], asyncio.AbstractEventLoop] | None:
    if not uvloop:
        return None
    from uvloop import new_event_loop

    return new_event_loop
