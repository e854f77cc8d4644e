"""The daemon beside the live Asterisk, its operator's CRM, and what both were seen to do. Knows no scenario."""

from __future__ import annotations

import json
import socket
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import aiohttp

from daemon.app import Daemon
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.store.role import Role
from daemon.store.tokens import add_token, new_token
from tests.delivery.receiver import Receiver, Request
from tests.live.asterisk import Asterisk
from tests.live.pbx_config import FIRST_AGENT, FIRST_LOAD_AGENT
from tests.live.phone import PhoneCall
from tests.whole.house import Api, DaemonProcess, api_client, command, until

Json = dict[str, Any]

EVENTS = (
    *("call.ringing", "call.answered", "call.ended", "call.missed", "call.connection_lost"),
    *("ticket.created", "ticket.merged"),
)
DISCONNECT_SECONDS = 5
"""The least that can be set, in force in every live test: none of their calls may be hung up by it."""
HOOK_PATH, POPUP_PATH = "/hook", "/pop"
SAME_MOMENT_MS = 50
ALERT_MS = 300


@dataclass(frozen=True, slots=True)
class Popup:
    """One GET of the popup URL as the CRM got it; `arrived` and `time_answer` are Unix milliseconds."""

    user_id: str
    hotline: str
    customer_number: str
    is_call_out: bool
    time_answer: int
    call_id: str
    arrived: int

    @classmethod
    def of(cls, request: Request) -> Popup:
        query = {name: values[0] for name, values in parse_qs(request.query, keep_blank_values=True).items()}
        return cls(
            query["userId"],
            query["hotline"],
            query["customerNumber"],
            {"true": True, "false": False}[query["isCallOut"]],
            int(query["timeAnswer"]),
            query["callId"],
            request.unix_ms,
        )


@dataclass
class SameMoments:
    """How far apart the daemon and the phones saw the same things, for the table at the end of the run."""

    within_ms: int
    seen: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def check(self, what: str, told_ms: float, phone_s: float) -> None:
        """Keep the difference; fail where it is more than the contract allows.

        A machine that does something else just now makes one late, and one in ten: never by ten times as much.
        """
        difference = told_ms - phone_s * 1000
        self.seen[what].append(difference)
        late = [one for one in self.seen[what] if abs(one) > self.within_ms]
        assert abs(difference) <= 10 * self.within_ms, (what, difference)
        assert len(late) <= 1 + len(self.seen[what]) // 10, (what, late)

    def table(self) -> Iterator[str]:
        """Empty where nothing was compared."""
        if self.seen:
            yield f"{'':34}{'count':>6}{'median ms':>11}{'furthest ms':>13}"
        for what, found in sorted(self.seen.items()):
            furthest = max(found, key=abs)
            yield f"{what:34}{len(found):>6}{statistics.median(found):>11.1f}{furthest:>13.1f}"


ANSWER_TIMES = SameMoments(SAME_MOMENT_MS)
ALERT_TIMES = SameMoments(ALERT_MS)


@dataclass
class House:
    """One installation with an empty store. `process` is there when the daemon runs by itself, to be killed."""

    pbx: Asterisk
    api: Api
    crm: Receiver
    port: int
    hook_secret: str
    popup_secret: str
    process: DaemonProcess | None = None

    def popups(self) -> list[Popup]:
        """All popups in the order of their answers, each signature checked."""
        found = self.crm.got(POPUP_PATH)
        for request in found:
            assert request.method == "GET"
            request.verify(self.popup_secret)
        return sorted(map(Popup.of, found), key=lambda popup: popup.time_answer)

    def events(self) -> list[Json]:
        """The bodies of all webhook posts, each signature checked."""
        found = self.crm.got(HOOK_PATH)
        for request in found:
            assert request.method == "POST"
            request.verify(self.hook_secret)
        return [json.loads(request.body) for request in found]

    def told(self, call_id: str) -> list[str]:
        """The event types integrators were told of this call."""
        return sorted(event["type"] for event in self.events() if call_of(event) == call_id)

    async def calls(self) -> list[Json]:
        """Every call but those between agents, oldest first."""
        found = [call for call in await self.api.every("calls") if call["direction"] != "internal"]
        return sorted(found, key=lambda call: (call["started_at"], call["call_id"]))

    async def tickets(self) -> list[Json]:
        return await self.api.every("tickets")

    async def living(self, count: int, state: str) -> list[Json]:
        """Wait until so many calls are in this state, and return them."""

        async def are_there() -> bool:
            return len(await self._in_state(state)) == count

        await until(are_there, self.api_calls)
        return await self._in_state(state)

    async def quiet(self, count: int, within: float = 20.0) -> list[Json]:
        """Wait until `count` calls are known, all are over and everything was sent; return them, oldest first."""

        async def is_quiet() -> bool:
            everything = await self.api.every("calls")
            if len(await self.calls()) < count or any(call["state"] != "ended" for call in everything):
                return False
            return await self._all_is_sent()

        await until(is_quiet, self.api_calls, within)
        return await self.calls()

    async def sent(self) -> None:
        """Wait until every delivery so far is done with."""
        await until(self._all_is_sent, lambda: self.api.get("deliveries?status=pending"))

    async def popped(self, count: int) -> list[Popup]:
        """Wait for so many popups."""
        await self.crm.wait_for(count, POPUP_PATH, 10.0)
        return self.popups()

    async def api_calls(self) -> list[Json]:
        return await self.api.every("calls")

    async def readiness(self) -> tuple[int, Json]:
        """Status and body of `/readyz`."""
        address = f"http://127.0.0.1:{self.port}/readyz"
        async with aiohttp.ClientSession() as session, session.get(address) as response:
            return response.status, await response.json()

    async def is_ready(self) -> bool:
        return (await self.readiness())[0] == 200

    async def _all_is_sent(self) -> bool:
        return not (await self.api.get("deliveries?status=pending"))["items"]

    async def _in_state(self, state: str) -> list[Json]:
        return [call for call in await self.calls() if call["state"] == state]


