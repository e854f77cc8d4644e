"""The one connection that writes, in the one thread that uses it. It must never be touched from another thread."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sqlalchemy import Executable

from daemon.store.statement import CompiledStatement, StatementCache
from daemon.store.thread import JobThread
from daemon.store.trouble import StoreBroken, StoreUnavailable, primary_code, sorted_error
from daemon.store.work import Query, Row, Values, Work

T = TypeVar("T")

MEMORY = ":memory:"
_BUSY_TIMEOUT_S = 1.0  # the writer itself tries again with growing pauses; this only bridges a passing lock


class Piece(Protocol):
    """Something to write. When it fails it alone is undone, and its halves (if any) are tried in its place."""

    def work(self) -> Work[Any]: ...

    def halves(self) -> Sequence[Piece]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a piece: its result, or the error for which it was undone."""

    piece: Piece
    result: Any = None
    error: Exception | None = None


class SqliteDriver:
    """Runs pieces of work, several to a transaction. `path` may be `:memory:`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.written: Counter[str] = Counter()
        """Transactions that may have changed each table; counted before anybody is told of the commit."""
        self._writing: set[str] = set()
        self._thread = JobThread("store-writer")
        self._compiled = StatementCache()
        self._connection: sqlite3.Connection | None = None

    async def transact(self, pieces: Sequence[Piece]) -> list[Outcome]:
        """All pieces in order in one transaction, durable on return. A bad piece is undone alone and told apart.

        Raises StoreUnavailable or StoreBroken when nothing was written.
        """
        return await self.in_thread(lambda connection: self._transact(connection, pieces))

    async def in_thread(self, use: Callable[[sqlite3.Connection], T]) -> T:
        """Run `use` with the connection, in its thread, between transactions."""
        return await self._thread.run(lambda: self._use(use))

    async def fetch(self, statement: Executable, values: Values) -> list[Row]:
        """Read on the writing connection, between transactions."""
        return await self.in_thread(lambda connection: self._execute_one(connection, Query(statement), values))

    async def close(self) -> None:
        await self._thread.run(self._disconnect)
        await self._thread.close()

    def _use(self, use: Callable[[sqlite3.Connection], T]) -> T:
        try:
            if self._connection is None:
                self._connection = connect(self.path)
            return use(self._connection)
        except sqlite3.Error as error:
            self._forget_after(error)
            raise sorted_error(error) from error

    def _forget_after(self, error: sqlite3.Error) -> None:
        # After a failed write or fsync the kernel may have dropped dirty pages; only a new connection, which reads the
        # log again by its checksums, knows what is really there.
        if primary_code(error) == sqlite3.SQLITE_IOERR and self.path != MEMORY:
            self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def _transact(self, connection: sqlite3.Connection, pieces: Iterable[Piece]) -> list[Outcome]:
        connection.execute("BEGIN IMMEDIATE")
        self._writing.clear()
        try:
            outcomes = [outcome for piece in pieces for outcome in self._attempt(connection, piece)]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # SQLite may have rolled back by itself
                connection.execute("ROLLBACK")
            raise
        finally:
            self.written.update(self._writing)  # also after an error: who can tell what a broken disk has kept
        return outcomes

    def _attempt(self, connection: sqlite3.Connection, piece: Piece) -> list[Outcome]:
        connection.execute("SAVEPOINT piece")
        try:
            outcomes = [Outcome(piece, self._run(connection, piece.work()))]
        except Exception as error:
            reason = sorted_error(error)
            if isinstance(reason, StoreUnavailable | StoreBroken) or not connection.in_transaction:
                raise
            connection.execute("ROLLBACK TO piece")
            outcomes = [outcome for half in piece.halves() for outcome in self._attempt(connection, half)]
            outcomes = outcomes or [Outcome(piece, error=reason)]
        connection.execute("RELEASE piece")
        return outcomes

    def _run(self, connection: sqlite3.Connection, work: Work[T]) -> T:
        try:
            query = next(work)
            while True:
                query = work.send(self._execute(connection, query))
        except StopIteration as done:
            result: T = done.value
            return result

    def _execute(self, connection: sqlite3.Connection, query: Query) -> list[Row]:
        values = query.values
        if isinstance(values, Mapping):
            return self._execute_one(connection, query, values)
        if values == ():  # the default: no parameters. An empty list, in contrast, runs nothing.
            return self._execute_one(connection, query, {})
        if not values:
            return []
        compiled = self._compiled(query.statement, tuple(values[0]))
        self._note(compiled)
        if compiled.returns_rows or compiled.expanding:
            return [row for each in values for row in self._execute_one(connection, query, each)]
        fixed = compiled.fixed
        connection.executemany(compiled.text, [{**fixed, **each} for each in values] if fixed else values)
        return []

    def _execute_one(self, connection: sqlite3.Connection, query: Query, values: Values) -> list[Row]:
        compiled = self._compiled(query.statement, tuple(values))
        self._note(compiled)
        return compiled.mappings(connection.execute(*compiled.bound(values)))

    def _note(self, compiled: CompiledStatement) -> None:
        if compiled.writes is not None:
            self._writing.add(compiled.writes)


def connect(path: str) -> sqlite3.Connection:
    """Durable at commit: with WAL only synchronous=FULL survives a power cut (https://www.sqlite.org/wal.html)."""
    connection = sqlite3.connect(path, timeout=_BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        # temp_store: a savepoint's statement journal would otherwise be a file, ten times the cost of the statement.
        for pragma in (
            "journal_mode=WAL",
            "synchronous=FULL",
            "foreign_keys=ON",
            "temp_store=MEMORY",
            "secure_delete=ON",
        ):
            connection.execute(f"PRAGMA {pragma}").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection
