"""Writes when a token or session was last used: beside the request, never in its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from aiohttp import web

from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError
from daemon.store.sessions import SEEN_NOTED_EVERY_MS, Session, note_seen
from daemon.store.tokens import USE_NOTED_EVERY_MS, Token, note_use
from daemon.store.work import Work
from daemon.web.services import Services

_log = structlog.get_logger(__name__)


class Uses:
    """A full disk must not close the API, so nobody waits for these."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def token(self, known: Token, parts: Services) -> None:
        now = parts.clock()
        if known.last_used_at is None or now - known.last_used_at >= USE_NOTED_EVERY_MS:
            self._note(known.token_id, lambda: note_use(known.token_id, now), parts)

    def session(self, known: Session, parts: Services) -> None:
        now: UnixMs = parts.clock()
        if now - known.last_seen_at >= SEEN_NOTED_EVERY_MS:
            self._note(known.digest, lambda: note_seen(known.digest, now), parts)

    async def close(self) -> None:
        """Gives what is under way a moment, then lets go."""
        tasks = list(self._tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _note(self, key: str, make_work: Callable[[], Work[None]], parts: Services) -> None:
        if key in self._tasks:
            return
        task = asyncio.create_task(_write(make_work, parts))
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))


async def _write(make_work: Callable[[], Work[None]], parts: Services) -> None:
    try:
        async with asyncio.timeout(10):
            await parts.writes.change(make_work)
    except (CallwardenError, TimeoutError) as error:
        _log.warning("use_not_noted", error=str(error))


USES: Final = web.AppKey("uses", Uses)
