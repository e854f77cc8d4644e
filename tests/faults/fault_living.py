"""The daemon is killed and started again beside a PBX with very many calls on the line."""

from __future__ import annotations

import asyncio
import random
import time
from math import inf
from pathlib import Path

from daemon.ami.scenario import Truth
from tests.faults.observed import waiting
from tests.faults.stage import AGENTS, Plan, Stage, phone, stage
from tests.faults.stream import Stream, calls, played
from tests.faults.tally import Tally
from tests.faults.truth import Played
from tests.whole.house import until

_PER_SECOND = 400.0
_SPEED = 20.0
_SHARE = 50  # one of so many ends in the gap, and one soon after


async def trial(folder: Path, seed: int, *, living: int) -> Tally:
    """All but a few outlive the daemon; some end while it is away, some after it is back, and new ones come."""
    chance = random.Random(seed)
    async with stage(folder, Plan(hook=False)) as here:
        began = await _begin(here, living)
        await _at_rest(here, living)
        gap, after = living // _SHARE, 2 * living // _SHARE
        await here.kill()
        _end(here, began[:gap])
        await here.start()
        async with calls(here, Stream(faster=2.0), chance):
            await asyncio.sleep(2.0)
            _end(here, began[gap:after])
        await _at_rest(here, living - after)
        here.played += [_lives(here, truth) for truth in began[after:]]
        tally = here.tally(hooks=())
    tally.runs, tally.seeds = 1, [seed]
    return tally


async def _begin(here: Stage, living: int) -> list[tuple[Truth, float]]:
    begun = []
    for number in range(living):
        agents = {"1001": phone(number % AGENTS)}
        at = time.time()
        truth, _ = here.pbx.begin(
            "direct_answered", customer=f"+8491{number:07}", agents=agents, speed=_SPEED, stays=True
        )
        begun.append((truth, at))
        await asyncio.sleep(1 / _PER_SECOND)
    return begun


def _end(here: Stage, ending: list[tuple[Truth, float]]) -> None:
    for truth, at in ending:
        here.pbx.hang_up(truth.call_id)
        here.played.append(played(here.pbx, truth, at, time.time()))


def _lives(here: Stage, living: tuple[Truth, float]) -> Played:
    truth, at = living
    return played(here.pbx, truth, at, inf)


async def _at_rest(here: Stage, living: int) -> None:
    """So many calls live and nothing is to be sent any more."""

    async def is_so() -> bool:
        await asyncio.sleep(0.5)
        return waiting(here.store) == (living, 0)

    async def how() -> object:
        return waiting(here.store)

    await until(is_so, how, 60.0 + living / 40)
