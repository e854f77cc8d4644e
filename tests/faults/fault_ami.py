"""The connection to the PBX: cut, half open, slow, disturbed by what the PBX never sent."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from pathlib import Path

from tests.faults.stage import Plan, Stage
from tests.faults.stream import Stream
from tests.faults.tally import Tally
from tests.faults.trial import Fault, under_calls

_PLAN = Plan(merge="incoming_per_queue_and_outgoing")
_SLOW_S, _PAUSE_S = 6.0, 0.01
_NOISE = (
    b"\r\n\r\n",
    b"Event: Hangup\r\nUniqueid: 1.1\r\n\r\n",
    b"Response: Success\r\nActionID: nobody-asked\r\n\r\n",
    b"\x00\xff\xfe\x80 not a header at all\r\n\r\n",
    b"Event: Newchannel\r\nChannel: PJSIP/1001-0000000",
    bytes(range(256)) * 8,
)


async def cut(folder: Path, seed: int, *, times: int, stream: Stream) -> Tally:
    return await under_calls(folder, seed, partial(_each, times, cut_once), plan=_PLAN, stream=stream)


async def half_open(folder: Path, seed: int, *, times: int, stream: Stream) -> Tally:
    return await under_calls(folder, seed, partial(_each, times, half_open_once), plan=_PLAN, stream=stream)


async def slow(folder: Path, seed: int, *, times: int) -> Tally:
    return await under_calls(folder, seed, partial(_each, times, slow_once), plan=_PLAN)


async def noise(folder: Path, seed: int, *, times: int) -> Tally:
    return await under_calls(folder, seed, partial(_each, times, disturb_once), plan=_PLAN)


async def _each(times: int, fault: Fault, stage: Stage, chance: random.Random) -> int:
    """Each comes when the daemon follows again, and a while after."""
    for _ in range(times):
        await fault(stage, chance)
        await stage.followed()
        await asyncio.sleep(chance.uniform(0.0, 3.0))
    return times


async def cut_once(stage: Stage, chance: random.Random) -> int:
    """Sometimes nobody answers for a while."""
    stage.proxy.refusing = chance.random() < 0.5
    stage.proxy.cut()
    await asyncio.sleep(chance.uniform(0.0, 2.0))
    stage.proxy.refusing = False
    return 1


async def half_open_once(stage: Stage, chance: random.Random) -> int:
    stage.proxy.stall()
    await asyncio.sleep(0.5)
    return 1


async def slow_once(stage: Stage, chance: random.Random) -> int:
    """A few hundred bytes at a time, for a while as fast as the calls come, or less."""
    stage.proxy.pause_s = _PAUSE_S * chance.uniform(0.5, 1.5)
    await asyncio.sleep(_SLOW_S)
    stage.proxy.pause_s = 0.0
    return 1


async def disturb_once(stage: Stage, chance: random.Random) -> int:
    stage.proxy.disturb(chance.choice(_NOISE))
    await asyncio.sleep(chance.uniform(0.2, 1.0))
    return 1
