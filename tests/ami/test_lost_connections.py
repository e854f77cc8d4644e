"""The one who asks about suspects: little, and ever less of channels that give no answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from daemon.ami import lost_connection
from daemon.call.model import ConnectionLoss, PbxName
from daemon.call.signals import ChannelId, ChannelMissing, PacketsCounted, Signal, SteadyMs
from daemon.clock import now_ms
from daemon.lost_connections import LostConnections
from tests.ami.conftest import Linked

MAIN, ONE = PbxName("main"), ChannelId("1790000000.1")


class Suspicion:
    """One channel is always under suspicion; what is said of it is kept."""

    def __init__(self) -> None:
        self.told: list[Signal] = []

    def suspects(self, pbx: PbxName, now: SteadyMs) -> list[ChannelId]:
        return [ONE]

    def loss_of(self, pbx: PbxName, channel: ChannelId) -> ConnectionLoss | None:
        return None

    async def tell(self, pbx: PbxName, signal: Signal) -> None:
        self.told.append(signal)


@pytest.fixture
async def looks(linked: Linked) -> AsyncIterator[Callable[[], Suspicion]]:
    tasks: list[asyncio.Task[None]] = []

    def begin() -> Suspicion:
        suspicion = Suspicion()
        watch = LostConnections({MAIN: linked.link}, lambda: suspicion, now_ms).watch()
        tasks.append(asyncio.create_task(watch))
        return suspicion

    yield begin
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_channel_whose_question_stays_unanswered_is_left_in_peace(
    linked: Linked, looks: Callable[[], Suspicion], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lost_connection, "_LIMIT_S", 0.1)
    linked.pbx.mute.add("Getvar")
    suspicion = looks()
    await asyncio.sleep(1.5)
    assert linked.pbx.asked.count("Getvar") == 1
    assert suspicion.told == []


async def test_what_the_pbx_does_not_have_is_said_to_be_missing_and_what_it_has_is_counted(
    linked: Linked, looks: Callable[[], Suspicion]
) -> None:
    linked.pbx.answers["Getvar"] = b"Response: Error\r\nActionID: {id}\r\nMessage: No such channel\r\n\r\n"
    suspicion = looks()
    await linked.until(lambda: bool(suspicion.told))
    assert isinstance(suspicion.told[0], ChannelMissing)
    assert suspicion.told[0].channel == ONE
    linked.pbx.answers["Getvar"] = b"Response: Success\r\nActionID: {id}\r\nVariable: x\r\nValue: 4711\r\n\r\n"
    await linked.until(lambda: isinstance(suspicion.told[-1], PacketsCounted))
    counted = suspicion.told[-1]
    assert isinstance(counted, PacketsCounted)
    assert counted.date is not None
    assert abs(counted.date - now_ms()) < 5_000
