"""kill -9 of the daemon at random moments."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from pathlib import Path

from tests.faults.stage import Plan, Stage
from tests.faults.stream import Stream
from tests.faults.tally import Tally
from tests.faults.trial import under_calls


async def trial(folder: Path, seed: int, *, kills: int, stream: Stream) -> Tally:
    """Many kills in one stream: each comes when the daemon has followed for a moment, and no pause is the same.

    The calls of the stream should be longer than a busy machine needs to start the daemon.
    """
    plan = Plan(merge="incoming_and_outgoing")
    return await under_calls(folder, seed, partial(killings, kills), plan=plan, stream=stream)


async def killings(kills: int, stage: Stage, chance: random.Random) -> int:
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.0, 2.5))
        await stage.kill()
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        await stage.start()
    return kills
