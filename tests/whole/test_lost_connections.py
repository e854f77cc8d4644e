"""The whole daemon when a switch dies: a thousand calls lost at once are hung up within seconds, by few questions."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import time_machine

from daemon.ami.simulator import SimulatedPbx
from daemon.app import Daemon
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.store.role import Role
from daemon.store.tokens import add_token, new_token
from tests.whole.house import Api, api_client, config_text, simulated_pbx, until

N = 5
CALLS = 1_000


@contextlib.asynccontextmanager
async def house(folder: Path, pbx: SimulatedPbx) -> AsyncIterator[Api]:
    config, token = folder / "callwarden.toml", new_token()
    config.write_text(config_text(folder, pbx))
    async with Daemon(load_config(config)) as daemon:
        await daemon.store.writer.change(lambda: add_token(token, Role.ADMIN, "test", now_ms()))
        async with api_client(daemon.web.port, token) as api:
            await api.put("agents/1001", {"name": "An", "endpoints": ["PJSIP/1001"]})
            await api.patch("call-settings", {"disconnect_timeout_seconds": N, "auto_create_tickets": False})
            yield api


@contextlib.asynccontextmanager
async def reporting(pbx: SimulatedPbx) -> AsyncIterator[None]:
    """As a real PBX does, only a little faster."""

    async def report() -> None:
        while True:
            pbx.report()
            await asyncio.sleep(2.5)

    task = asyncio.create_task(report())
    yield
    task.cancel()


async def talk(pbx: SimulatedPbx, api: Api, calls: int) -> list[str]:
    """So many calls that go on; returned are the customers' channels."""
    for _ in range(calls):
        pbx.begin("direct_answered", speed=1_000.0, stays=True)
        await asyncio.sleep(0)

    async def all_talk() -> bool:
        return len(pbx.channels.talking()) == 2 * calls

    await until(all_talk)
    return [row["Uniqueid"] for row in pbx.channels.talking() if row["Uniqueid"] == row["Linkedid"]]


def asked(pbx: SimulatedPbx) -> Counter[str]:
    """Of channels: what is asked of the dialplan has nothing to do with it."""
    return Counter(action["Action"] for action in pbx.actions if "Channel" in action)


async def ended(api: Api) -> list[dict[str, Any]]:
    return [call for call in await api.every("calls") if call["state"] == "ended"]


async def test_a_thousand_calls_lost_at_once_are_hung_up_within_seconds_without_a_flood(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx, house(tmp_path, pbx) as api:
        customers = await talk(pbx, api, CALLS)
        async with reporting(pbx):
            await asyncio.sleep(6)
            assert asked(pbx)["Getvar"] == 0, "nobody asks about healthy calls"
            for channel in customers:
                pbx.media.lose(channel)
            lost = time.monotonic()
            while pbx.channels.talking() and time.monotonic() - lost < 40:
                before = asked(pbx)
                await asyncio.sleep(1)
                assert asked(pbx)["Getvar"] - before["Getvar"] <= 1_600
                assert asked(pbx)["Hangup"] - before["Hangup"] <= 300
        assert time.monotonic() - lost < 35
        assert asked(pbx)["Hangup"] == CALLS
        assert {action["Cause"] for action in pbx.actions if action["Action"] == "Hangup"} == {"38"}

        async def all_told() -> bool:
            return len(await ended(api)) == CALLS

        await until(all_told)
        assert {call["hangup_reason"] for call in await ended(api)} == {"connection_lost"}


async def test_a_clock_that_is_set_an_hour_forward_and_back_cuts_nobody_and_delays_nothing(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx, house(tmp_path, pbx) as api:
        [alive, dead] = await talk(pbx, api, 2)

        async def one_ended() -> bool:
            return len(pbx.channels.talking()) == 2

        async with reporting(pbx):
            await asyncio.sleep(5.5)
            pbx.media.lose(dead)
            lost = time.monotonic()
            with time_machine.travel(time.time() + 3_600, tick=True):
                await asyncio.sleep(4)
                assert not await one_ended()
            await until(one_ended)
            assert N <= time.monotonic() - lost <= N + 12
        assert [row["Linkedid"] for row in pbx.channels.talking()] == [alive, alive]
