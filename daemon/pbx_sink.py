"""Where the signals of one PBX go: to the flow, and past those who only listen."""

from __future__ import annotations

from collections.abc import Callable

from daemon.call.model import PbxName
from daemon.call.signals import Signal
from daemon.dispatch import Dispatcher, PbxSignal


class PbxSink:
    """Puts a PBX's name on its signals; full when the dispatcher's queue is. `hears` are told on the way."""

    def __init__(self, pbx: PbxName, dispatcher: Dispatcher, *hears: Callable[[PbxName, Signal], None]) -> None:
        self._pbx = pbx
        self._queue = dispatcher.queue
        self._hears = hears

    def put_nowait(self, signal: Signal, /) -> None:
        self._queue.put_nowait(PbxSignal(self._pbx, signal))
        self._tell(signal)

    async def put(self, signal: Signal, /) -> None:
        await self._queue.put(PbxSignal(self._pbx, signal))
        self._tell(signal)

    def _tell(self, signal: Signal) -> None:
        for hear in self._hears:
            hear(self._pbx, signal)
