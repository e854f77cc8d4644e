"""A stream of calls of every kind, and the truth about each: who called whom, and when who talked."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from daemon.ami.scenario import Truth
from tests.faults.stage import AGENTS, Stage, WatchedPbx, phone
from tests.faults.truth import Played, Talk

SPEEDS = {
    "queue_answered": 1.0,
    "queue_abandoned": 0.5,
    "queue_timeout": 2.5,
    "direct_answered": 1.0,
    "direct_missed": 2.5,
    "outgoing_answered": 1.0,
    "outgoing_no_answer": 0.8,
    "outgoing_busy": 0.4,
    "blind_transfer": 2.0,
}
"""How much faster than recorded, so that each lasts five to eight seconds: longer than the daemon is ever away."""


@dataclass(frozen=True, slots=True)
class Stream:
    """Calls a second, all of them `faster` than those five to eight seconds, from so many different customers."""

    per_second: float = 3.0
    faster: float = 1.0
    customers: int = 30


@asynccontextmanager
async def calls(stage: Stage, stream: Stream, chance: random.Random) -> AsyncIterator[None]:
    """A stream that goes on while the block runs; those begun are then played to their end."""
    stop = asyncio.Event()
    calling = asyncio.create_task(_call(stage, stream, chance, stop))
    try:
        yield
    finally:
        stop.set()
        await calling


async def _call(stage: Stage, stream: Stream, chance: random.Random, stop: asyncio.Event) -> None:
    running: set[asyncio.Task[None]] = set()
    while not stop.is_set():
        running.add(asyncio.create_task(_play(stage, stream, chance)))
        running = {task for task in running if not task.done() or task.result()}
        await asyncio.sleep(chance.expovariate(stream.per_second))
    await asyncio.gather(*running)


async def _play(stage: Stage, stream: Stream, chance: random.Random) -> None:
    scenario, first = chance.choice(tuple(SPEEDS)), chance.randrange(AGENTS)
    agents = {"1001": phone(first), "1002": phone((first + 1) % AGENTS)}
    customer = f"+8490{chance.randrange(stream.customers):07}"
    began = time.time()
    speed = SPEEDS[scenario] * stream.faster
    truth, task = stage.pbx.begin(scenario, customer=customer, agents=agents, speed=speed)
    await asyncio.wait([task])
    caller = f"a{first}" if truth.direction == "outgoing" else None
    stage.played.append(played(stage.pbx, truth, began, time.time(), caller))


def user_of(endpoint: str) -> str:
    return f"a{int(endpoint.partition('/')[2]) - 3000}"


def played(
    pbx: WatchedPbx,
    truth: Truth,
    began: float,
    ended: float,
    caller: str | None = None,
    user_of: Callable[[str], str] = user_of,
) -> Played:
    """The truth of the scenario with the times at which its events were really sent."""
    since, parted = pbx.bridged.pop(truth.call_id, []), pbx.parted.pop(truth.call_id, [])
    users = [user_of(endpoint) for endpoint in truth.answered_by]
    talks = tuple(
        Talk(user, start, min((moment for moment in parted if moment > start), default=ended))
        for user, start in zip(users, since, strict=True)
    )
    facts = truth.call_id, truth.direction, truth.customer, truth.hotline, truth.queue
    return Played(*facts, began, ended, talks, caller)
