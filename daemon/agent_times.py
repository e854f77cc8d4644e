"""Keeps what agents were for how long: what `agent_states` sees is written down by a task of its own, in its order.

Nobody who sees waits for it. What cannot be written soon waits here; where too much waits, what was not seen is said.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from itertools import islice
from typing import Final

import structlog

from daemon.call.model import PbxName
from daemon.call.signals import UnixMs
from daemon.errors import TryAgain
from daemon.policy.agent_period import Seen, Sight
from daemon.store.agent_periods import leave_periods, note_seen
from daemon.store.live_calls import last_alive
from daemon.store.store import Store

_MOST: Final = 20_000
_AT_ONCE: Final = 100
"""Agents of a transaction: a few milliseconds, in which no call is written."""
_AGAIN_S: Final = 2.0
_CLOSE_TIMEOUT_S: Final = 3.0

_log = structlog.get_logger(__name__)


class AgentTimes:
    """Call `begin` before anything is seen, give `run` a task, and call `close` last."""

    def __init__(
        self,
        store: Callable[[], Store],
        clock: Callable[[], UnixMs],
        most: int = _MOST,
    ) -> None:
        self._store = store
        self._look: Callable[[str, UnixMs], Seen]
        self._clock = clock
        self._most = most
        self._waiting: deque[tuple[str, Seen]] = deque()
        self._came = asyncio.Event()
        self._missed: dict[str, UnixMs] = {}

    async def begin(self, look: Callable[[str, UnixMs], Seen]) -> None:
        """What went on when the daemon stopped was seen until it last said that it lives. `look` tells how one is."""
        self._look = look
        alive: dict[PbxName, UnixMs] = await last_alive(self._store().reader)
        until = min(max(alive.values(), default=UnixMs(0)), self._clock())  # a clock may have been ahead then
        await self._store().writer.change(lambda: leave_periods(until))

    def note(self, user_id: str, seen: Seen) -> None:
        if len(self._waiting) < self._most:
            self._waiting.append((user_id, seen))
        else:
            self._missed.setdefault(user_id, seen.at)
        self._came.set()

    async def run(self) -> None:
        """For ever."""
        while True:
            await self._came.wait()
            self._came.clear()
            try:
                await self._write_all()
            except TryAgain as error:
                _log.warning("agent_times_not_written", error=str(error))
                self._came.set()
                await asyncio.sleep(_AGAIN_S)
            except Exception:  # noqa: BLE001 - what is only for reports may never stop the daemon
                _log.exception("agent_times_broke", sightings=len(self._waiting))
                self._lose()

    async def close(self) -> None:
        """Everything that was seen is written; from now on nobody looks."""
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._write_all()
                at = self._clock()
                await self._store().writer.change(lambda: leave_periods(at))
        except (TimeoutError, TryAgain) as error:
            _log.warning("agent_times_not_closed", error=repr(error))  # the next start does it

    async def _write_all(self) -> None:
        """What is taken away is written: a second time is harmless, and a stop in between loses nothing."""
        while self._waiting:
            batch = list(islice(self._waiting, _AT_ONCE))
            await self._store().writer.change(lambda batch=batch: note_seen(batch))  # type: ignore[misc]
            for _ in batch:
                self._waiting.popleft()
            if not self._waiting:
                self._make_up()

    def _lose(self) -> None:
        """What cannot be written is given up, not what comes after it: until then they were out of sight."""
        for user_id, seen in self._waiting:
            self._missed.setdefault(user_id, seen.at)
        self._waiting.clear()

    def _make_up(self) -> None:
        """Whose changes did not fit was out of sight since the first of them."""
        now = self._clock()
        for user_id, since in self._missed.items():
            self._waiting.append((user_id, Seen(at=since, what=Sight.AWAY)))
            self._waiting.append((user_id, self._look(user_id, now)))
        self._missed.clear()
