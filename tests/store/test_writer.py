"""The writer under bad work, a refusing disk and a stop: nothing lost, nothing half-written, nobody blocked."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import insert, select
from structlog.testing import capture_logs

from daemon.store import writer as writer_module
from daemon.store.store import Store
from daemon.store.tables import calls, queues, tickets
from daemon.store.trouble import Conflict, StoreBroken, StoreUnavailable
from daemon.store.values import Committed, Unit
from daemon.store.work import Query, Row, Work
from tests.store.made import Kept, answered_call, bad_unit, content_of_file, missed_call, missed_unit, ringing, unit

_INSERT_QUEUE = insert(queues)
_ALL_QUEUES = select(queues.c.name).order_by(queues.c.name)


def add_queue(name: str) -> Work[str]:
    yield Query(_INSERT_QUEUE, {"name": name, "create_tickets": True})
    return name


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "callwarden.db"


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def store(path: Path, kept: Kept, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Store]:
    monkeypatch.setattr(writer_module, "_FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr("daemon.store.sqlite._BUSY_TIMEOUT_S", 0.05)
    store = await Store.open(f"sqlite:///{path}", kept)
    yield store
    await store.close()


async def _names(store: Store) -> list[str]:
    return [row["name"] for row in await store.reader.fetch(_ALL_QUEUES)]


async def _until_unhealthy(store: Store) -> None:
    async with asyncio.timeout(10):
        while store.writer.healthy:  # noqa: ASYNC110 - a plain attribute, as the metrics see it
            await asyncio.sleep(0.005)


async def test_what_waits_together_is_committed_together_and_told_in_order(store: Store, kept: Kept) -> None:
    units = [each for number in range(50) for each in answered_call(number)]
    await asyncio.gather(*(store.writer.submit(each) for each in units))
    await kept.until(len(units))
    assert [done.unit for done in kept.all] == units
    assert store.writer.numbers.commits < 10
    assert store.writer.numbers.largest_group > 100
    assert store.writer.numbers.units == len(units)


async def test_a_change_returns_once_its_rows_can_be_read(store: Store) -> None:
    assert await store.writer.change(lambda: add_queue("sales")) == "sales"
    assert await _names(store) == ["sales"]


async def test_units_and_changes_keep_their_order(store: Store, kept: Kept) -> None:
    async def seen() -> list[Row]:
        def work() -> Work[list[Row]]:
            return (yield Query(select(tickets.c.missed_count)))

        return await store.writer.change(work)

    _, first, _, second = await asyncio.gather(
        store.writer.submit(missed_unit(ringing(1), "k")),
        seen(),
        store.writer.submit(missed_unit(ringing(2), "k")),
        seen(),
    )
    assert (first, second) == ([{"missed_count": 1}], [{"missed_count": 2}])


async def test_one_bad_unit_does_not_keep_the_others_back(store: Store, kept: Kept) -> None:
    good = [each for number in range(20) for each in missed_call(number)]
    with capture_logs() as logs:
        await asyncio.gather(*(store.writer.submit(each) for each in [*good[:13], bad_unit(99), *good[13:]]))
        await store.writer.drain()
    assert [done.unit for done in kept.all] == good
    assert store.writer.numbers.refused_units == 1
    assert store.writer.numbers.commits <= 2
    assert store.writer.healthy
    (refused,) = [entry for entry in logs if entry["event"] == "store_unit_refused"]
    assert refused["call_id"] == bad_unit(99).call.call_id
    assert "NOT NULL" in refused["error"]
    assert "+84901701234" not in json.dumps(refused)


async def test_a_change_that_breaks_a_unique_key_fails_alone(store: Store, kept: Kept) -> None:
    await store.writer.change(lambda: add_queue("sales"))
    results = await asyncio.gather(
        store.writer.change(lambda: add_queue("a")),
        store.writer.change(lambda: add_queue("sales")),
        store.writer.submit(unit(ringing(1))),
        store.writer.change(lambda: add_queue("b")),
        return_exceptions=True,
    )
    assert isinstance(results[1], Conflict)
    assert [results[0], results[3]] == ["a", "b"]
    assert await _names(store) == ["a", "b", "sales"]
    assert len(kept.all) == 1


async def test_what_the_work_raises_undoes_it_and_reaches_its_caller(store: Store) -> None:
    def work() -> Work[NoReturn]:
        yield from add_queue("never")
        raise LookupError("no such ticket")

    with pytest.raises(LookupError, match="no such ticket"):
        await store.writer.change(work)
    assert await _names(store) == []
    assert store.writer.numbers.refused_changes == 1


async def test_a_full_disk_loses_nothing_and_writes_no_half(store: Store, kept: Kept, path: Path) -> None:
    await store._driver.in_thread(lambda c: c.execute("PRAGMA max_page_count=1").fetchall())  # means: no page more
    units = [each for number in range(200) for each in answered_call(number)]
    for each in units:
        await store.writer.submit(each)
    waiting = asyncio.create_task(store.writer.change(lambda: add_queue("sales")))
    await _until_unhealthy(store)
    assert "the disk is full" in str(store.writer.last_error)
    on_disk = content_of_file(path)
    assert len(on_disk["calls"]) == len({done.unit.call.call_id for done in kept.all})
    assert len(on_disk["tickets"]) == sum(done.ticket is not None for done in kept.all)
    await store._driver.in_thread(lambda c: c.execute("PRAGMA max_page_count=1000000").fetchall())
    await kept.until(len(units))
    assert await waiting == "sales"
    assert [done.unit for done in kept.all] == units
    assert store.writer.healthy
    assert len(content_of_file(path)["tickets"]) == 200


async def test_a_lock_of_another_process_is_waited_out(store: Store, kept: Kept, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with capture_logs() as logs:
        await store.writer.submit(unit(ringing(1)))
        await _until_unhealthy(store)
        assert "locked" in str(store.writer.last_error)
        while store.writer.numbers.failed_attempts < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        other.execute("ROLLBACK")
        await kept.until(1)
    other.close()
    assert [entry["event"] for entry in logs] == ["store_unavailable", "store_recovered"]


async def test_a_caller_who_stopped_waiting_has_changed_nothing(store: Store, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await store.writer.change(lambda: add_queue("late"))
    other.execute("ROLLBACK")
    other.close()
    await store.writer.drain()
    assert await _names(store) == []


async def test_a_full_queue_makes_submitters_wait(path: Path, kept: Kept, store: Store) -> None:
    small = writer_module.Writer(store._driver, kept, capacity=2, group=2)
    for number in range(2):
        await small.submit(unit(ringing(number)))
    third = asyncio.create_task(small.submit(unit(ringing(3))))
    await asyncio.sleep(0.05)
    assert not third.done()
    running = asyncio.create_task(small.run())
    await third
    await small.stop()
    await running
    assert len(kept.all) == 3


async def test_a_stop_writes_what_is_queued(path: Path, store: Store) -> None:
    units = [unit(ringing(number)) for number in range(1000)]
    for each in units:
        await store.writer.submit(each)
    await store.close()
    assert len(content_of_file(path)["calls"]) == 1000
    with pytest.raises(StoreUnavailable):
        await store.writer.submit(units[0])


async def test_a_stop_with_a_full_disk_ends_in_time_and_says_what_was_left(store: Store) -> None:
    await store._driver.in_thread(lambda c: c.execute("PRAGMA max_page_count=1").fetchall())
    for number in range(300):
        for each in answered_call(number):
            await store.writer.submit(each)
    with capture_logs() as logs:
        await store.close(within_seconds=0.5)
    (ended,) = [entry for entry in logs if entry["event"] == "store_writer_ended"]
    assert ended["lost_units"] > 0


async def test_a_stop_does_not_wait_long_for_a_disk_that_goes_on_refusing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.store.store._REFUSED_S", 0.5)
    await store._driver.in_thread(lambda c: c.execute("PRAGMA max_page_count=1").fetchall())
    for number in range(300):
        for each in answered_call(number):
            await store.writer.submit(each)
    async with asyncio.timeout(5):  # without it: twenty
        await store.close()


async def test_an_observer_that_raises_stops_nothing(path: Path) -> None:
    def failing(committed: list[Committed]) -> None:
        raise RuntimeError(len(committed))

    store = await Store.open(f"sqlite:///{path}", failing)
    with capture_logs() as logs:
        await store.writer.submit(unit(ringing(1)))
        await store.writer.drain()
    assert [entry["event"] for entry in logs] == ["on_commit_failed"]
    assert store.writer.numbers.failed_callbacks == 1
    assert await store.reader.fetch(select(calls.c.call_id)) == [{"call_id": ringing(1).call_id}]
    await store.close()


async def _fill(path: Path) -> None:
    store = await Store.open(f"sqlite:///{path}")
    for number in range(300):
        for each in answered_call(number):
            await store.writer.submit(each)
    await store.close()


async def _feed_for_ever(store: Store) -> None:
    number = 1000
    while True:
        number += 1
        each: Unit
        for each in answered_call(number):
            await store.writer.submit(each)


async def test_a_damaged_file_ends_the_writer_and_everybody_who_waits(path: Path) -> None:
    await _fill(path)
    with path.open("r+b") as file:  # the first pages hold the schema: they stay, so that it opens
        size = file.seek(0, 2)
        file.seek(64 * 4096)
        file.write(b"\xff" * (size - 64 * 4096))
    store = await Store.open(f"sqlite:///{path}")
    feeding = asyncio.create_task(_feed_for_ever(store))
    async with asyncio.timeout(20):
        with pytest.raises(StoreBroken, match="restore a backup"):
            await store.watch()
        with pytest.raises(StoreBroken):
            await feeding
    with pytest.raises(StoreBroken):
        await store.writer.change(lambda: add_queue("x"))
    assert not store.writer.healthy
    async with asyncio.timeout(1):
        await store.writer.drain()
    await store.close()
