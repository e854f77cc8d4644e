"""A store that refuses for a while, or refuses one record: nothing is forgotten, nothing is sent for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from sqlalchemy import Executable

from daemon.delivery import recorder as recorder_module
from daemon.delivery.recorder import Recorder
from daemon.delivery.shelf import Shelf
from daemon.errors import TryAgain
from daemon.store.outbox import Settlement
from daemon.store.reader import Reader
from daemon.store.values import DeliveryStatus
from daemon.store.work import Row, Values, Work
from tests.delivery.house import LIMITS, event, house, now, popup
from tests.delivery.receiver import Receiver

T = TypeVar("T")
_NO_VALUES: Values = {}


class Writes:
    """Raises `errors` first, one a call; then takes everything. `poison` is a delivery id it never takes."""

    def __init__(self, *errors: Exception, poison: str | None = None) -> None:
        self.errors = list(errors)
        self.poison = poison
        self.taken = 0

    async def change(self, make_work: Callable[[], Work[T]]) -> T:
        await asyncio.sleep(0)
        if self.errors:
            raise self.errors.pop(0)
        work, query = make_work(), None
        try:
            query = next(work)
            while True:
                if self.poison is not None and self.poison in str(query.values):
                    raise ValueError("no such luck")
                query = work.send([])
        except StopIteration as done:
            self.taken += 1
            result: T = done.value
            return result


def settlement(delivery_id: str) -> Settlement:
    return Settlement(
        delivery_id=delivery_id,
        webhook_id="wh_1",
        url="http://127.0.0.1:1/hook",
        at=now(),
        status=DeliveryStatus.DELIVERED,
        next_attempt_at=None,
        error=None,
        attempt=None,
    )


async def record(writes: Writes, *ids: str) -> tuple[list[str], Recorder]:
    done: list[str] = []

    def recorded(_: Sequence[Settlement], kept: Sequence[Settlement]) -> None:
        done.extend(one.delivery_id for one in kept)

    recorder = Recorder(writes, recorded, limit=10, linger_s=0)
    task = asyncio.create_task(recorder.run())
    for one in ids:
        await recorder.put(settlement(one))
    async with asyncio.timeout(2):
        await recorder.drained()
    task.cancel()
    return done, recorder


async def test_results_wait_for_a_store_that_is_locked_or_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder_module, "PAUSE_AFTER_TROUBLE_S", 0.01)
    done, recorder = await record(Writes(TryAgain(), TryAgain()), "a", "b")
    assert done == ["a", "b"]
    assert (recorder.troubles, recorder.lost, recorder.unrecorded) == (2, 0, 0)


async def test_one_bad_record_does_not_hold_up_the_others() -> None:
    done, recorder = await record(Writes(poison="bad"), "a", "bad", "c")
    assert done == ["a", "c"]
    assert recorder.lost == 1


async def test_many_results_share_a_commit() -> None:
    writes = Writes()
    done, _ = await record(writes, *map(str, range(10)))
    assert len(done) == 10
    assert writes.taken < 5


class Moody:
    """A reader that fails as often as it is told to."""

    def __init__(self, inner: Reader) -> None:
        self.inner = inner
        self.failures = 0

    async def fetch(self, statement: Executable, values: Values = _NO_VALUES) -> list[Row]:
        if self.failures:
            self.failures -= 1
            raise TryAgain("the disk sleeps")
        return await self.inner.fetch(statement, values)

    async def fetch_slowly(self, statement: Executable, values: Values = _NO_VALUES) -> list[Row]:
        return await self.fetch(statement, values)

    async def close(self) -> None:
        await self.inner.close()


async def test_a_store_that_cannot_be_read_for_a_while_only_delays(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path, replace(LIMITS, after_trouble_ms=20), start=False) as h:
        moody = Moody(h.store.reader)
        h.outbox.refill._reads = moody
        await h.keep([event(n, crm.url) for n in range(3)])
        moody.failures = 3
        await h.outbox.start()
        await h.until(lambda: len(h.settled) == 3)
        assert h.outbox.refill.troubles == 3


async def test_watch_tells_of_a_service_that_ended_and_returns_after_a_stop(tmp_path: Path) -> None:
    async with house(tmp_path) as h:
        watching = asyncio.create_task(h.outbox.watch())
        await asyncio.sleep(0.01)
        assert not watching.done()
        await h.outbox.stop(0.1)
        await asyncio.wait_for(watching, 1)


async def test_a_crash_in_a_request_frees_its_slot_and_is_not_repeated(tmp_path: Path) -> None:
    async with Receiver() as crm, house(tmp_path, replace(LIMITS, per_target=1)) as h:
        secret, h.secrets.secret = h.secrets.secret, "no Secret at all"  # type: ignore[assignment]
        await h.give(event(1, crm.url))
        await h.until(lambda: not h.outbox._requests)
        h.secrets.secret = secret
        await h.give(event(2, crm.url))
        await h.until_status("dlv_00002", "delivered")
        assert [one.webhook_id for one in crm.requests] == ["dlv_00002"]


def test_idle_targets_are_forgotten_and_busy_ones_kept() -> None:
    shelf = Shelf(replace(LIMITS, idle_targets=3))
    for n in range(6):
        shelf.put(popup(n, f"http://host{n}.example/pop"))
        if n:
            shelf.targets[f"popup http://host{n}.example"].queue.clear()
            shelf.release(f"pop_{n:05d}")
    shelf.put(popup(9, "http://[not a url/"))
    shelf.tidy()
    assert sorted(shelf.targets) == ["popup", "popup http://host0.example"]
