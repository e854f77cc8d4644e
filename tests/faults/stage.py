"""A whole installation to do harm to, on loopback: simulated PBX, a wire to it, the daemon as a process, a CRM."""

from __future__ import annotations

import asyncio
import socket
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from daemon.ami.scenario import Event
from daemon.ami.simulator import SimulatedPbx
from daemon.clock import now_ms
from daemon.store.agents import Agent, put_agent
from daemon.store.role import Role
from daemon.store.store import Store
from daemon.store.tokens import add_token, new_token
from tests.delivery.receiver import Receiver
from tests.faults.observed import observe, unread, waiting
from tests.faults.oracle import Expecting, judge
from tests.faults.proxy import AmiProxy
from tests.faults.tally import Tally
from tests.faults.truth import Heard, Played
from tests.faults.written import CdrWriter
from tests.whole.house import Api, DaemonProcess, api_client, config_text, until

AGENTS = 24
EVENTS = (
    *("call.ringing", "call.answered", "call.ended", "call.missed"),
    *("ticket.created", "ticket.merged"),
)
HOOK, POPUP = "/hook", "/pop"


class WatchedPbx(SimulatedPbx):
    """Notes when who talked, which the recordings it plays do not say. `clock_off_s`: so much its clock is off.

    `records` is its `Master.csv`; None: it keeps none.
    """

    def __init__(self, records: Path | None = None) -> None:
        super().__init__()
        self.clock_off_s = 0.0
        self._records = CdrWriter(records) if records is not None else None
        self.bridged: dict[str, list[float]] = defaultdict(list)
        self.parted: dict[str, list[float]] = defaultdict(list)

    def emit(self, event: Event) -> None:
        headers = dict(event)
        if headers["Event"] == "BridgeEnter" and headers.get("BridgeNumChannels") == "2":
            self.bridged[headers["Linkedid"]].append(time.time())
        elif headers["Event"] == "BridgeLeave":
            self.parted[headers["Linkedid"]].append(time.time())
        if self._records is not None:
            self._records.note(headers)
        super().emit(self._stamped(event) if self.clock_off_s else event)

    def hang_up(self, call_id: str) -> None:
        self._end(call_id, "16")

    def _stamped(self, event: Event) -> Event:
        off = self.clock_off_s
        return tuple((n, f"{float(v) + off:.6f}" if n == "Timestamp" else v) for n, v in event)


@dataclass(frozen=True, slots=True)
class Plan:
    """How an installation is made. `targets` are webhooks besides the one that works, by path or whole address."""

    merge: str = "none"
    hook: bool = True
    targets: Sequence[str] = ()
    launcher: Sequence[str] = ("-m", "daemon")
    popup_url: str | None = None
    store_folder: Path | None = None
    popup_delivery: str = "desk_and_webhook"
    records: bool = False
    """The PBX keeps a CDR, and the daemon reads it."""
    furnish: Callable[[Store], Awaitable[None]] | None = None
    """Puts more into the store before the daemon starts."""


@dataclass
class Stage:
    pbx: WatchedPbx
    proxy: AmiProxy
    crm: Receiver
    process: DaemonProcess
    api: Api
    port: int
    store: Path
    plan: Plan
    webhooks: dict[str, str] = field(default_factory=dict)
    """The id of each webhook by its path."""
    played: list[Played] = field(default_factory=list)
    elsewhere: list[Receiver] = field(default_factory=list)
    """Further receivers whose requests count."""

    async def followed(self) -> None:
        """Wait until the daemon has been told of everything by a wire that is whole."""

        async def is_listed() -> bool:
            return any(wire.listed is not None for wire in self.proxy.living)

        await until(is_listed, deadline_s=60.0)

    async def kill(self) -> None:
        """As the system kills who takes too much memory. What the wire brought until now is what it can know."""
        for wire in self.proxy.living:
            wire.until = time.time()
        await self.process.kill()

    async def start(self) -> None:
        await self.process.start()
        await self.process.ready()

    async def settled(self, within_s: float = 60.0) -> None:
        """Wait until no call lives, nothing is to be sent any more, and no record is to be read."""

        async def nothing_left() -> bool:
            await asyncio.sleep(0.3)
            return waiting(self.store) == (0, 0) and not unread(self.store)

        async def left() -> object:
            return waiting(self.store)

        await until(nothing_left, left, within_s)

    def tally(self, heard: Heard | None = None, hooks: Sequence[str] = (HOOK,), popups: str | None = POPUP) -> Tally:
        """Judge everything that was played."""
        requests = [request for crm in (self.crm, *self.elsewhere) for request in crm.requests]
        heard = heard or Heard(self.proxy.spans)
        expecting = Expecting(self.plan.merge, hooks, popups, heard, self.plan.records)
        return judge(self.played, observe(self.store, requests), expecting)


@asynccontextmanager
async def stage(folder: Path, plan: Plan) -> AsyncIterator[Stage]:
    """Furnished and connected."""
    async with AsyncExitStack() as stack:
        records = folder / "Master.csv" if plan.records else None
        pbx = WatchedPbx(records)
        await pbx.start()
        stack.push_async_callback(pbx.close)
        proxy = AmiProxy(pbx.port)
        await proxy.start()
        stack.push_async_callback(proxy.close)
        crm = await stack.enter_async_context(Receiver())
        config, port, store_folder = folder / "callwarden.toml", _free_port(), plan.store_folder or folder
        text = config_text(store_folder, pbx, port)
        if records is not None:
            text += f'cdr = "{records}"\ncdr_time_zone = "UTC"\n'
        config.write_text(text.replace(f"\nport = {pbx.port}\n", f"\nport = {proxy.port}\n"))
        token = await _prepare(f"sqlite:///{store_folder / 'callwarden.db'}", plan)
        process = DaemonProcess(config, port, plan.launcher)
        await process.start()
        stack.push_async_callback(process.stop)
        await process.ready()
        api = await stack.enter_async_context(api_client(port, token))
        made = Stage(pbx, proxy, crm, process, api, port, store_folder / "callwarden.db", plan)
        await _furnish(made)
        yield made


async def _prepare(url: str, plan: Plan) -> str:
    """Agents and a token, without another process; returns the token."""
    token, store = new_token(), await Store.open(url)
    try:
        for number in range(AGENTS):
            agent = Agent(user_id=f"a{number}", name=f"A{number}", endpoints=(f"PJSIP/{phone(number)}",))
            await store.writer.change(partial(put_agent, agent))
        await store.writer.change(lambda: add_token(token, Role.ADMIN, "trial", now_ms()))
        if plan.furnish is not None:
            await plan.furnish(store)
    finally:
        await store.close()
    return token


async def _furnish(made: Stage) -> None:
    await made.api.put(
        "call-settings",
        {
            "popup_answer_url": made.plan.popup_url or made.crm.url + POPUP,
            "popup_answer_delivery": made.plan.popup_delivery,
            "missed_call_merge": made.plan.merge,
            "time_zone": midday_zone(),
        },
    )
    for path in (*((HOOK,) if made.plan.hook else ()), *made.plan.targets):
        url = path if path.startswith("http") else made.crm.url + path
        made.webhooks[path] = (await made.api.post("webhooks", {"url": url, "events": list(EVENTS)}))["webhook_id"]


def phone(number: int) -> str:
    return str(3000 + number)


def midday_zone() -> str:
    """Where it is about noon, so that no run meets midnight. Etc/GMT-7 is seven hours *ahead*."""
    return f"Etc/GMT{datetime.now(UTC).hour - 12:+d}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
