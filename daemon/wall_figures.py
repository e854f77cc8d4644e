"""What the wallboard takes from the store: today's service level, whom nobody has called back, the agents' names.

Read again only after something of it was written, every few seconds at most, and when a new day begins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from daemon.call.signals import UnixMs
from daemon.errors import TryAgain
from daemon.policy.call_settings import CallSettings
from daemon.policy.decision import TicketKind
from daemon.policy.report_span import DAY_MS
from daemon.store.agents import read_all_names
from daemon.store.service_level import Asked, GroupBy, tally
from daemon.store.store import Store
from daemon.store.ticket_pages import TicketFilter, count_tickets
from daemon.web.sla import day_began
from daemon.web.ticket_query import UNDONE
from daemon.web.wall_now import Today

READ_EVERY_MS: Final = 3_000
_NOT_CALLED_BACK: Final = TicketFilter(kinds=(TicketKind.MISSED_INCOMING.value,), statuses=UNDONE)

_log = structlog.get_logger(__name__)


class WallFigures:
    """`renamed` is told the agents' names when they may have changed. `late`: the store could not be read lately."""

    def __init__(self, store: Callable[[], Store], renamed: Callable[[dict[str, str]], None]) -> None:
        self._store = store
        self._renamed = renamed
        self._today: Today | None = None
        self._seen: tuple[object, ...] = ()
        self._read_at = UnixMs(0)
        self._names_seen: tuple[int, ...] = ()
        self.late = False

    async def today(self, settings: CallSettings, now: UnixMs) -> Today:
        """The newest there is. Raises TryAgain while there is none of this day."""
        began = day_began(now, ZoneInfo(settings.time_zone))
        seen = (began, settings, self._store().written("calls", "tickets", "queues"))  # before it is read
        try:
            await self._read_names()
            if self._today is None or self._today.began != began or self._is_due(seen, now):
                self._today = await self._read(settings, began)
                self._seen, self._read_at = seen, now
            self.late = False
        except TryAgain as error:
            if self._today is None or self._today.began != began:
                raise
            if not self.late:
                _log.warning("wallboard_figures_not_read", error=str(error))
            self.late = True
        return self._today

    def _is_due(self, seen: tuple[object, ...], now: UnixMs) -> bool:
        return seen != self._seen and abs(now - self._read_at) >= READ_EVERY_MS  # a clock may be put back

    async def _read(self, settings: CallSettings, began: UnixMs) -> Today:
        reads = self._store().reader
        asked = Asked(
            begin=began,
            end=UnixMs(began + 2 * DAY_MS),  # a day of 25 hours is one too, and no call is of tomorrow
            within_ms=1000 * settings.sla_answer_within_seconds,
            short_ms=0,
        )
        queues = await tally(reads, asked, GroupBy.QUEUE, ZoneInfo(settings.time_zone))
        return Today(began=began, queues=queues, not_called_back=await count_tickets(reads, _NOT_CALLED_BACK))

    async def _read_names(self) -> None:
        seen = self._store().written("agents")
        if seen != self._names_seen:
            self._renamed(await read_all_names(self._store().reader))
            self._names_seen = seen
