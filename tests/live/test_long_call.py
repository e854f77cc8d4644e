"""A healthy call of five minutes, beside everything else: `make test` begins it first and waits for it last."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.live.asterisk import Asterisk
from tests.live.conftest import PhoneMaker, printed_stanza, running
from tests.live.daemon_house import DISCONNECT_SECONDS, HOOK_PATH, House, daemon_inside
from tests.live.phone import answer
from tests.live.trunk import Trunk

pytestmark = pytest.mark.slow

SECONDS = float(os.environ.get("CALLWARDEN_LONG_CALL_SECONDS", "300"))
LOOK_SECONDS = 5.0
HEAR_SECONDS = 20.0
"""The machine may be busy with all the other tests."""


@pytest.fixture(scope="module")
def asterisk() -> Iterator[Asterisk]:
    """One of its own: nothing that another test does reaches this call."""
    with contextlib.ExitStack() as stack:
        yield running(stack, lambda: Asterisk(agents=1, manager_stanza=printed_stanza))


@pytest_asyncio.fixture(loop_scope="session")
async def quiet_house(asterisk: Asterisk, tmp_path: Path) -> AsyncIterator[House]:
    async with daemon_inside(tmp_path, asterisk) as opened:
        yield opened


async def test_a_healthy_call_of_five_minutes_is_left_alone(
    quiet_house: House, phone: PhoneMaker, trunk: Trunk
) -> None:
    house = quiet_house
    settings = await house.api.get("call-settings")
    assert settings["disconnect_timeout_seconds"] == DISCONNECT_SECONDS, "the least that can be set"
    an = await phone("1001")
    await an.on_call(answer(0.1))
    customer = await trunk.call("1902", "0901234567")
    await customer.confirmed()
    agent, began = await an.next_call(), time.monotonic()

    while (left := began + SECONDS - time.monotonic()) > 0:
        await asyncio.sleep(min(left, LOOK_SECONDS))
        assert not customer.is_over, f"hung up after {time.monotonic() - began:.0f} s"
        assert not agent.is_over
    await customer.hears(True, HEAR_SECONDS)
    await agent.hears(True, HEAR_SECONDS)

    await customer.hangup()
    [call] = await house.quiet(1)
    assert (call["outcome"], call["ended_by"], call["hangup_reason"]) == ("answered", "customer", None)
    assert call["talk_seconds"] >= int(SECONDS)
    assert call["connection_lost_at"] is None
    told = [json.loads(request.body)["type"] for request in house.crm.got(HOOK_PATH)]
    assert "call.ended" in told
    assert "call.connection_lost" not in told, "not even for a moment"
