"""The daemon is away while the PBX goes on and keeps its CDR: afterwards nothing may be missing."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from pathlib import Path

from tests.faults.fault_kill import killings
from tests.faults.stage import Plan, Stage
from tests.faults.stream import Stream
from tests.faults.tally import Tally
from tests.faults.trial import under_calls

_PLAN = Plan(merge="incoming_per_queue_and_outgoing", records=True)
_REST_S = 120.0


async def trial(folder: Path, seed: int, *, seconds: float, stream: Stream) -> Tally:
    """Calls are on the line when it goes and when it comes; hundreds come and go in between."""
    return await under_calls(folder, seed, partial(_away, seconds), plan=_PLAN, stream=stream, rest_s=_REST_S)


async def kills(folder: Path, seed: int, *, kills: int, stream: Stream) -> Tally:
    """kill -9 at random moments, also of the catching up itself."""
    return await under_calls(folder, seed, partial(killings, kills), plan=_PLAN, stream=stream, rest_s=_REST_S)


async def both(folder: Path, seed: int, *, seconds: float, kills: int) -> Tally:
    """The short form: one after the other in one stream."""

    async def fault(stage: Stage, chance: random.Random) -> int:
        await _away(seconds, stage, chance)
        return 1 + await killings(kills, stage, chance)

    stream = Stream(per_second=2.0, faster=0.8)
    return await under_calls(folder, seed, fault, plan=_PLAN, stream=stream, rest_s=_REST_S)


async def _away(seconds: float, stage: Stage, chance: random.Random) -> int:
    await stage.kill()
    await asyncio.sleep(seconds)
    await stage.start()
    return 1
