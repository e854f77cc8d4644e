"""Reading for pages and the API, beside the writer. It must never write.

SQLAlchemy's own engine on aiosqlite costs twice the time of aiosqlite (research/performance.md) and needs greenlet, so
the statements are compiled as for the writer and run on aiosqlite itself.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol, Self
from urllib.parse import quote

import aiosqlite
from sqlalchemy import Executable

from daemon.store.sqlite import SqliteDriver
from daemon.store.statement import StatementCache
from daemon.store.trouble import StoreUnavailable, sorted_error
from daemon.store.work import Row, Values

_TIMEOUT_S = 30.0
_CONNECTIONS = 4
_SLOW = 2  # of them; the others stay free for people who wait at a page and for what is to be sent
_CACHE_KIB = 8192  # the inner pages of a million calls' indexes; SQLite's own 2 MB are read anew for every call
_MANY = 500  # rows; making them by name takes about a millisecond, in which no call is followed
_NOTHING: Mapping[str, object] = {}


class Reader(Protocol):
    """`fetch` sees everything committed before it was called."""

    async def fetch(self, statement: Executable, values: Values = _NOTHING) -> list[Row]:
        """All rows at once, by column name: bound the statement. Raises StoreUnavailable, StoreBroken."""

    async def fetch_slowly(self, statement: Executable, values: Values = _NOTHING) -> list[Row]:
        """The same of what sums a great deal. Few are at work at a time, however many ask; the others wait."""

    async def close(self) -> None: ...


class FileReader:
    """A few connections of their own; with WAL they neither wait for the writer nor hold it up."""

    def __init__(self, connections: list[aiosqlite.Connection], opened: AsyncExitStack) -> None:
        self._opened = opened
        self._compiled = StatementCache()
        self._slow = asyncio.Semaphore(_SLOW)
        self._idle: asyncio.LifoQueue[aiosqlite.Connection] = asyncio.LifoQueue()
        for connection in connections:
            self._idle.put_nowait(connection)

    @classmethod
    async def open(cls, path: str) -> Self:
        async with AsyncExitStack() as opened:
            connections = [await _connect(path, opened) for _ in range(_CONNECTIONS)]
            return cls(connections, opened.pop_all())

    async def fetch(self, statement: Executable, values: Values = _NOTHING) -> list[Row]:
        compiled = self._compiled(statement, tuple(values))
        text, parameters = compiled.bound(values)
        try:
            async with asyncio.timeout(_TIMEOUT_S), self._borrowed() as connection:
                found = await connection.execute_fetchall(text, parameters)
        except TimeoutError as error:
            raise StoreUnavailable(f"the store did not answer within {_TIMEOUT_S:.0f} s") from error
        except sqlite3.Error as error:
            raise sorted_error(error) from error
        if len(rows := list(found)) > _MANY:
            return await asyncio.to_thread(compiled.mappings, rows)
        return compiled.mappings(rows)

    async def fetch_slowly(self, statement: Executable, values: Values = _NOTHING) -> list[Row]:
        async with self._slow:
            return await self.fetch(statement, values)

    async def close(self) -> None:
        await self._opened.aclose()

    @asynccontextmanager
    async def _borrowed(self) -> AsyncIterator[aiosqlite.Connection]:
        connection = await self._idle.get()
        try:
            yield connection
        except asyncio.CancelledError:
            await connection.interrupt()  # nobody waits for these rows any more, the next reader should not either
            raise
        finally:
            self._idle.put_nowait(connection)


class MemoryReader:
    """A database in memory has one connection: reads take their turn in the writer's thread, between transactions."""

    def __init__(self, driver: SqliteDriver) -> None:
        self._driver = driver

    async def fetch(self, statement: Executable, values: Values = _NOTHING) -> list[Row]:
        return await self._driver.fetch(statement, values)

    async def fetch_slowly(self, statement: Executable, values: Values = _NOTHING) -> list[Row]:
        return await self.fetch(statement, values)

    async def close(self) -> None:
        """The connection is the driver's."""


async def _connect(path: str, opened: AsyncExitStack) -> aiosqlite.Connection:
    # Not mode=ro: a reader of a WAL database may have to make its shared memory file (https://www.sqlite.org/wal.html).
    try:
        connection = await aiosqlite.connect(f"file:{quote(path)}?mode=rw", uri=True, isolation_level=None, timeout=5.0)
        opened.push_async_callback(connection.close)
        await connection.execute_fetchall("PRAGMA query_only=ON")
        await connection.execute_fetchall(f"PRAGMA cache_size=-{_CACHE_KIB}")
    except sqlite3.Error as error:
        raise sorted_error(error) from error
    connection.row_factory = sqlite3.Row
    return connection