@asynccontextmanager
async def daemon_inside(
    folder: Path, pbx: Asterisk, secret: str | None = None, wrap_up_seconds: int = 0
) -> AsyncIterator[House]:
    """The daemon in this process; `secret` other than the right one for the manager is refused by the PBX."""
    config, token = folder / "callwarden.toml", new_token()
    config.write_text(config_text(folder, pbx, 0, secret or pbx.secret, wrap_up_seconds))
    async with Receiver() as crm, Daemon(load_config(config)) as daemon:
        await daemon.store.writer.change(lambda: add_token(token, Role.ADMIN, "live", now_ms()))
        async with api_client(daemon.web.port, token) as api:
            house = await _furnished(pbx, api, crm, daemon.web.port)
            if secret is None:
                await until(house.is_ready, house.readiness)
            yield house


@asynccontextmanager
async def daemon_beside(folder: Path, pbx: Asterisk, more: str = "") -> AsyncIterator[House]:
    """The daemon as `callwarden serve`, a process of its own; `more` lines about the PBX."""
    config, port = folder / "callwarden.toml", _free_port()
    config.write_text(config_text(folder, pbx, port, pbx.secret) + more)
    token = await command("token", "create", "--role", "admin", "--config", config)
    process = DaemonProcess(config, port)
    await process.start()
    try:
        await process.ready()
        async with Receiver() as crm, api_client(port, token) as api:
            house = await _furnished(pbx, api, crm, port)
            house.process = process
            yield house
    finally:
        assert await process.stop() == 0


def config_text(folder: Path, pbx: Asterisk, http_port: int, secret: str, wrap_up_seconds: int = 0) -> str:
    return f"""
[http]
listen = "127.0.0.1:{http_port}"
phone_url = "http://{pbx.host}:8088"
[store]
url = "sqlite:///{folder / "callwarden.db"}"
[log]
level = "warning"
[[pbx]]
name = "main"
host = "{pbx.host}"
port = {pbx.ami_port}
username = "{pbx.user}"
secret = "{secret}"
originate_context = "from-desk"
wrap_up_seconds = {wrap_up_seconds}
"""


def call_of(event: Json) -> str:
    """The call an event is about; an event of a ticket is about the call that came last."""
    data = event["data"]
    return str(data["call_id"] if "call_id" in data else data["call_ids"][-1])


def unix_ms(iso: str) -> int:
    return round(datetime.fromisoformat(iso).timestamp() * 1000)


def phone_time(call: PhoneCall) -> float:
    assert call.confirmed_at is not None
    return call.confirmed_at


def midday_zone() -> str:
    """A time zone in which it is about noon, so that no run meets midnight. Etc/GMT-7 is seven hours *ahead*."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}"


async def load_desks(house: House, users: Iterable[int]) -> None:
    """Make the agents behind SIPp known too."""
    for user in users:
        await house.api.put(f"agents/{user}", {"name": f"Agent {user}", "endpoints": [f"PJSIP/{user}"]})


def load_users(pbx: Asterisk) -> range:
    return range(FIRST_LOAD_AGENT, FIRST_LOAD_AGENT + pbx.load_agents)


async def _furnished(pbx: Asterisk, api: Api, crm: Receiver, port: int) -> House:
    for user in range(FIRST_AGENT, FIRST_AGENT + pbx.agents):
        await api.put(f"agents/{user}", {"name": f"Agent {user}", "endpoints": [f"PJSIP/{user}"]})
    mobile = {"name": "Agent 1001", "endpoints": ["PJSIP/1001"], "personal_number": "+84" + pbx.mobile[1:]}
    await api.put("agents/1001", mobile)
    await api.put(
        "call-settings",
        {
            "popup_answer_url": crm.url + POPUP_PATH,
            "time_zone": midday_zone(),
            "disconnect_timeout_seconds": DISCONNECT_SECONDS,
        },
    )
    hook = await api.post("webhooks", {"url": crm.url + HOOK_PATH, "events": list(EVENTS)})
    popup = await api.post("call-settings/rotate-popup-secret")
    return House(pbx, api, crm, port, hook["secret"], popup["secret"])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
