"""A wire between daemon and PBX that can be cut, left half open, slowed down or disturbed; it notes what passed."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

_LISTED = b"CoreShowChannelsComplete"
_PIECE = 1 << 16
_SLOW_PIECE = 400


@dataclass(eq=False)
class Wire:
    """One connection through the proxy. `listed`: when the list of channels had passed, in Unix seconds."""

    daemon: asyncio.StreamWriter
    pbx: asyncio.StreamWriter
    listed: float | None = None
    until: float | None = None
    stalled: bool = False
    tail: bytes = field(default=b"", repr=False)

    def end(self) -> None:
        self.until = self.until or time.time()
        self.daemon.transport.abort()
        self.pbx.transport.abort()


class AmiProxy:
    """The knobs may be turned at any time. `pause_s`: so long it waits after each small piece, 0: no piece is small."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.pause_s = 0.0
        self.refusing = False
        self.wires: list[Wire] = []
        self._target_port = target_port
        self._server: asyncio.Server | None = None
        self._pumps: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        self.cut()
        for pump in list(self._pumps):
            pump.cancel()
        await asyncio.gather(*self._pumps, return_exceptions=True)

    @property
    def spans(self) -> list[tuple[float, float]]:
        """When the daemon was told everything."""
        ended = ((wire.listed, wire.until or float("inf")) for wire in self.wires)
        return [(listed, until) for listed, until in ended if listed is not None and listed < until]

    @property
    def living(self) -> list[Wire]:
        return [wire for wire in self.wires if wire.until is None]

    def cut(self) -> None:
        for wire in self.living:
            wire.end()

    def stall(self) -> None:
        """Leave what is open half open: no byte passes any more, and nobody is told. New connections are fine."""
        for wire in self.living:
            wire.stalled, wire.until = True, time.time()

    def disturb(self, noise: bytes) -> None:
        """Put bytes that the PBX never sent between two messages, or in the middle of one: wherever it is just now."""
        for wire in self.living:
            wire.daemon.write(noise)

    async def _take(self, from_daemon: asyncio.StreamReader, to_daemon: asyncio.StreamWriter) -> None:
        if self.refusing:
            to_daemon.transport.abort()
            return
        try:
            from_pbx, to_pbx = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            to_daemon.transport.abort()
            return
        wire = Wire(to_daemon, to_pbx)
        self.wires.append(wire)
        for work in (self._up(wire, from_daemon), self._down(wire, from_pbx)):
            pump = asyncio.create_task(work)
            self._pumps.add(pump)
            pump.add_done_callback(self._pumps.discard)

    async def _up(self, wire: Wire, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_PIECE):
                if not wire.stalled:
                    wire.pbx.write(data)
        wire.end()

    async def _down(self, wire: Wire, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_SLOW_PIECE if self.pause_s else _PIECE):
                if not wire.stalled:
                    self._note(wire, data)
                    wire.daemon.write(data)
                    await wire.daemon.drain()
                if self.pause_s:
                    await asyncio.sleep(self.pause_s)
        if not wire.stalled:  # a half-open connection does not hear that the other side is gone
            wire.end()

    def _note(self, wire: Wire, data: bytes) -> None:
        if wire.listed is None:
            wire.tail = (wire.tail + data)[-_PIECE:]
            if _LISTED in wire.tail:
                wire.listed = time.time()
