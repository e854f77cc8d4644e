"""panoramisk's protocol with our own reading: bytes go straight to the signal table, only answers go to its actions.

A handler never closes the link, whatever comes; only a broken stream does (`ProtocolError`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import structlog
from panoramisk import Manager
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.message import Message as Answer

from daemon.ami.actions import Actions
from daemon.ami.clock import steady_ms
from daemon.ami.failures import ClosedByPbx, LinkLost
from daemon.ami.framing import ProtocolError
from daemon.ami.message import Message
from daemon.ami.signal_reader import BANNER, SignalReader
from daemon.call.signals import Signal, UnixMs

_log = structlog.get_logger(__name__)


class NotAsterisk(ProtocolError):
    """This is no Asterisk manager interface: check host and port."""


Take = Callable[[list[Signal], asyncio.Transport], None]
Tap = Callable[[bytes, UnixMs], None]


class SignalProtocol(AMIProtocol):  # type: ignore[misc]  # panoramisk has no types
    """One connection. `lost` is done when it is over, with the reason as its exception."""

    def __init__(self, actions: Actions, reader: SignalReader, take: Take, now: Callable[[], UnixMs]) -> None:
        self._actions = actions
        self._reader = reader
        self._take = take
        self._now = now
        self._begun = False
        self.transport: asyncio.Transport | None = None  # until then: a TLS handshake may fail before it is made
        self.closed = False
        self.tap: Tap | None = None
        self.lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        if self.closed:
            return
        try:
            self._read(data, self._now())
        except ProtocolError as error:
            self._reader.counters.protocol_errors += 1
            self.fail(error)
        except Exception:  # noqa: BLE001 - asyncio closes a connection whose handler raises: a bug must not cost it
            self._reader.counters.handler_errors += 1
            _log.exception("ami_handler_failed")

    def _read(self, data: bytes, arrival: UnixMs) -> None:
        if self.tap:
            self._record(self.tap, data, arrival)
        self._expect_banner(data)
        signals = self._reader.feed(data, arrival, steady_ms())
        if signals and self.transport:
            self._take(signals, self.transport)

    def _record(self, tap: Tap, data: bytes, arrival: UnixMs) -> None:
        try:
            tap(data, arrival)
        except Exception:  # noqa: BLE001 - a full disk ends the recording, not the link
            self.tap = None
            _log.exception("ami_recording_failed")

    def answered(self, message: Message) -> None:
        """Give an answer to the action that waits for it; one that nobody waits for is harmless."""
        if message.get("Event") is not None:
            self._actions.answer_event(message)
            return
        try:
            self.handle_message(Answer(message.headers()))
        except Exception:  # noqa: BLE001 - panoramisk may stumble over an odd answer; the link must not
            _log.exception("ami_answer_unreadable")

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail(ClosedByPbx(f"the PBX closed the connection{f': {exc}' if exc else ''}"))

    def close(self) -> None:
        self.fail(LinkLost("closed"))

    def fail(self, why: Exception) -> None:
        """End the connection for this reason; only the first reason counts."""
        self.closed = True
        if not self.lost.done():
            self.lost.set_exception(why)
            self.lost.exception()  # it may be that nobody asks any more
            self._actions.detach(LinkLost(str(why)))
        # abort: a peer that is frozen would never take what close() wants to flush first
        if self.transport:
            self.transport.abort()

    def _expect_banner(self, data: bytes) -> None:
        if not self._begun and not BANNER.startswith(data[: len(BANNER)]):
            raise NotAsterisk
        self._begun = True


class OneConnection(Manager):  # type: ignore[misc]  # panoramisk has no types
    """panoramisk's Manager for exactly one connection: it sends actions, and neither pings, logs in nor reconnects.

    Its own reconnect cannot be cancelled, keeps the old actions and sends them again.
    """

    protocol: Any
    pinger: asyncio.TimerHandle | None

    def __init__(self, **config: object) -> None:
        super().__init__(loop=asyncio.get_running_loop(), **config)

    def connection_made(self, f: asyncio.Future[tuple[asyncio.Transport, SignalProtocol]]) -> None:
        if f.cancelled() or f.exception():
            return
        super().connection_made(f)
        if self.pinger:
            self.pinger.cancel()

    async def open(self) -> SignalProtocol:
        _transport, protocol = await self.connect()
        return cast("SignalProtocol", protocol)
