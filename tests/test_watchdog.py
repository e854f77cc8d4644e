"""When the watchdog is fed and when not: a part that hangs is named, one that waits for the world outside is not."""

from __future__ import annotations

import asyncio
import contextlib
import math
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.ami.link import AmiLink
from daemon.ami.settings import AmiConfig, AmiTimings
from daemon.app import Daemon
from daemon.call.model import PbxName
from daemon.call.signals import Signal
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.service import look_every
from daemon.store.live_calls import heartbeat
from daemon.watchdog import LOOK_EVERY_S, Sight, Watchdog, look, status_line, stuck
from tests.whole.house import config_text, simulated_pbx, until

IDLE = Sight(
    owner_steps=5, owner_waits=False, owner_full=False, store_steps=3, store_waits=False, overdue=()
)  # fmt: skip
LOOK_S = 0.05
MAIN = PbxName("main")
LONGEST_PAUSE_S = 6.0  # of the store between two attempts


def test_who_has_nothing_to_do_does_not_hang() -> None:
    assert stuck(IDLE, IDLE, store_full=False) == []


def test_the_owner_of_the_calls_hangs_when_signals_wait_and_none_is_taken() -> None:
    busy = replace(IDLE, owner_waits=True)
    assert stuck(busy, busy, store_full=False) == ["dispatcher"]
    assert stuck(busy, replace(busy, owner_steps=6), store_full=False) == []


def test_the_store_hangs_when_nothing_is_written_or_tried() -> None:
    busy = replace(IDLE, store_waits=True)
    assert stuck(busy, busy, store_full=False) == ["store"]
    assert stuck(busy, replace(busy, store_steps=4), store_full=False) == []


def test_who_waits_for_another_part_is_not_to_blame() -> None:
    """The store is full: the owner waits for it. The owner's queue is full: nobody reads the PBX."""
    full = replace(IDLE, owner_waits=True, owner_full=True, store_waits=True, overdue=("main",))
    assert stuck(full, full, store_full=True) == ["store"]
    assert stuck(full, replace(full, store_steps=4), store_full=True) == []


def test_a_link_behind_its_own_deadline_hangs() -> None:
    assert stuck(IDLE, replace(IDLE, overdue=("main",)), store_full=False) == ["pbx main"]


class Fed:
    """What a service manager would be told."""

    def __init__(self) -> None:
        self.times = 0
        self.status = ""

    def moving(self) -> None:
        self.times += 1

    def said(self, status: str) -> None:
        self.status = status


@contextlib.asynccontextmanager
async def watched(daemon: Daemon) -> AsyncIterator[Fed]:
    fed = Fed()
    task = asyncio.create_task(Watchdog(daemon, fed.moving, fed.said, every_s=LOOK_S).run())
    yield fed
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    async with simulated_pbx() as pbx:
        path = tmp_path / "callwarden.toml"
        path.write_text(config_text(tmp_path, pbx))
        async with Daemon(load_config(path)) as daemon:
            await until(lambda: _connected(daemon))
            yield daemon


async def _connected(daemon: Daemon) -> bool:
    return all(link.state.value == "connected" for link in daemon.links.values())


async def test_a_store_that_hangs_starves_the_watchdog_and_one_that_moves_again_feeds_it(daemon: Daemon) -> None:
    hold, driver = threading.Event(), daemon.store._driver
    async with watched(daemon) as fed:
        await asyncio.sleep(LOOK_S * 3)
        assert fed.times >= 2
        assert fed.status == "live calls: 0; main connected"
        holding = asyncio.create_task(driver.in_thread(lambda _: hold.wait()))
        await asyncio.sleep(0)
        writing = asyncio.create_task(daemon.store.writer.change(lambda: heartbeat(now_ms(), [MAIN])))
        try:
            await until(lambda: _says(fed, "STUCK: store;"))
            before = fed.times
            await asyncio.sleep(LOOK_S * 6)
            assert fed.times == before
        finally:
            hold.set()
        await asyncio.gather(holding, writing)
        await until(lambda: _says(fed, "live calls: 0"))
        assert fed.times > before


