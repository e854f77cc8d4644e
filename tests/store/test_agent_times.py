"""Sums of what agents were: clipped to the span, equal to what a slow count of every second says."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from daemon.agent_times import AgentTimes
from daemon.call.model import PbxName
from daemon.call.signals import UnixMs
from daemon.errors import TryAgain
from daemon.policy.agent_period import Doing, Period, Seen, Sight
from daemon.policy.report_span import Stretch
from daemon.store import schema
from daemon.store.agent_periods import delete_old_periods, leave_periods, note_seen, read_periods
from daemon.store.live_calls import heartbeat
from daemon.store.report_agent_times import AgentTime, read_agent_times, times_statement
from daemon.store.report_calls import Asked
from daemon.store.statement import StatementCache
from daemon.store.store import Store
from daemon.store.work import Query, Work
from tests.factory import NOON

_WHAT = (
    (Doing.AVAILABLE, ""),
    (Doing.PAUSED, "lunch"),
    (Doing.PAUSED, ""),
    (Doing.WRAP_UP, "wrap_up"),
    (Sight.AWAY, ""),
    (Sight.NO_QUEUE, ""),
)


def at(seconds: int) -> UnixMs:
    return UnixMs(NOON + seconds * 1000)


def seen(seconds: int, what: Doing | Sight, reason: str = "") -> Seen:
    return Seen(at=at(seconds), what=what, reason=reason)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    store = await Store.open("sqlite://")
    yield store
    await store.close()


async def note(store: Store, *sightings: tuple[str, Seen]) -> None:
    await store.writer.change(lambda: note_seen(sightings))


async def read_times(store: Store, begin: int, end: int, now: int, user_id: str | None = None) -> list[AgentTime]:
    asked = Asked(stretch=Stretch(at(begin), at(end)), user_id=user_id)
    return sorted(await read_agent_times(store.reader, asked, at(now)), key=lambda one: one.user_id)


async def test_periods_are_clipped_to_the_span_and_what_goes_on_counts_until_now(store: Store) -> None:
    await note(
        store,
        ("an", seen(0, Doing.AVAILABLE)),
        ("an", seen(100, Doing.PAUSED, "lunch")),
        ("an", seen(200, Doing.AVAILABLE)),
        ("binh", seen(0, Doing.PAUSED)),
        ("binh", seen(50, Sight.AWAY)),
    )
    an, binh = await read_times(store, 40, 1000, 260)
    assert (an.available.ms, an.available.count, an.paused.ms, an.not_known) == (120_000, 2, 100_000, 0)
    assert {reason: spent.count for reason, spent in an.pauses.items()} == {"lunch": 1}
    assert (binh.paused.ms, binh.paused.estimated, binh.not_known) == (10_000, 1, 210_000)
    assert await read_times(store, -100, -50, 260) == []
    assert await read_times(store, 40, 1000, 260, "binh") == [binh]


async def test_a_start_after_a_crash_ends_what_went_on_where_it_was_last_seen_and_twice_is_once(store: Store) -> None:
    await note(store, ("an", seen(0, Doing.PAUSED, "lunch")), ("binh", seen(90, Doing.AVAILABLE)))
    for _ in range(2):
        await store.writer.change(lambda: leave_periods(at(60)))
    assert [(one.ended_at, one.estimated) for one in await read_periods(store.reader, "an")] == [(at(60), True)]
    assert [one.ended_at for one in await read_periods(store.reader, "binh")] == [at(90)]


async def test_what_was_over_before_a_moment_is_deleted_and_what_goes_on_stays(store: Store) -> None:
    await note(
        store, ("an", seen(0, Doing.AVAILABLE)), ("an", seen(100, Doing.PAUSED)), ("binh", seen(0, Doing.PAUSED))
    )
    assert await store.writer.change(lambda: delete_old_periods(at(1000))) == 1
    assert await store.writer.change(lambda: delete_old_periods(at(1000))) == 0
    assert [one.doing for one in await read_periods(store.reader, "an")] == [Doing.PAUSED]
    assert len(await read_periods(store.reader, "binh")) == 1


async def test_a_clock_that_was_ahead_before_a_restart_lets_no_period_end_in_the_future(store: Store) -> None:
    await note(store, ("an", seen(0, Doing.PAUSED, "lunch")))
    await store.writer.change(lambda: heartbeat(at(9_000), [PbxName("main")]))
    await AgentTimes(lambda: store, lambda: at(500)).begin(lambda _, now: Seen(at=now, what=Doing.AVAILABLE))
    assert [one.ended_at for one in await read_periods(store.reader, "an")] == [at(500)]


async def test_where_too_much_waits_the_agent_was_out_of_sight_and_the_rest_is_kept(store: Store) -> None:
    times = AgentTimes(lambda: store, lambda: at(500), most=1)
    await times.begin(lambda _, now: Seen(at=now, what=Doing.AVAILABLE))
    times.note("an", seen(0, Doing.AVAILABLE))
    times.note("an", seen(100, Doing.PAUSED, "lunch"))
    times.note("an", seen(200, Doing.AVAILABLE))
    await times._write_all()
    assert await read_periods(store.reader, "an") == [Period(began_at=at(0), doing=Doing.AVAILABLE)]
    times.note("an", seen(600, Doing.PAUSED, "lunch"))
    times.note("binh", seen(650, Doing.AVAILABLE))
    await times._write_all()
    assert [one.doing for one in await read_periods(store.reader, "an")] == [Doing.AVAILABLE, Doing.PAUSED]
    await times.close()
    assert all(one.ended_at is not None for one in await read_periods(store.reader, "an"))


async def test_whose_changes_could_not_be_written_is_not_left_in_the_pause_he_was_in(store: Store) -> None:
    times = AgentTimes(lambda: store, lambda: at(500))
    await times.begin(lambda _, now: Seen(at=now, what=Doing.AVAILABLE))
    running = asyncio.create_task(times.run())
    times.note("an", seen(0, Doing.PAUSED, "lunch"))
    await until(lambda: not times._waiting)
    await store.writer.change(lambda: named("agent_periods", "away"))
    times.note("an", seen(60, Doing.AVAILABLE))
    await until(lambda: bool(times._missed))
    await store.writer.change(lambda: named("away", "agent_periods"))
    times.note("binh", seen(100, Doing.AVAILABLE))
    await until(lambda: not times._missed and not times._waiting)
    running.cancel()
    assert await read_periods(store.reader, "an") == [
        Period(began_at=at(0), doing=Doing.PAUSED, reason="lunch", ended_at=at(60), estimated=True),
        Period(began_at=at(500), doing=Doing.AVAILABLE),
    ]


def named(old: str, new: str) -> Work[None]:
    yield Query(text(f"ALTER TABLE {old} RENAME TO {new}"))


async def until(reached: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not reached():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def test_a_store_that_is_gone_delays_no_end(store: Store) -> None:
    times = AgentTimes(lambda: store, lambda: at(500))
    await times.begin(lambda _, now: Seen(at=now, what=Doing.AVAILABLE))
    times.note("an", seen(0, Doing.AVAILABLE))
    await store.writer.stop()
    await times.close()
    with pytest.raises(TryAgain):
        await times._write_all()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(("an", "binh")), st.integers(0, 20), st.sampled_from(_WHAT)), max_size=25),
    st.integers(0, 300),
    st.integers(1, 300),
)
async def test_the_sums_are_those_of_a_slow_count_of_every_second(
    changes: list[tuple[str, int, tuple[Doing | Sight, str]]], begin: int, length: int
) -> None:
    store = await Store.open("sqlite://")
    try:
        now = 0
        for user_id, later, (what, reason) in changes:
            now += later
            await note(store, (user_id, seen(now, what, reason)))
        found = await read_times(store, begin, begin + length, now)
        counted: defaultdict[tuple[str, Doing, str], int] = defaultdict(int)
        for user_id in ("an", "binh"):
            periods = await read_periods(store.reader, user_id)
            for second in range(begin, min(begin + length, now)):
                for one in periods:
                    if one.began_at <= at(second) < (one.ended_at or at(now)):
                        counted[user_id, one.doing, one.reason] += 1000
        told = {
            (one.user_id, doing, reason): ms
            for one in found
            for doing, reason, ms in (
                (Doing.AVAILABLE, "", one.available.ms),
                (Doing.WRAP_UP, "wrap_up", one.wrap_up.ms),
                *((Doing.PAUSED, reason, spent.ms) for reason, spent in one.pauses.items()),
            )
            if ms
        }
        assert told == dict(counted)
    finally:
        await store.close()


@pytest.mark.parametrize(("user_id", "way"), [(None, "SCAN"), ("an", "SEARCH")])
def test_the_sums_come_from_one_index_in_its_order_whatever_the_span(
    tmp_path: Path, user_id: str | None, way: str
) -> None:
    path = tmp_path / "callwarden.db"
    schema.upgrade(str(path))
    statement = times_statement(Asked(stretch=Stretch(at(0), at(1)), user_id=user_id))
    with closing(sqlite3.connect(path)) as connection:
        names = ("b_begin", "b_end", "b_until")
        text, values = StatementCache()(statement, names).bound(dict.fromkeys(names, 1))
        plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {text}", values)]
    (found,) = plan
    assert found.startswith(f"{way} agent_periods USING COVERING INDEX ix_agent_periods_sums"), plan
