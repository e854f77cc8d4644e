"""Reads pending deliveries back from the store: at start, when a retry comes due, when there is room again.

A retry is kept in the store alone. What is remembered here is one moment: when to look next.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from daemon.call.signals import UnixMs
from daemon.delivery.limits import OutboxCounters, OutboxLimits
from daemon.delivery.recorder import Writes
from daemon.delivery.shelf import Shelf
from daemon.store.outbox import Cursor, expire_overdue, read_due, read_next_due_at
from daemon.store.reader import Reader
from daemon.store.values import Delivery

log = structlog.get_logger(__name__)


class Refill:
    """`take` gets what is due, oldest first; `hold_over` is told when a target's pause may be over."""

    def __init__(
        self,
        *,
        writes: Writes,
        reads: Reader,
        clock: Callable[[], UnixMs],
        limits: OutboxLimits,
        counters: OutboxCounters,
        shelf: Shelf,
        take: Callable[[Delivery], bool],
        hold_over: Callable[[], None],
    ) -> None:
        self._writes = writes
        self._reads = reads
        self._clock = clock
        self._limits = limits
        self._counters = counters
        self._shelf = shelf
        self._take = take
        self._hold_over = hold_over
        self._wakeup = asyncio.Event()
        self._scan_at: int | None = None
        self._sweep_at = 0
        self._not_before = 0
        self._settled: set[str] | None = None
        self.scans = 0
        self.troubles = 0

    def not_later_than(self, at: int) -> None:
        """Look into the store at this time, if not before."""
        if self._scan_at is None or at < self._scan_at:
            self._scan_at = at
            self._wakeup.set()

    def wake(self) -> None:
        """A target asked for a pause: count it in."""
        self._wakeup.set()

    def settled(self, delivery_id: str) -> None:
        """A page read before this record was written still shows the delivery as due; it must not be sent again."""
        if self._settled is not None:
            self._settled.add(delivery_id)

    async def expire(self, grace_ms: int = 0) -> None:
        """In one statement. The next sweep spares what is on the wire."""
        now = self._clock()
        self._sweep_at = now + self._limits.between_sweeps_ms
        expired = await self._writes.change(lambda: expire_overdue(now, grace_ms))
        self._counters.expired += expired
        if expired:
            log.warning("deliveries_expired", deliveries=expired)

    async def run(self) -> None:
        while True:
            self._wakeup.clear()
            pause_ms = self._next_due() - self._clock()
            if pause_ms > 0:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wakeup.wait(), pause_ms / 1000)
                continue
            try:
                await self._do_what_is_due()
            except Exception:  # the store's trouble passes; what is pending is safe there
                self.troubles += 1
                log.exception("outbox_cannot_read_the_store")
                self._not_before = self._clock() + self._limits.after_trouble_ms
                self.not_later_than(self._not_before)

    def _next_due(self) -> int:
        scan_at = self._sweep_at if self._scan_at is None else self._scan_at
        held_back = [one.not_before for one in self._shelf.held_back() if one.not_before is not None]
        return min([max(min(scan_at, self._sweep_at), self._not_before), *held_back])

    async def _do_what_is_due(self) -> None:
        now = self._clock()
        self._hold_over()
        if now < self._not_before:
            return
        if self._sweep_at <= now:
            await self.expire(self._limits.sweep_grace_ms)
            self._shelf.tidy()
            self.not_later_than(now)  # another process may have put something there: `callwarden catch-up`
        if self._scan_at is not None and self._scan_at <= now:
            await self._scan(now)

    async def _scan(self, now: UnixMs) -> None:
        self.scans += 1
        self._scan_at = None
        self._not_before = now + self._limits.between_scans_ms
        self._shelf.left.clear()
        self._shelf.left_unread = False
        self._settled = set()
        try:
            await self._read_pages(now)
            next_due_at = await read_next_due_at(self._reads, now)
        finally:
            self._settled = None
        if next_due_at is not None:
            self.not_later_than(next_due_at)

    async def _read_pages(self, now: UnixMs) -> None:
        after = Cursor()
        while True:
            page = await read_due(self._reads, now, self._limits.page, after, self._shelf.closed())
            for delivery in page:
                self._take_back(delivery)
            if len(page) < self._limits.page:
                return
            if self._shelf.full:
                self._shelf.left_unread = True
                return
            after = Cursor(page[-1].next_attempt_at, page[-1].delivery_id)

    def _take_back(self, delivery: Delivery) -> None:
        assert self._settled is not None
        if delivery.delivery_id in self._settled or delivery.delivery_id in self._shelf:
            return
        if self._take(delivery):
            self._counters.read_back += 1
