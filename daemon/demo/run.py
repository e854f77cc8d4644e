"""Runs the demo: simulated PBX -> AMI over a real socket -> the real daemon -> signed popups -> a little CRM."""

from __future__ import annotations

import asyncio
import random
import secrets
import socket
import tempfile
from contextlib import AsyncExitStack, suppress
from pathlib import Path

from rich.console import Console
from standardwebhooks import Webhook

from daemon.ami.simulator import SimulatedPbx
from daemon.app import Daemon
from daemon.bus import Topic
from daemon.clock import now_ms
from daemon.config import Config, HttpConfig, Listen, PbxConfig, Secret, StoreConfig
from daemon.demo.crm import Crm
from daemon.demo.screen import Screen
from daemon.log import configure_logging
from daemon.store.accounts import Account, add_account
from daemon.store.agents import Agent, put_agent
from daemon.store.password import hash_password
from daemon.store.role import Role
from daemon.store.settings import change_settings
from daemon.store.store import Store
from daemon.store.tokens import add_token, new_token

_AGENTS = {"an": ("Nguyễn Văn An", "PJSIP/1001"), "binh": ("Trần Thị Bình", "PJSIP/1002")}
_CUSTOMERS = ("0901234561", "0901234562", "0912345673", "+84983456784", "02838123455")
_SPEED = 2.0
_CALLS_AT_ONCE = 3
_MISSED_FIRST = ("queue_abandoned", "queue_answered", "queue_abandoned", "blind_transfer", "outgoing_answered")


async def run_demo(port: int, seconds: float) -> None:
    """Play calls until cancelled, or for `seconds` (0: no end), then say what came of them."""
    configure_logging("error", "console")
    async with AsyncExitStack() as parts:
        folder = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="callwarden-demo-")))
        store_url = f"sqlite:///{folder / 'demo.db'}"
        pbx = SimulatedPbx()
        pbx_port = await pbx.start()
        parts.push_async_callback(pbx.close)
        screen = Screen(Console())
        crm = Crm(screen.popped)
        crm_port = await crm.start()
        parts.push_async_callback(crm.stop)
        password = secrets.token_urlsafe(9)
        token = await _prepare(store_url, f"http://127.0.0.1:{crm_port}/customer", password)
        daemon = await parts.enter_async_context(Daemon(_config(store_url, pbx, pbx_port, _free(port))))
        secret = daemon.secrets.popup_secret()
        crm.verifier = Webhook(secret.reveal()) if secret else None
        daemon.bus.subscribe(Topic.COMMITTED, screen.happened)
        screen.links = _links(daemon.web.port, crm_port, token, password)
        await _play(daemon, pbx, screen, seconds)


async def _play(daemon: Daemon, pbx: SimulatedPbx, screen: Screen, seconds: float) -> None:
    screen.open()
    playing = asyncio.create_task(_calls(pbx))
    running = asyncio.create_task(daemon.run())
    try:
        done, _ = await asyncio.wait((playing, running), timeout=seconds or None, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (playing, running):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        screen.close()


async def _calls(pbx: SimulatedPbx) -> None:
    """A few calls at a time, for ever; the first ones show a merge, a transfer and an outgoing call."""
    chance = random.Random(1)  # noqa: S311 - which call comes next is no secret
    first = iter(_MISSED_FIRST)
    running: set[asyncio.Task[object]] = set()
    while True:
        scenario = next(first, None) or chance.choice(pbx.scenarios)
        merging = scenario == "queue_abandoned" and len(running) < _CALLS_AT_ONCE
        customer = _CUSTOMERS[0] if merging else chance.choice(_CUSTOMERS)
        running.add(asyncio.create_task(pbx.play(scenario, customer=customer, speed=_SPEED)))
        await asyncio.sleep(chance.uniform(0.4, 1.2))
        if len(running) >= _CALLS_AT_ONCE:
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)


async def _prepare(store_url: str, popup_url: str, password: str) -> str:
    """Two agents, the popup URL, an account and a token, as an admin would have set them."""
    token, kept = new_token(), await asyncio.to_thread(hash_password, password)
    account = Account(name="demo", role=Role.ADMIN, user_id=None, language="en", created_at=now_ms())
    store = await Store.open(store_url)
    try:
        for user_id, (name, endpoint) in _AGENTS.items():
            agent = Agent(user_id=user_id, name=name, endpoints=(endpoint,))
            await store.writer.change(lambda agent=agent: put_agent(agent))  # type: ignore[misc]
        await store.writer.change(lambda: change_settings({"popup_answer_url": popup_url}, "demo", now_ms()))
        await store.writer.change(lambda: add_account(account, kept))
        await store.writer.change(lambda: add_token(token, Role.ADMIN, "demo", now_ms()))
    finally:
        await store.close()
    return token


def _config(store_url: str, pbx: SimulatedPbx, pbx_port: int, port: int) -> Config:
    return Config(
        http=HttpConfig(listen=Listen("127.0.0.1", port)),
        store=StoreConfig(url=store_url),
        pbx=(PbxConfig(name="demo", port=pbx_port, username=pbx.username, secret=Secret(pbx.secret)),),
    )


def _free(port: int) -> int:
    """The port asked for, or any free one: the demo should start beside whatever runs already."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def _links(port: int, crm_port: int, token: str, password: str) -> tuple[str, ...]:
    here = f"http://127.0.0.1:{port}"
    return (
        f"Settings:  {here}/ (account: demo, password: {password})",
        f"CRM page:  http://127.0.0.1:{crm_port}/",
        f"API:       curl -H 'Authorization: Bearer {token}' {here}/api/v1/tickets",
        "Everything is simulated and forgotten at the end (Ctrl-C).",
    )
