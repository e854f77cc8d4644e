"""Opening, reading beside writing, restarting, and URLs that are refused."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, text

from daemon.call.model import ConnectionLoss, LostSide, PbxName
from daemon.call.signals import ChannelId, UnixMs
from daemon.errors import ConfigError
from daemon.store.live_calls import ended_lately, heartbeat, last_alive, living_calls
from daemon.store.reader import FileReader
from daemon.store.store import Store, database_path
from daemon.store.tables import queues, tickets
from daemon.store.trouble import StoreBroken, StoreUnavailable
from daemon.store.work import Query, Work
from tests.store.made import answered, answered_call, ended, ringing, unit


@pytest.fixture(params=["file", "memory"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite:///{tmp_path / 'a.db'}" if request.param == "file" else "sqlite://")
    yield store
    await store.close()


async def test_a_new_store_knows_no_calls_and_never_lived(store: Store) -> None:
    assert await living_calls(store.reader) == []
    assert await last_alive(store.reader) == {}


async def test_living_calls_come_back_as_they_were_oldest_first(store: Store) -> None:
    living = [answered(ringing(1)), ringing(2)]
    for call in (living[1], ended(ringing(3)), living[0]):
        await store.writer.submit(unit(call))
    await store.writer.drain()
    assert await living_calls(store.reader) == living


async def test_a_lost_connection_outlives_a_restart_with_all_that_its_clock_needs(store: Store) -> None:
    lost = ConnectionLoss(ChannelId("1795332859.1"), LostSide.AGENT, UnixMs(1_795_332_870_000), 418)
    call = replace(answered(ringing(1)), lost=lost)
    await store.writer.submit(unit(call))
    await store.writer.drain()
    assert await living_calls(store.reader) == [call]


async def test_calls_that_ended_lately_are_told_from_the_living_and_the_old(store: Store) -> None:
    old, late, living = ended(ringing(1)), ended(answered(ringing(50))), ringing(51)
    for call in (old, late, living):
        await store.writer.submit(unit(call))
    await store.writer.drain()
    assert await ended_lately(store.reader, late.started_at) == [(late.pbx, late.call_id)]


async def test_the_last_heartbeat_of_each_pbx_that_was_followed_is_kept(store: Store) -> None:
    main, branch = PbxName("main"), PbxName("100%_branch")
    for at, followed in ((1_795_320_000_000, [main, branch]), (1_795_320_005_000, [main]), (1_795_320_010_000, [])):
        await store.writer.change(partial(heartbeat, UnixMs(at), followed))
    assert await last_alive(store.reader) == {main: 1_795_320_005_000, branch: 1_795_320_000_000}


async def test_reading_never_sees_half_a_group(store: Store) -> None:
    units = [each for number in range(100) for each in answered_call(number)]
    submitting = asyncio.gather(*(store.writer.submit(each) for each in units))
    both = select(
        select(func.count()).select_from(tickets).scalar_subquery().label("tickets"),
        text("(SELECT count(*) FROM ticket_calls) AS entered"),
    )
    for _ in range(20):
        (row,) = await store.reader.fetch(both)
        assert row["tickets"] == row["entered"]
    await submitting


async def test_rows_read_have_real_booleans_and_names(store: Store) -> None:
    def add() -> Work[None]:
        yield Query(insert(queues), {"name": "sales", "create_tickets": False})

    await store.writer.change(add)
    (row,) = await store.reader.fetch(select(queues.c.create_tickets, (queues.c.name + "!").label("loud")))
    assert row == {"create_tickets": False, "loud": "sales!"}
    assert row["create_tickets"] is False


async def test_a_reader_cannot_write(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'a.db'}")
    with pytest.raises(Exception, match="readonly"):
        await store.reader.fetch(insert(queues), {"name": "x", "create_tickets": True})
    assert await store.reader.fetch(select(queues)) == []
    await store.close()


async def test_many_readers_at_once_are_all_answered(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'a.db'}")
    answers = await asyncio.gather(*(store.reader.fetch(text("SELECT :n AS n"), {"n": n}) for n in range(50)))
    assert [rows[0]["n"] for rows in answers] == list(range(50))
    await store.close()


async def test_a_reader_that_is_cancelled_leaves_its_connection_usable(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'a.db'}")
    endless = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n")
    for _ in range(6):  # more than there are connections
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await store.reader.fetch(endless)
    assert await store.reader.fetch(text("SELECT 1 AS one")) == [{"one": 1}]
    await store.close()


async def test_a_slow_read_is_given_up_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.store.reader._TIMEOUT_S", 0.05)
    store = await Store.open(f"sqlite:///{tmp_path / 'a.db'}")
    endless = text("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n")
    with pytest.raises(StoreUnavailable):
        await store.reader.fetch(endless)
    await store.close()


async def test_a_database_that_is_away_cannot_be_opened_for_reading(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        await FileReader.open(str(tmp_path / "missing.db"))
    await asyncio.sleep(0.05)  # aiosqlite 0.22 does not wait for the thread of a connection that failed


async def test_two_stores_in_memory_are_two_stores() -> None:
    one, two = await Store.open("sqlite://"), await Store.open("sqlite://")
    await one.writer.submit(unit(ringing(1)))
    await one.writer.drain()
    assert len(await living_calls(one.reader)) == 1
    assert await living_calls(two.reader) == []
    await one.close()
    await two.close()


async def test_what_was_closed_opens_again_as_it_was(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'tổng đài #1.db'}"
    store = await Store.open(url)
    await store.writer.submit(unit(ringing(1)))
    await store.close()
    await store.close()
    again = await Store.open(url)
    assert await living_calls(again.reader) == [ringing(1)]
    await again.close()


async def test_a_closed_store_ends_its_watch(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite:///{tmp_path / 'a.db'}")
    watching = asyncio.create_task(store.watch())
    await asyncio.sleep(0)
    await store.close()
    await watching


async def test_a_damaged_file_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"\x00rubbish" * 1000)
    with pytest.raises(StoreBroken, match="restore a backup"):
        await Store.open(f"sqlite:///{tmp_path / 'a.db'}")


async def test_a_locked_file_is_refused_at_the_start_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.store.sqlite._BUSY_TIMEOUT_S", 0.05)
    other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="locked"):
        await Store.open(f"sqlite:///{tmp_path / 'a.db'}")
    other.close()


@pytest.mark.parametrize(
    "url",
    ["postgresql://host/db", "postgresql+asyncpg://host/db", "mysql://host/db", "sqlite://relative.db", "nonsense", ""],
)
async def test_other_databases_are_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(ConfigError, match=r"sqlite:////absolute/path\.db"):
        await Store.open(url)


def test_the_path_is_what_stands_in_the_url() -> None:
    assert database_path("sqlite:////var/lib/callwarden/callwarden.db") == "/var/lib/callwarden/callwarden.db"
    assert database_path("sqlite://") == database_path("sqlite:///:memory:") == ":memory:"
