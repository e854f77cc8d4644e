"""A job that many want done: it never runs twice at once, and those who wait for it share one run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


class Coalesced:
    """One run under way and at most one to come, however many ask. Give it to one event loop only."""

    def __init__(self, job: Callable[[], Awaitable[None]]) -> None:
        self._job = job
        self._running: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    def ask(self) -> asyncio.Task[None]:
        """A run that begins after now, since one under way may have looked already. It ends whoever waits for it."""
        if self._next is None:
            self._next = asyncio.create_task(self._run(self._running))
        return self._next

    async def close(self) -> None:
        """Give up what runs and what is to come."""
        tasks = [task for task in (self._running, self._next) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        await self._job()
