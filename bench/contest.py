"""A contest: several contestants, each in its own process, do the same work in turns, round after round."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection
from statistics import median

from bench.processes import Side, orders


@dataclass(frozen=True, slots=True)
class Tally:
    """What a contestant saw, to be compared with what was sent; None where it does not look."""

    events: int | None = None
    calls: int | None = None


Contestant = Callable[[int], Awaitable[Tally]]
"""Connects to a port of loopback and works until the end of the stream. A function of a module."""


@dataclass(frozen=True, slots=True)
class Round:
    """One turn of one contestant; seconds."""

    wall: float
    cpu: float
    tally: Tally


@dataclass(frozen=True, slots=True)
class Result:
    """All turns of one contestant."""

    rounds: tuple[Round, ...]

    @property
    def wall(self) -> float:
        return median(one.wall for one in self.rounds)

    @property
    def cpu(self) -> float:
        return median(one.cpu for one in self.rounds)

    def times_faster_than(self, other: Result) -> float:
        """The median over the rounds: what shared the moment is compared, whatever the machine did meanwhile."""
        return median(theirs.wall / ours.wall for ours, theirs in zip(self.rounds, other.rounds, strict=True))


def contest(contestants: Mapping[str, Contestant], port: int, rounds: int) -> dict[str, Result]:
    """Run all in turns. One turn before the first is not counted: imports, caches."""
    with ExitStack() as stack:
        sides = {name: stack.enter_context(Side(_compete, run)) for name, run in contestants.items()}
        for side in sides.values():
            side.ask(port)
        turns: Sequence[dict[str, Round]] = [
            {name: side.ask(port) for name, side in sides.items()} for _ in range(rounds)
        ]
    return {name: Result(tuple(turn[name] for turn in turns)) for name in contestants}


def _compete(pipe: Connection, run: Contestant) -> None:
    for port in orders(pipe):
        pipe.send(asyncio.run(_timed(run, port)))


async def _timed(run: Contestant, port: int) -> Round:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    tally = await run(port)
    return Round(time.perf_counter() - wall, time.process_time() - cpu, tally)
