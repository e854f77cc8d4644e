"""What agents were for how long, as a real Asterisk's queues had it: pauses made there, seen, missed and made up."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from tests.live.asterisk import Asterisk
from tests.live.daemon_house import House, daemon_inside
from tests.live.lab import Lab
from tests.whole.house import until

AGENT = "1001"
SLACK_S = 0.7


async def pause(lab: Lab, reason: str | None) -> float:
    """At the PBX itself; when it was done."""
    fields = {"Interface": f"PJSIP/{AGENT}", "Paused": "true" if reason else "false", "Reason": reason or ""}
    answer = await lab.action("QueuePause", **fields)
    assert answer["Response"] == "Success", answer
    return time.time()


async def told(house: House, since: float) -> dict[str, Any]:
    found = (await house.api.get(f"reports/agent-times?from={iso_utc(UnixMs(int(since * 1000)))}"))["rows"]
    mine: dict[str, Any] = next((one for one in found if one["user_id"] == AGENT), {})
    return mine


async def is_paused(house: House, since: float, reason: str, estimated: int = 0) -> None:
    async def so() -> bool:
        found = await told(house, since)
        return bool(found.get(f"pauses: {reason}")) and found["estimated"] == estimated

    await until(so, lambda: told(house, since))


async def test_pauses_at_the_pbx_are_told_by_reason_and_their_lengths_add_up(house: House, lab: Lab) -> None:
    await pause(lab, None)
    began = time.time()
    lunch = await pause(lab, "lunch")
    await asyncio.sleep(1.5)
    training = await pause(lab, "training")
    await asyncio.sleep(1.0)
    back = await pause(lab, None)
    await is_paused(house, began, "training")
    await asyncio.sleep(1.0)
    found, now = await told(house, began), time.time()
    assert abs(found["paused_seconds: lunch"] - (training - lunch)) < SLACK_S, found
    assert abs(found["paused_seconds: training"] - (back - training)) < SLACK_S, found
    assert abs(found["available_seconds"] - (now - back + lunch - began)) < SLACK_S, found
    assert found["not_known_seconds"] < SLACK_S
    assert found["estimated"] == 0


async def test_a_pause_goes_on_through_a_restart_and_one_that_ended_meanwhile_is_told_as_estimated(
    asterisk: Asterisk, tmp_path: Path, lab: Lab
) -> None:
    await pause(lab, None)
    began = time.time()
    lunch = await pause(lab, "lunch")
    async with daemon_inside(tmp_path, asterisk) as house:
        await is_paused(house, began, "lunch")
    await asyncio.sleep(2.0)
    async with daemon_inside(tmp_path, asterisk) as house:
        await is_paused(house, began, "lunch")
        found = await told(house, began)
        assert found["pauses: lunch"] == 1
        assert abs(found["paused_seconds"] - (time.time() - lunch)) < 1 + SLACK_S, found
    stopped = time.time()
    await pause(lab, None)
    await asyncio.sleep(2.0)
    async with daemon_inside(tmp_path, asterisk) as house:
        await is_paused(house, began, "lunch", estimated=1)
        found = await told(house, began)
        assert found["paused_seconds"] <= stopped - lunch + 1 + SLACK_S
        assert found["not_known_seconds"] >= 2.0 - SLACK_S
