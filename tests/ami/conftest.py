"""A misbehaving Asterisk on loopback and a link to it whose deadlines are short."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace

import pytest

from daemon.ami.link import AmiLink, LinkState
from daemon.ami.settings import AmiConfig, AmiTimings
from daemon.call.model import CallId, PbxName, UserId
from daemon.call.parties import Parties
from daemon.call.signals import Signal
from tests.fakes.asterisk import FakeAsterisk

QUICK = AmiTimings(
    connect=1.0,
    login=0.3,
    challenge=0.1,
    action=0.3,
    ping_every=0.05,
    ping_answer=0.2,
    snapshot=1.0,
    retry_first=0.01,
    retry_most=0.05,
    refused_first=0.02,
    refused_most=0.1,
)


@dataclass
class Linked:
    """A link, the queue it fills and the PBX at its other end."""

    pbx: FakeAsterisk
    link: AmiLink
    queue: asyncio.Queue[Signal]

    async def until(self, done: Callable[[], bool], seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not done():  # noqa: ASYNC110 - what is waited for lies outside, at the other end of a socket
                await asyncio.sleep(0.005)

    async def connected(self) -> None:
        await self.until(lambda: self.link.state is LinkState.CONNECTED)

    async def next(self, kind: type[Signal], seconds: float = 5.0) -> Signal:
        """Return the next signal of this kind; what comes before it is taken too."""
        async with asyncio.timeout(seconds):
            while not isinstance(signal := await self.queue.get(), kind):
                pass
        return signal


@dataclass
class Flow:
    """What the dispatcher would say, and what it was told."""

    known: Parties | None = None
    told: list[Signal] = field(default_factory=list)

    def parties(self, _pbx: PbxName, _call: CallId, _user: UserId) -> Parties | None:
        return self.known

    async def tell(self, _pbx: PbxName, signal: Signal) -> None:
        self.told.append(signal)


@pytest.fixture
async def pbx() -> AsyncIterator[FakeAsterisk]:
    fake = FakeAsterisk()
    await fake.start()
    yield fake
    await fake.close()


@pytest.fixture
def config(pbx: FakeAsterisk) -> AmiConfig:
    return AmiConfig("main", pbx.username, pbx.secret, port=pbx.port, timings=QUICK)


@pytest.fixture
async def make(pbx: FakeAsterisk, config: AmiConfig) -> AsyncIterator[Callable[..., Linked]]:
    """Return a function that starts a link; its arguments change the config (`size` the queue)."""
    running: list[tuple[AmiLink, asyncio.Task[None]]] = []

    def start(*, size: int = 1000, **changes: object) -> Linked:
        link = AmiLink(replace(config, **changes))  # type: ignore[arg-type]
        queue: asyncio.Queue[Signal] = asyncio.Queue(size)
        running.append((link, asyncio.create_task(link.run(queue))))
        return Linked(pbx, link, queue)

    yield start
    for link, task in running:
        await link.close()
        await task


@pytest.fixture
async def linked(make: Callable[..., Linked]) -> Linked:
    """Connected, and its first signals taken."""
    here = make()
    await here.connected()
    await here.until(lambda: here.queue.qsize() >= 2)
    while not here.queue.empty():
        here.queue.get_nowait()
    return here
