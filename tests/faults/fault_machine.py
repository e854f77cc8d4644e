"""What the machine gives goes wrong: no name can be looked up, the clock is stepped."""

from __future__ import annotations

import asyncio
import random
from functools import partial
from pathlib import Path

from tests.delivery.receiver import Receiver
from tests.faults.child import NAME, Knobs, launcher
from tests.faults.stage import HOOK, POPUP, Plan, Stage, stage
from tests.faults.stream import Stream, calls
from tests.faults.tally import Tally
from tests.faults.trial import under_calls

HOUR_S = 3600.0


async def no_names(folder: Path, seed: int, *, seconds: float) -> Tally:
    """The popup and a webhook go to a name; popups are tried for two minutes, so `seconds` must be less."""
    knobs, chance = Knobs(folder), random.Random(seed)
    async with Receiver() as named:
        url = f"http://{NAME}:{named.port}"
        plan = Plan(targets=(url + "/named",), launcher=launcher(folder), popup_url=url + POPUP)
        async with stage(folder, plan) as here:
            here.elsewhere.append(named)
            async with calls(here, Stream(), chance):
                await asyncio.sleep(1.0)
                knobs.names(known=False)
                await asyncio.sleep(seconds)
                knobs.names(known=True)
                await asyncio.sleep(1.0)
            await here.settled(180.0)
            tally = here.tally(hooks=(HOOK, "/named"))
    tally.runs, tally.seeds = 1, [seed]
    return tally


async def stepped_clock(folder: Path, seed: int, *, times: int, seconds: float) -> Tally:
    """An hour forward and back, first the daemon's clock alone, then the PBX's with it as on one machine."""
    knobs = Knobs(folder)
    plan = Plan(merge="incoming_and_outgoing", launcher=launcher(folder))
    return await under_calls(folder, seed, partial(step, knobs, times, seconds), plan=plan)


async def step(knobs: Knobs, times: int, seconds: float, here: Stage, chance: random.Random) -> int:
    for turn in range(times):
        for off in (HOUR_S, 0.0, -HOUR_S, 0.0):
            knobs.step(off)
            here.pbx.clock_off_s = off if turn % 2 else 0.0
            await asyncio.sleep(chance.uniform(0.5, 1.0) * seconds)
    return 4 * times
