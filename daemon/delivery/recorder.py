"""Writes what attempts came to, many to a transaction. A full or locked store delays it; it forgets nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

import structlog

from daemon.errors import TryAgain
from daemon.store.outbox import Settlement, record_settlements
from daemon.store.work import Work

T = TypeVar("T")
log = structlog.get_logger(__name__)

MOST_IN_A_BATCH = 100
PAUSE_AFTER_TROUBLE_S = 1.0


class Writes(Protocol):
    """The part of the store's writer that is needed here."""

    async def change(self, make_work: Callable[[], Work[T]]) -> T: ...


class Recorder:
    """`recorded` gets a batch once it is durable, as it was put and as it was kept. When `limit` results wait, `put`
    waits: no new requests then. A batch is begun `linger_s` after its first result, so that few commits come in the
    way of the calls' own.
    """

    def __init__(
        self,
        writes: Writes,
        recorded: Callable[[Sequence[Settlement], Sequence[Settlement]], None],
        *,
        limit: int,
        linger_s: float,
    ) -> None:
        self._writes = writes
        self._recorded = recorded
        self._waiting: asyncio.Queue[Settlement] = asyncio.Queue(limit)
        self._linger_s = linger_s
        self.unrecorded = 0
        self.troubles = 0
        self.lost = 0

    async def put(self, settlement: Settlement) -> None:
        self.unrecorded += 1
        await self._waiting.put(settlement)

    async def run(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            await asyncio.sleep(self._linger_s)
            while len(batch) < MOST_IN_A_BATCH and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._record(batch)
            for _ in batch:
                self.unrecorded -= 1
                self._waiting.task_done()

    async def drained(self) -> None:
        await self._waiting.join()

    async def _record(self, batch: Sequence[Settlement]) -> None:
        while True:
            try:
                kept = await self._writes.change(lambda: record_settlements(batch))
            except TryAgain as error:
                self.troubles += 1
                log.warning("attempts_not_recorded_yet", attempts=len(batch), error=str(error))
                await asyncio.sleep(PAUSE_AFTER_TROUBLE_S)
            except Exception:  # noqa: BLE001 - one bad record must not hold up the others
                await self._record_apart(batch)
                return
            else:
                self._recorded(batch, kept)
                return

    async def _record_apart(self, batch: Sequence[Settlement]) -> None:
        if len(batch) > 1:
            for one in batch:
                await self._record([one])
            return
        # Not reported as recorded, so the outbox holds its id and does not send it again before the next start.
        self.lost += 1
        log.exception("attempt_not_recordable", delivery_id=batch[0].delivery_id, call_id=batch[0].call_id)