async def test_one_look_alone_blames_nobody(daemon: Daemon) -> None:
    """At the start the store is always busy."""
    hold, driver = threading.Event(), daemon.store._driver
    holding = asyncio.create_task(driver.in_thread(lambda _: hold.wait()))
    await asyncio.sleep(0)
    writing = asyncio.create_task(daemon.store.writer.change(lambda: heartbeat(now_ms(), [MAIN])))
    fed = Fed()
    task = asyncio.create_task(Watchdog(daemon, fed.moving, fed.said, every_s=LOOK_S).run())
    await until(lambda: _says(fed, "live calls: 0"))
    hold.set()
    task.cancel()
    await asyncio.gather(holding, writing)
    assert fed.times == 1


async def test_a_database_that_somebody_locks_does_not_starve_it(daemon: Daemon, tmp_path: Path) -> None:
    """Trying again is moving."""
    other = sqlite3.connect(tmp_path / "callwarden.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        writing = asyncio.create_task(daemon.store.writer.change(lambda: heartbeat(now_ms(), [MAIN])))
        await until(lambda: _tried(daemon, 1))
        before = look(daemon, time.monotonic())
        assert before.store_waits
        await until(lambda: _tried(daemon, 2), deadline_s=LONGEST_PAUSE_S)
        assert stuck(before, look(daemon, time.monotonic()), store_full=False) == []
        assert status_line(daemon) == "live calls: 0; main connected; the store refuses writes"
    finally:
        other.execute("ROLLBACK")
        other.close()
    await asyncio.wait_for(writing, 20)


async def _tried(daemon: Daemon, times: int) -> bool:
    return daemon.store.writer.numbers.failed_attempts >= times


async def _says(fed: Fed, words: str) -> bool:
    return fed.status.startswith(words)


QUICK = AmiTimings(
    connect=0.1, login=0.1, ping_every=0.05, ping_answer=0.1, retry_first=0.05, retry_most=0.1, margin=0.3
)  # fmt: skip


class NoRoom:
    """A sink that never takes anything."""

    def put_nowait(self, item: Signal, /) -> None:
        raise asyncio.QueueFull

    async def put(self, item: Signal, /) -> None:
        await asyncio.Event().wait()


class Anything(NoRoom):
    """A sink that takes everything."""

    def put_nowait(self, item: Signal, /) -> None:
        return

    async def put(self, item: Signal, /) -> None:
        return


async def _overdue(link: AmiLink, seconds: float) -> float:
    """For how long, at most, the link was behind its deadline."""
    worst, end = -math.inf, time.monotonic() + seconds
    while time.monotonic() < end:
        worst = max(worst, time.monotonic() - link.alive_until)
        await asyncio.sleep(0.01)
    return worst


async def test_a_link_that_tries_to_reach_a_pbx_that_is_away_is_never_overdue(unused_tcp_port: int) -> None:
    link = AmiLink(AmiConfig("main", "user", "secret", port=unused_tcp_port, timings=QUICK))
    running = asyncio.create_task(link.run(Anything()))
    assert await _overdue(link, 1.5) < 0
    await link.close()
    await running


async def test_a_connected_link_on_which_nothing_happens_is_never_overdue() -> None:
    async with simulated_pbx() as pbx:
        link = AmiLink(AmiConfig("main", pbx.username, pbx.secret, port=pbx.port, timings=QUICK))
        running = asyncio.create_task(link.run(Anything()))
        assert await _overdue(link, 1.5) < 0
        assert link.state.value == "connected"
        await link.close()
        await running


async def test_a_link_that_gets_no_further_is_overdue(unused_tcp_port: int) -> None:
    link = AmiLink(AmiConfig("main", "user", "secret", port=unused_tcp_port, timings=QUICK))
    async with simulated_pbx() as pbx:
        link.config = replace(link.config, port=pbx.port, username=pbx.username, secret=pbx.secret)
        running = asyncio.create_task(link.run(NoRoom()))
        await asyncio.sleep(0.2)
    assert await _overdue(link, 1.5) > 0
    await link.close()
    await running


def test_looks_are_further_apart_than_a_store_that_tries_again_pauses() -> None:
    assert LOOK_EVERY_S > LONGEST_PAUSE_S


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 10.0),
        ({"WATCHDOG_USEC": "8000000"}, 2.0),
        ({"WATCHDOG_USEC": "90000000"}, 10.0),
        ({"WATCHDOG_USEC": "8000000", "WATCHDOG_PID": "1"}, 10.0),
        ({"WATCHDOG_USEC": "0"}, 10.0),
        ({"WATCHDOG_USEC": "soon"}, 10.0),
    ],
)
def test_the_looks_fit_into_what_the_unit_allows(environ: dict[str, str], seconds: float) -> None:
    assert look_every(environ) == seconds
