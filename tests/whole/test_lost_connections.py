"""The whole daemon when a switch dies: a thousand calls lost at once are hung up within seconds, by few questions."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from daemon.ami.simulator import SimulatedPbx
from daemon.app import Daemon, now_ms
from daemon.config import load_config
from daemon.store.tokens import Role, add_token, new_token
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
    return Counter(action["Action"] for action in pbx.actions)


async def ended(api: Api, state: str = "ended") -> list[dict[str, Any]]:
    return [call for call in await api.every("calls") if call["state"] == state]


async def test_a_thousand_calls_lost_at_once_are_hung_up_within_seconds_without_a_flood(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx, house(tmp_path, pbx) as api:
        customers = await talk(pbx, api, CALLS)
        async with reporting(pbx):
            await asyncio.sleep(6)
            assert asked(pbx)["Getvar"] == 0, "nobody asks about healthy calls"
            for channel in customers:
                pbx.media.lose(channel)
            lost = time.monotonic()
            while pbx.channels.talking() and time.monotonic() - lost < 30:
                before = asked(pbx)
                await asyncio.sleep(1)
                assert asked(pbx)["Getvar"] - before["Getvar"] <= 1_600
                assert asked(pbx)["Hangup"] - before["Hangup"] <= 300
        assert time.monotonic() - lost < 25
        assert asked(pbx)["Hangup"] == CALLS
        assert {action["Cause"] for action in pbx.actions if action["Action"] == "Hangup"} == {"38"}

        async def all_told() -> bool:
            return len(await ended(api)) == CALLS

        await until(all_told)
        assert {call["hangup_reason"] for call in await ended(api)} == {"connection_lost"}


async def test_a_loss_that_the_daemon_did_not_live_through_is_hung_up_by_the_next_one_once(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx, reporting(pbx):
        async with house(tmp_path, pbx) as api:
            customers = await talk(pbx, api, 3)
            await asyncio.sleep(6)
            await api.patch("call-settings", {"disconnect_timeout_seconds": 3600})
            for channel in customers[:2]:
                pbx.media.lose(channel)

            async def two_are_lost() -> bool:
                return len([c for c in await api.every("calls") if c["connection_lost_at"] is not None]) == 2

            await until(two_are_lost)
        pbx.media.restore(customers[1])  # while nobody looks
        async with house(tmp_path, pbx) as api:
            began = time.monotonic()

            async def one_has_ended() -> bool:
                return len(await ended(api)) == 1

            await until(one_has_ended)
            assert time.monotonic() - began >= 7, "it must be seen anew"
            assert [call["call_id"] for call in await ended(api)] == [customers[0]]
            assert {call["connection_lost_at"] for call in await ended(api, "answered")} == {None}
    assert asked(pbx)["Hangup"] == 1


@pytest.mark.parametrize("seconds", [0])
async def test_with_the_setting_off_nothing_is_asked_and_nothing_hung_up(tmp_path: Path, seconds: int) -> None:
    async with simulated_pbx() as pbx, house(tmp_path, pbx) as api, reporting(pbx):
        await api.patch("call-settings", {"disconnect_timeout_seconds": seconds})
        [customer] = await talk(pbx, api, 1)
        await asyncio.sleep(3)
        pbx.media.lose(customer)
        await asyncio.sleep(8)
        assert asked(pbx).keys() & {"Getvar", "Hangup"} == set()
