"""kill -9 at any moment under a stream of calls: nothing promised is lost, nothing is done twice."""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from daemon.ami.scenario import Truth
from daemon.ami.simulator import SimulatedPbx
from tests.delivery.receiver import Receiver
from tests.whole.house import Api, DaemonProcess, api_client, command, config_text, simulated_pbx, until

KILLS = 4
AT_ONCE = 25
SPEED = 5.0
_LISTED_S = 3.0  # from an API that answers to a PBX that has told its channels, on a busy machine
_MARGIN_S = 2.0  # a busy machine's disk may take as long to say that a line is safe


@dataclass
class Played:
    truth: Truth
    began: float
    ended: float


@dataclass
class Crash:
    """The installation and what really happened while the daemon lived and died."""

    process: DaemonProcess
    pbx: SimulatedPbx
    crm: Receiver
    api: Api
    played: list[Played] = field(default_factory=list)
    up: list[tuple[float, float]] = field(default_factory=list)  # spans in which the daemon surely followed
    told: set[str] = field(default_factory=set)  # calls that the API had told of before a crash


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[Crash]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    config = folder / "callwarden.toml"
    async with simulated_pbx() as pbx, Receiver() as crm:
        config.write_text(config_text(folder, pbx, port))
        token = await command("token", "create", "--role", "admin", "--config", config)
        process = DaemonProcess(config, port)
        await process.start()
        await process.ready()
        try:
            async with api_client(port, token) as api:
                await api.put("agents/an", {"name": "An", "endpoints": ["PJSIP/1001"]})
                await api.put("agents/binh", {"name": "Bình", "endpoints": ["PJSIP/1002"]})
                await api.put("call-settings", {"popup_answer_url": crm.url + "/pop", "missed_call_merge": "none"})
                yield Crash(process, pbx, crm, api)
        finally:
            assert await process.stop() == 0


async def calls_until(crash: Crash, stop: asyncio.Event, chance: random.Random) -> None:
    """Keep many calls going; those begun are played to their end."""
    running: set[asyncio.Task[None]] = set()
    while not stop.is_set():
        running.add(asyncio.create_task(play(crash, chance.choice(crash.pbx.scenarios))))
        if len(running) >= AT_ONCE:
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.sleep(chance.uniform(0.0, 0.08))
    await asyncio.gather(*running)


async def play(crash: Crash, scenario: str) -> None:
    began = time.time()
    truth = await crash.pbx.play(scenario, speed=SPEED)
    crash.played.append(Played(truth, began, time.time()))


async def killings(crash: Crash, chance: random.Random) -> None:
    since = time.time()
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.5, 2.5))
        crash.told |= {call["call_id"] for call in (await crash.api.get("calls?limit=100"))["items"]}
        crash.up.append((since, time.time()))
        await crash.process.kill()
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        await crash.process.start()
        await crash.process.ready()
        since = time.time()
    await asyncio.sleep(1.0)
    crash.up.append((since, time.time() + 3600))


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_any_number_of_crashes_every_call_has_its_ticket_once_and_every_popup_is_accounted_for(
    tmp_path: Path, seed: int
) -> None:
    chance, stop = random.Random(seed), asyncio.Event()
    async with installation(tmp_path) as crash:
        calling = asyncio.create_task(calls_until(crash, stop, chance))
        await killings(crash, chance)
        stop.set()
        await calling
        await until(lambda: settled(crash.api), lambda: unsettled(crash.api))
        calls = {call["call_id"]: call for call in await crash.api.every("calls")}
        tickets = await crash.api.every("tickets")
        deliveries = await crash.api.every("deliveries")
    check_tickets(calls, tickets)
    check_truth(crash, calls)
    check_popups(crash, calls, deliveries)


async def unsettled(api: Api) -> list[dict[str, Any]]:
    """The calls that live and the deliveries that wait."""
    living = [call for call in await api.every("calls") if call["state"] != "ended"]
    pending: list[dict[str, Any]] = (await api.get("deliveries?status=pending"))["items"]
    return living + pending


async def settled(api: Api) -> bool:
    return not await unsettled(api)


def check_tickets(calls: dict[str, Any], tickets: list[dict[str, Any]]) -> None:
    """Merging is off: one ticket for each call that has an outcome, none for others, none twice."""
    in_tickets = Counter(call_id for ticket in tickets for call_id in ticket["call_ids"])
    assert [call_id for call_id, count in in_tickets.items() if count > 1] == []
    wanted = {c["call_id"] for c in calls.values() if c["direction"] != "internal" and c["outcome"] is not None}
    assert set(in_tickets) == wanted
    assert all(len(ticket["call_ids"]) == 1 for ticket in tickets)


def check_truth(crash: Crash, calls: dict[str, Any]) -> None:
    """A call the daemon could see from end to end is known as it was; one cut by a crash at least is known."""
    assert crash.told <= set(calls)
    assert {call["state"] for call in calls.values()} == {"ended"}
    whole = 0
    for played in crash.played:
        known = calls.get(played.truth.call_id)
        if any(start < played.began and played.ended + _MARGIN_S < stop for start, stop in crash.up):
            whole += 1
            assert known is not None
            assert (known["direction"], known["outcome"]) == (played.truth.direction, played.truth.outcome)
        elif any(played.began < start < min(played.ended, stop) - _LISTED_S for start, stop in crash.up):
            assert known is not None, played  # it was on the line when the daemon came back
    assert whole >= 5


def check_popups(crash: Crash, calls: dict[str, Any], deliveries: list[dict[str, Any]]) -> None:
    popups = [delivery for delivery in deliveries if delivery["event_type"] == "popup"]
    assert {popup["status"] for popup in popups} <= {"delivered", "expired"}
    keys = Counter((popup["call_id"], popup["user_id"]) for popup in popups)
    assert [key for key, count in keys.items() if count > 1] == []
    answered = [call for call in calls.values() if call["direction"] != "internal" and call["answered_at"]]
    assert set(keys) == {(call["call_id"], user) for call in answered for user in call["user_ids"]}
    arrived: dict[tuple[str, str], set[str]] = {}
    for request in crash.crm.requests:
        query = {name: values[0] for name, values in parse_qs(request.query).items()}
        arrived.setdefault((query["callId"], query["userId"]), set()).add(request.webhook_id)
    assert all(len(ids) == 1 for ids in arrived.values())  # sent again after a crash it is the same message
    assert {(p["call_id"], p["user_id"]) for p in popups if p["status"] == "delivered"} <= set(arrived)
