"""The one writer: takes what waits, writes it in one transaction, then tells what is safe on disk.

It never drops a unit because the disk is full or the file is locked: it waits, and a full queue makes others wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from time import perf_counter
from typing import Any, TypeVar

import structlog

from daemon.store.recording import record
from daemon.store.sqlite import Outcome, Piece, SqliteDriver
from daemon.store.trouble import StoreBroken, StoreUnavailable
from daemon.store.values import Committed, Unit
from daemon.store.work import Work

T = TypeVar("T")
OnCommit = Callable[[list[Committed]], None]

_CAPACITY = 10_000
_GROUP = 256
_FIRST_PAUSE_S = 0.2
_LONGEST_PAUSE_S = 5.0
_LAST_PAUSES_S = 0.5  # once it is to end: there is not much time left

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class WriterNumbers:
    """Counters since the start, for the metrics."""

    commits: int = 0
    units: int = 0
    changes: int = 0
    refused_units: int = 0
    refused_changes: int = 0
    failed_attempts: int = 0
    failed_callbacks: int = 0
    commit_seconds: float = 0.0
    last_commit_seconds: float = 0.0
    longest_commit_seconds: float = 0.0
    last_group: int = 0
    largest_group: int = 0


@dataclass(frozen=True, slots=True)
class _Change:
    """A write that somebody waits for."""

    make_work: Callable[[], Work[Any]]
    answer: asyncio.Future[Any]

    def work(self) -> Work[Any]:
        # Whoever gave up waiting was told that nothing happened: so nothing may happen.
        return _nothing() if self.answer.done() else self.make_work()

    def halves(self) -> Sequence[Piece]:
        return ()


@dataclass(frozen=True, slots=True)
class _Units:
    units: tuple[Unit, ...]

    def work(self) -> Work[list[Committed]]:
        return record(self.units)

    def halves(self) -> Sequence[Piece]:
        if len(self.units) == 1:
            return ()
        middle = len(self.units) // 2
        return _Units(self.units[:middle]), _Units(self.units[middle:])


_Item = Unit | _Change | None  # None: stop


@dataclass(slots=True)
class _Group:
    items: list[Unit | _Change] = field(default_factory=list)
    last: bool = False

    def pieces(self) -> list[Piece]:
        """In order; neighbouring units are one piece."""
        pieces: list[Piece] = []
        for is_units, run in groupby(self.items, lambda item: isinstance(item, Unit)):
            if is_units:
                pieces.append(_Units(tuple(item for item in run if isinstance(item, Unit))))
            else:
                pieces.extend(item for item in run if isinstance(item, _Change))
        return pieces


class Writer:
    """`on_commit` gets what is safe on disk, in the order it was submitted; it must return at once.

    `on_timing` is told the seconds of each commit.
    """

    def __init__(
        self, driver: SqliteDriver, on_commit: OnCommit | None = None, *, capacity: int = _CAPACITY, group: int = _GROUP
    ) -> None:
        self.on_commit = on_commit
        self.numbers = WriterNumbers()
        self.last_error: str | None = None
        self.on_timing: Callable[[float], object] | None = None
        self.capacity = capacity
        self.busy = False  # a group is being written
        self._driver = driver
        self._group = group
        self._queue: asyncio.Queue[_Item] = asyncio.Queue(capacity)
        self._ended: Exception | None = None
        self._gone = False
        self._hurry = asyncio.Event()

    @property
    def healthy(self) -> bool:
        """False while the disk refuses; `last_error` says why."""
        return self.last_error is None

    @property
    def waiting(self) -> int:
        """Units and changes that are not in a transaction yet."""
        return self._queue.qsize()

    async def submit(self, unit: Unit) -> None:
        """Queue a unit; waits only while the queue is full. Raises StoreBroken once the writer has given up."""
        await self._put(unit)

    async def change(self, make_work: Callable[[], Work[T]]) -> T:
        """Run a piece of work in its turn and return its result once it is durable.

        `make_work` may be called more than once. What the work raises undoes it and is raised here; a broken unique or
        foreign key is `Conflict`. A caller who stops waiting before its turn has changed nothing.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._put(_Change(make_work, answer))
        return await answer

    async def drain(self) -> None:
        """Wait until everything queued so far is written (or the writer has given up)."""
        if not self._gone:
            await self._queue.join()

    async def stop(self) -> None:
        """Let `run` end once everything queued so far is written; nothing is accepted any more."""
        if self._ended is None:
            self._ended = StoreUnavailable("the store is closed")
            self._hurry.set()
            await self._queue.put(None)

    async def run(self) -> None:
        """Write until `stop`. Raises StoreBroken when the file is damaged."""
        last = False
        while not last:
            group = await self._take()
            self.busy = True
            try:
                self._settle(await self._commit(group))
            except BaseException as error:
                self._give_up(group, error)
                raise
            finally:
                self.busy = False
                self._done(len(group.items) + group.last)
            last = group.last

    async def _put(self, item: Unit | _Change) -> None:
        if self._ended is None:
            await self._queue.put(item)
        if self._ended is not None:
            raise self._ended

    async def _take(self) -> _Group:
        """Everything that waits, up to the bound; at least one item."""
        group = _Group()
        item = await self._queue.get()
        while item is not None:
            group.items.append(item)
            if len(group.items) >= self._group or self._queue.empty():
                return group
            item = self._queue.get_nowait()
        group.last = True
        return group

    async def _commit(self, group: _Group) -> list[Outcome]:
        """Try until the store takes the group: there is nowhere else to put it."""
        for pause in _pauses():
            started = perf_counter()
            try:
                outcomes = await self._driver.transact(group.pieces())
            except StoreUnavailable as error:
                self._note_failure(error, group)
                await self._pause(pause)
            else:
                self._note_commit(perf_counter() - started, group)
                return outcomes
        raise AssertionError

    async def _pause(self, seconds: float) -> None:
        if self._hurry.is_set():
            await asyncio.sleep(min(seconds, _LAST_PAUSES_S))
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._hurry.wait()

    def _settle(self, outcomes: Iterable[Outcome]) -> None:
        committed = [one for outcome in outcomes if isinstance(outcome.piece, _Units) for one in self._units(outcome)]
        if committed and self.on_commit is not None:
            try:
                self.on_commit(committed)
            except Exception:
                self.numbers.failed_callbacks += 1
                log.exception("on_commit_failed", calls=[one.unit.call.call_id for one in committed])
        for outcome in outcomes:
            if isinstance(outcome.piece, _Change):
                self._answer(outcome.piece, outcome)

    def _units(self, outcome: Outcome) -> list[Committed]:
        if outcome.error is None:
            done: list[Committed] = outcome.result
            self.numbers.units += len(done)
            return done
        self.numbers.refused_units += 1
        assert isinstance(outcome.piece, _Units)
        (unit,) = outcome.piece.units
        _log_refused(unit, outcome.error)
        return []

    def _answer(self, change: _Change, outcome: Outcome) -> None:
        self.numbers.changes += outcome.error is None
        self.numbers.refused_changes += outcome.error is not None
        if change.answer.done():  # cancelled while it was being written
            return
        if outcome.error is None:
            change.answer.set_result(outcome.result)
        else:
            change.answer.set_exception(outcome.error)

    def _note_commit(self, seconds: float, group: _Group) -> None:
        numbers, size = self.numbers, len(group.items)
        numbers.commits += 1
        numbers.commit_seconds += seconds
        numbers.last_commit_seconds = seconds
        numbers.longest_commit_seconds = max(numbers.longest_commit_seconds, seconds)
        numbers.last_group = size
        numbers.largest_group = max(numbers.largest_group, size)
        if self.on_timing is not None:
            self.on_timing(seconds)
        if self.last_error is not None:
            log.info("store_recovered", after=self.last_error, waiting=self.waiting)
            self.last_error = None

    def _note_failure(self, error: StoreUnavailable, group: _Group) -> None:
        self.numbers.failed_attempts += 1
        if self.last_error != str(error):
            log.error("store_unavailable", error=str(error), items=len(group.items), waiting=self.waiting)
        self.last_error = str(error)

    def _give_up(self, group: _Group, error: BaseException) -> None:
        """Nobody may wait for a writer that is gone."""
        ended = error if isinstance(error, StoreBroken) else StoreUnavailable("the store's writer has ended")
        self._ended, self._gone = ended, True
        self.last_error = str(ended)
        left: list[_Item] = [*group.items]
        while not self._queue.empty():
            left.append(self._queue.get_nowait())
            self._queue.task_done()
        for item in left:
            if isinstance(item, _Change) and not item.answer.done():
                item.answer.set_exception(ended)
        log.error("store_writer_ended", error=str(ended), lost_units=sum(isinstance(item, Unit) for item in left))

    def _done(self, count: int) -> None:
        for _ in range(count):
            self._queue.task_done()


def _nothing() -> Work[None]:
    yield from ()


def _pauses() -> Iterator[float]:
    pause = _FIRST_PAUSE_S
    while True:
        yield pause
        pause = min(pause * 2, _LONGEST_PAUSE_S)


def _log_refused(unit: Unit, error: Exception) -> None:
    """Enough to repair by hand; numbers stay out of the log."""
    call = unit.call
    log.error(
        "store_unit_refused",
        error=repr(error),
        at=unit.at,
        pbx=call.pbx,
        call_id=call.call_id,
        direction=call.direction.value,
        state=call.state.value,
        outcome=call.outcome and call.outcome.value,
        queue=call.queue,
        user_ids=call.user_ids,
        started_at=call.started_at,
        answered_at=call.answered_at,
        ended_at=call.ended_at,
        decisions=[f"{type(decision).__name__}:{decision.reason.value}" for decision in unit.decisions],
    )
