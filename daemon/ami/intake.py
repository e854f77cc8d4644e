"""Signals from the socket into the bounded queue: in order, none dropped. While the queue is full nobody reads."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from daemon.call.signals import Signal


class SignalSink(Protocol):
    """What takes the signals: an `asyncio.Queue` of a size, or something that puts into one."""

    def put_nowait(self, item: Signal, /) -> None:
        """Take it or raise `asyncio.QueueFull`."""

    async def put(self, item: Signal, /) -> None:
        """Take it when there is room."""


class Intake:
    """Between one connection and the queue. What waits here is never more than one read of the socket."""

    def __init__(self, sink: SignalSink) -> None:
        self._sink = sink
        self._waiting: deque[Signal] = deque()
        self._transport: asyncio.Transport | None = None
        self._full = asyncio.Event()
        self.pauses = 0

    @property
    def is_paused(self) -> bool:
        return bool(self._waiting)

    def take(self, signals: Iterable[Signal], transport: asyncio.Transport) -> None:
        for signal in signals:
            if self._waiting or not self._put(signal):
                self._waiting.append(signal)
        if self._waiting and not self._full.is_set():
            self.pauses += 1
            self._transport = transport
            transport.pause_reading()
            self._full.set()

    async def run(self) -> None:
        """Empty what waits as the queue gets room, then let the socket be read again."""
        while True:
            await self._full.wait()
            await self.drain()
            self._full.clear()
            if self._transport and not self._transport.is_closing():
                self._transport.resume_reading()

    async def drain(self) -> None:
        while self._waiting:
            await self._sink.put(self._waiting[0])
            self._waiting.popleft()

    def _put(self, signal: Signal) -> bool:
        try:
            self._sink.put_nowait(signal)
        except asyncio.QueueFull:
            return False
        return True
