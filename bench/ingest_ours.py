"""The daemon's own reading, in three depths: signals only; calls and decisions; with its protocol, queue and task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bench.contest import Tally
from bench.stream import BEGAN_MS, directory
from bench.wire import LOOPBACK, READY
from daemon.ami.actions import Actions
from daemon.ami.failures import LinkLost
from daemon.ami.intake import Intake
from daemon.ami.protocol import SignalProtocol
from daemon.ami.signal_reader import SignalReader
from daemon.bus import Bus
from daemon.call.model import CallState, PbxName
from daemon.call.signals import Signal, UnixMs
from daemon.call.tracker import Tracker
from daemon.dispatch import Dispatcher, PbxSignal
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.store.values import Unit

PBX = PbxName("bench")
RULES = Rulebook(CallSettings(popup_answer_url="http://127.0.0.1/pop"))


class CountingSink:
    """Stands where the store's writer does."""

    def __init__(self) -> None:
        self.ended = 0

    def take(self, unit: Unit) -> None:
        self.ended += unit.call.state is CallState.ENDED

    async def submit(self, unit: Unit) -> None:
        self.take(unit)


class _Reading(asyncio.Protocol):
    """Gives each read of the socket to a function, until the end of the stream."""

    def __init__(self, take: Callable[[bytes], object]) -> None:
        self._take = take
        self.over = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self._take(data)

    def connection_lost(self, _error: Exception | None) -> None:
        self.over.set_result(None)


async def parsing(port: int) -> Tally:
    """SignalReader alone."""
    reader = SignalReader(live=True)
    await _read_all(port, lambda data: reader.feed(data, BEGAN_MS))
    return Tally(events=reader.counters.events)


async def tracking(port: int) -> Tally:
    """SignalReader, tracker and policies, one after the other."""
    reader, sink = SignalReader(live=True), CountingSink()
    feed = dispatcher(sink).feed

    def take(data: bytes) -> None:
        for signal in reader.feed(data, BEGAN_MS):
            for unit in feed(PbxSignal(PBX, signal)):
                sink.take(unit)

    await _read_all(port, take)
    return Tally(reader.counters.events, sink.ended)


async def whole(port: int) -> Tally:
    """As the daemon runs: SignalProtocol puts into the bounded queue, the dispatcher's task takes out."""
    reader, sink = SignalReader(live=True), CountingSink()
    ours = dispatcher(sink)
    intake = Intake(_Named(ours))
    tasks = [asyncio.create_task(ours.run()), asyncio.create_task(intake.run())]
    transport, protocol = await asyncio.get_running_loop().create_connection(
        lambda: SignalProtocol(Actions(), reader, intake.take, _present), LOOPBACK, port
    )
    transport.write(READY)
    try:
        await protocol.lost
    except LinkLost:
        await intake.drain()
    await ours.stop()
    tasks[1].cancel()
    return Tally(reader.counters.events, sink.ended)


def dispatcher(sink: CountingSink, tracker: Tracker | None = None) -> Dispatcher:
    return Dispatcher({PBX: tracker or Tracker(PBX, directory())}, RULES, sink, Bus(), _present)


async def _read_all(port: int, take: Callable[[bytes], object]) -> None:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_connection(lambda: _Reading(take), LOOPBACK, port)
    transport.write(READY)
    await protocol.over


def _present() -> UnixMs:
    """The stream was made for this moment; a later one would look like a wrong clock."""
    return BEGAN_MS


class _Named:
    def __init__(self, ours: Dispatcher) -> None:
        self._queue = ours.queue

    def put_nowait(self, signal: Signal, /) -> None:
        self._queue.put_nowait(PbxSignal(PBX, signal))

    async def put(self, signal: Signal, /) -> None:
        await self._queue.put(PbxSignal(PBX, signal))
