"""One trial: a stream of calls, a fault in it, and the count when all has come to rest."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.faults.stage import Plan, Stage, stage
from tests.faults.stream import Stream, calls
from tests.faults.tally import Tally

Fault = Callable[[Stage, random.Random], Awaitable[int]]
"""Does its harm once or more; returns how often."""
Trial = Callable[[Path, int], Awaitable[Tally]]
"""Given an empty folder and a seed."""

_BEFORE_S, _AFTER_S = 1.0, 2.0


async def under_calls(
    folder: Path,
    seed: int,
    fault: Fault,
    *,
    plan: Plan | None = None,
    stream: Stream | None = None,
    rest_s: float = 60.0,
) -> Tally:
    """Let the fault happen while calls come and go."""
    chance = random.Random(seed)
    async with stage(folder, plan or Plan()) as here:
        async with calls(here, stream or Stream(), chance):
            await asyncio.sleep(_BEFORE_S)
            runs = await fault(here, chance)
            await asyncio.sleep(_AFTER_S)
        await here.settled(rest_s)
        tally = here.tally()
    tally.runs, tally.seeds = runs, [seed]
    return tally
