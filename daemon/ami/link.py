"""The lasting link to one Asterisk: connects, reads, notices silence, connects again, for ever.

It reports signals and its own state; it never decides anything about a call.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from enum import Enum

import structlog

from daemon.ami.actions import Actions
from daemon.ami.backoff import delay
from daemon.ami.connection import EXPECTED, Connection, unix_ms
from daemon.ami.failures import LoggedInAgain, LoginRefused
from daemon.ami.intake import SignalSink
from daemon.ami.protocol import Tap
from daemon.ami.settings import AmiConfig
from daemon.ami.signal_reader import ReaderCounters
from daemon.call.signals import UnixMs

_log = structlog.get_logger(__name__)


class LinkState(Enum):
    """What to show of a PBX."""

    CONNECTING = "connecting"
    REFUSED = "refused"
    CONNECTED = "connected"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a connection ended or was not made, and when."""

    error: Exception
    at: UnixMs


class AmiLink:
    """One PBX. Give `run` a task and a bounded queue; use `actions` to act.

    `tap` is given every read of the socket, with its time, before anything else sees it.
    """

    def __init__(self, config: AmiConfig, *, tap: Tap | None = None) -> None:
        self.config = config
        self.actions = Actions(config.timings.action)
        self.counters = ReaderCounters()
        self.state = LinkState.CONNECTING
        self.last_error: str | None = None
        self.last_failure: Failure | None = None
        self.connected_since: UnixMs | None = None
        self.version: str | None = None
        self.logins = 0
        self.alive_until = math.inf
        """Of `time.monotonic`: connected or trying to, it moves this deadline on. Behind it, it hangs."""
        self._tap = tap
        self._connection: Connection | None = None
        self._pauses_before = 0
        self._running: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def local_address(self) -> str | None:
        """Where we come from on the way to the PBX, while connected."""
        return self._connection.local_address if self._connection else None

    @property
    def followed(self) -> int:
        """How many events of calls this connection brought."""
        return self._connection.reader.followed if self._connection else 0

    @property
    def reported(self) -> int:
        """How many reports of phones on their media this connection brought."""
        return self._connection.reader.reported if self._connection else 0

    @property
    def reads_system(self) -> bool:
        """Whether this session may read the class `system`."""
        return self._connection.reader.reads_system if self._connection else False

    @property
    def is_paused(self) -> bool:
        """Nobody reads just now, because the queue is full: an answer may then overtake what was told before it."""
        return self._connection.intake.is_paused if self._connection else True

    @property
    def stamped(self) -> bool | None:
        """Whether those events carry the PBX's time; None while none has come."""
        return self._connection.reader.stamped if self._connection else None

    @property
    def pauses(self) -> int:
        """How often reading stopped because the queue was full."""
        return self._pauses_before + (self._connection.intake.pauses if self._connection else 0)

    async def run(self, sink: SignalSink) -> None:
        """Keep the link until `close` or cancellation. Signals enter `sink` in order; while it is full nobody reads."""
        if self._closing:
            return
        self._running = asyncio.create_task(self._keep(sink))
        try:
            await asyncio.wait([self._running])
        finally:
            await self.close()
        if not self._running.cancelled():
            self._running.result()

    async def close(self) -> None:
        """End the link, also in the middle of waiting for the next attempt; what is not answered fails."""
        self._closing = True
        self.state = LinkState.LOST
        while self._running and not self._running.done():
            # More than once: before Python 3.13 a TaskGroup swallows a cancellation that meets a failing child
            # (python/cpython#116720).
            self._running.cancel()
            await asyncio.wait([self._running], timeout=0.1)

    def request_snapshot(self) -> None:
        """Ask the PBX once more for everything it has; each connection begins with that anyway."""
        if self._connection:
            self._connection.snapshot_wanted.set()

    def log_in_again(self) -> None:
        """End this connection and make another: a session keeps the rights it had at its login."""
        if self._connection:
            self._connection.end(LoggedInAgain())

    async def _keep(self, sink: SignalSink) -> None:
        failures = 0
        while not self._closing:
            began = time.monotonic()
            self._connection = Connection(self.config, self.actions, self.counters, sink, self._tap, self._alive)
            try:
                await self._connection.live(self._logged_in)
            except EXPECTED as error:
                self._failed(error)
            self._pauses_before += self._connection.intake.pauses
            self._connection = None
            failures = 1 if time.monotonic() - began > self.config.timings.stable_after else failures + 1
            pause = self._delay(failures)
            self._alive(pause)
            await asyncio.sleep(pause)
            self.state = LinkState.CONNECTING if self.state is LinkState.LOST else self.state

    def _alive(self, seconds: float) -> None:
        self.alive_until = time.monotonic() + seconds + self.config.timings.margin

    def _logged_in(self) -> None:
        assert self._connection is not None
        self.logins += 1
        self.state = LinkState.CONNECTED
        self.connected_since = unix_ms()
        self.version = self._connection.reader.version
        self.last_error = None
        _log.info("ami_link_connected", pbx=self.config.name, version=self.version)

    def _failed(self, error: Exception) -> None:
        self.state = LinkState.REFUSED if isinstance(error, LoginRefused) else LinkState.LOST
        self.connected_since = None
        if not isinstance(error, LoggedInAgain):
            self.last_failure = Failure(error, unix_ms())
        where = f"{self.config.host}:{self.config.port}"
        self.last_error = f"{where}: {error}" if str(error) else f"{where}: {type(error).__name__}"
        _log.warning(f"ami_link_{self.state.value}", pbx=self.config.name, reason=self.last_error)

    def _delay(self, failures: int) -> float:
        timings = self.config.timings
        if self.state is LinkState.REFUSED:
            return delay(failures, timings.refused_first, timings.refused_most)
        return delay(failures, timings.retry_first, timings.retry_most)
