"""The store as the rest of the daemon sees it: one writer, one reader, opened and closed together."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from typing import Self

import structlog
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from daemon.errors import CallwardenError, ConfigError
from daemon.store import schema
from daemon.store.check import refuse_damaged
from daemon.store.lock import StoreLock
from daemon.store.reader import FileReader, MemoryReader, Reader
from daemon.store.sqlite import MEMORY, SqliteDriver
from daemon.store.writer import OnCommit, Writer

_CLOSE_TIMEOUT_S = 20.0  # below the unit's 45 s
_REFUSED_S = 3.0  # with what the parts before it take, the daemon stops within ten seconds though the disk is full
_LOOK_EVERY_S = 0.25

log = structlog.get_logger(__name__)


class Store:
    """Made by `open`. The owner awaits `watch`, which raises StoreBroken when the store cannot go on."""

    def __init__(self, driver: SqliteDriver, writer: Writer, reader: Reader, lock: StoreLock | None = None) -> None:
        self.writer = writer
        self.reader = reader
        self._driver = driver
        self._lock = lock
        self._closed = False
        self._running = asyncio.create_task(writer.run(), name="store-writer")

    @classmethod
    async def open(cls, url: str, on_commit: OnCommit | None = None, *, alone: bool = False) -> Self:
        """`sqlite:////absolute/file.db`, or `sqlite://` in memory. Migrates the file first.

        `alone` is the daemon's: no second one can have it, and a damaged file is refused. Raises StoreTaken then.
        """
        path = database_path(url)
        driver = SqliteDriver(path)
        if path == MEMORY:
            await driver.in_thread(schema.create)
            return cls(driver, Writer(driver, on_commit), MemoryReader(driver))
        with ExitStack() as undone:
            lock = undone.enter_context(StoreLock.take(path)) if alone else None
            await asyncio.to_thread(schema.upgrade, path)
            if alone:
                await asyncio.to_thread(refuse_damaged, path)
            reader = await FileReader.open(path)
            undone.pop_all()
        return cls(driver, Writer(driver, on_commit), reader, lock)

    async def watch(self) -> None:
        """Returns when the store was closed; raises StoreBroken when its file is damaged."""
        await asyncio.shield(self._running)

    def written(self, *tables: str) -> tuple[int, ...]:
        """How often each of these tables may have changed: the same numbers later mean the same rows."""
        return tuple(self._driver.written[table] for table in tables)

    async def close(self, within_seconds: float = _CLOSE_TIMEOUT_S) -> None:
        """Write what is queued; given up after `within_seconds`, or sooner where the disk goes on refusing it."""
        if self._closed:
            return
        self._closed = True
        try:
            async with asyncio.timeout(within_seconds):
                await self.writer.stop()
                await self._written()
        except (TimeoutError, CallwardenError) as error:
            # Not log.exception: where it happened is known, what the disk said is not.
            log.error("store_closed_unwritten", error=repr(error), last_error=self.writer.last_error)  # noqa: TRY400
        finally:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            await self.reader.close()
            await self._driver.close()
            if self._lock is not None:
                self._lock.release()

    async def _written(self) -> None:
        """Raises TimeoutError when it was refused for so long without a break; it may have been since before."""
        refused = 0.0
        while not self._running.done():
            await asyncio.wait([self._running], timeout=_LOOK_EVERY_S)
            refused = 0.0 if self.writer.healthy else refused + _LOOK_EVERY_S
            if refused >= _REFUSED_S and not self._running.done():
                raise TimeoutError
        await self._running


def database_path(url: str) -> str:
    """The file of a `sqlite:` URL, or `:memory:`."""
    parsed = _parsed(url)
    if parsed.drivername.startswith("postgres"):
        raise ConfigError("store.url: this version keeps its data in SQLite only; write sqlite:////absolute/path.db")
    if parsed.drivername != "sqlite" or parsed.query or parsed.host:
        raise ConfigError("store.url must read sqlite:////absolute/path.db (four slashes)")
    return parsed.database or MEMORY


def _parsed(url: str) -> URL:
    try:
        return make_url(url)
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        raise ConfigError("store.url must read sqlite:////absolute/path.db (four slashes)") from error
