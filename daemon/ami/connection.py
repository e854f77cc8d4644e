"""One connection to a manager interface, first byte to last. It always ends in an exception that says why."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from daemon.ami.actions import Actions
from daemon.ami.backoff import delay
from daemon.ami.failures import ActionRefused, ActionTimeout, LinkLost, LoginRefused, NoAnswer, NoConnection
from daemon.ami.framing import ProtocolError
from daemon.ami.intake import Intake, SignalSink
from daemon.ami.login import log_in, tls_context
from daemon.ami.message import Message
from daemon.ami.protocol import OneConnection, SignalProtocol, Tap
from daemon.ami.settings import AmiConfig
from daemon.ami.signal_reader import ReaderCounters, SignalReader
from daemon.call.signals import Signal, Snapshot, UnixMs

EXPECTED = (LoginRefused, ProtocolError, LinkLost, ActionTimeout, ActionRefused, OSError)
"""How a connection ends, the most telling first."""

_log = structlog.get_logger(__name__)


def unix_ms() -> UnixMs:
    return UnixMs(time.time_ns() // 1_000_000)


class Connection:
    """Made anew for each attempt, so that nothing of an old connection can reach the next."""

    def __init__(
        self,
        config: AmiConfig,
        actions: Actions,
        counters: ReaderCounters,
        sink: SignalSink,
        tap: Tap | None,
        alive: Callable[[float], None],
    ) -> None:
        """`alive` is told that something moves here, and in how many seconds it will be told again."""
        self.snapshot_wanted = asyncio.Event()
        self.reader = SignalReader(live=True, answers=self._answered, counters=counters)
        self.intake = Intake(sink)
        self._config = config
        self._actions = actions
        self._sink = sink
        self._tap = tap
        self._alive = alive
        self._snapshot_seen = asyncio.Event()
        self._protocol: SignalProtocol | None = None

    async def live(self, on_login: Callable[[], None]) -> None:
        """Connect, log in and serve until the end. What came before the end is delivered, then `LinkDown`."""
        try:
            await self._open()
            await self._serve(on_login)
        except Exception:
            self._end()
            await self.intake.drain()
            for signal in self.reader.link_lost(unix_ms()):
                await self._sink.put(signal)
            raise
        finally:
            self._end()

    async def _open(self) -> None:
        config = self._config
        self._alive(config.timings.connect)
        manager = OneConnection(
            host=config.host, port=config.port, ssl=tls_context(config) or False, protocol_factory=self._make_protocol
        )
        try:
            async with asyncio.timeout(config.timings.connect):
                await manager.open()
        except TimeoutError:
            raise NoConnection(f"no connection within {config.timings.connect:g} s") from None
        self._actions.attach(manager)

    @property
    def local_address(self) -> str | None:
        """Our own address as the PBX sees it, unless somebody translates addresses in between."""
        transport = self._protocol.transport if self._protocol else None
        name = transport.get_extra_info("sockname") if transport else None
        return str(name[0]).partition("%")[0] if name else None

    def end(self, why: LinkLost) -> None:
        if self._protocol:
            self._protocol.fail(why)

    def _make_protocol(self) -> SignalProtocol:
        protocol = SignalProtocol(self._actions, self.reader, self._take, unix_ms)
        protocol.tap = self._tap
        self._protocol = protocol
        return protocol

    async def _serve(self, on_login: Callable[[], None]) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.intake.run())
                tasks.create_task(self._until_lost())
                await self._log_in()
                on_login()
                tasks.create_task(self._ping())
                tasks.create_task(self._keep_snapshots())
        except ExceptionGroup as group:
            raise _chief(group) from group

    async def _until_lost(self) -> None:
        assert self._protocol is not None
        await self._protocol.lost

    async def _log_in(self) -> None:
        limit = self._config.timings.login
        self._alive(limit)
        try:
            async with asyncio.timeout(limit):
                await log_in(self._actions, self._config)
        except TimeoutError:
            raise NoAnswer(f"no answer to the login within {limit:g} s") from None

    async def _ping(self) -> None:
        """Notice a PBX that is frozen and a connection that is half open; the system would take hours."""
        timings = self._config.timings
        while True:
            self._alive(timings.ping_every + timings.ping_answer)
            await asyncio.sleep(timings.ping_every)
            pauses = self.intake.pauses
            try:
                await self._actions.ping(timings.ping_answer)
            except ActionTimeout:
                if self.intake.is_paused or self.intake.pauses > pauses:
                    continue  # it is us who did not read
                raise NoAnswer(f"no answer to a ping within {timings.ping_answer:g} s") from None

    async def _keep_snapshots(self) -> None:
        failures = 0
        self.snapshot_wanted.set()
        while True:
            await self.snapshot_wanted.wait()
            self.snapshot_wanted.clear()
            failures = 0 if await self._snapshot() else failures + 1
            if failures:
                await asyncio.sleep(delay(failures, 2.0, 60.0))
                self.snapshot_wanted.set()

    async def _snapshot(self) -> bool:
        """Ask for the channels; the rows come through the reader. True when the whole list has come."""
        self._snapshot_seen.clear()
        try:
            await self._actions.send("CoreShowChannels")
            async with asyncio.timeout(self._config.timings.snapshot):
                await self._snapshot_seen.wait()
        except (ActionRefused, ActionTimeout, TimeoutError) as error:
            reason = str(error) or "the list did not come to its end"
            _log.warning("ami_no_snapshot", pbx=self._config.name, reason=reason)
            return False
        return True

    def _take(self, signals: Iterable[Signal], transport: asyncio.Transport) -> None:
        self.intake.take(signals, transport)
        if any(isinstance(signal, Snapshot) for signal in signals):
            self._snapshot_seen.set()
        if self.reader.doubted:
            self.reader.doubted = False
            self.snapshot_wanted.set()

    def _answered(self, message: Message) -> None:
        if self._protocol:
            self._protocol.answered(message)

    def _end(self) -> None:
        if self._protocol:
            self._protocol.close()
        self._actions.detach(LinkLost())


def _chief(group: ExceptionGroup[Exception]) -> Exception:
    """Return the one that tells most; the whole group where something happened that should not."""
    if any(not isinstance(error, EXPECTED) for error in group.exceptions):
        return group
    return min(
        group.exceptions, key=lambda error: next(i for i, kind in enumerate(EXPECTED) if isinstance(error, kind))
    )
