"""When to catch up: links that flap, runs that are cut short and records that hang lose nothing."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from daemon.ami.call_records import Gathered
from daemon.call.events import CallEnded
from daemon.call.model import Call, CallId, CallState, Direction, MissedReason, Outcome, PbxName
from daemon.call.records import Attempt, Party
from daemon.call.signals import ChannelId, ChannelKind, DialStatus, Endpoint, LinkDown, Snapshot, UnixMs
from daemon.call.timeline import Moment, What
from daemon.catch_ups import LONGEST_MS, CatchUps
from daemon.rules import Rules
from daemon.store.call_pages import find_call
from daemon.store.call_story import read_moments
from daemon.store.catching_up import unheard_since
from daemon.store.recording import record
from daemon.store.store import Store
from daemon.store.values import Unit
from tests.whole.house import until

MAIN = PbxName("main")
T = UnixMs(1_700_000_000_000)
MINUTE = 60_000
ID = CallId("1699999990.1")
ROW = Attempt(
    channel=ChannelId(ID),
    linked=ChannelId(ID),
    order=1,
    caller=Party("PJSIP/trunk-1", ChannelKind.DEVICE, Endpoint("PJSIP/trunk")),
    callee=None,
    number="0901234567",
    name=None,
    dialled="100",
    hotline=None,
    application="queue",
    queue="q",
    status=DialStatus.NO_ANSWER,
    started_at=UnixMs(T - 10_000),
    answered_at=None,
    ended_at=UnixMs(T + 5000),
)
LIVING = Call(
    call_id=ID,
    pbx=MAIN,
    direction=Direction.INCOMING,
    customer_number="+84901234567",
    customer_number_raw="0901234567",
    customer_name=None,
    hotline=None,
    queue="q",
    user_id=None,
    user_ids=(),
    state=CallState.RINGING,
    outcome=None,
    missed_reason=None,
    started_at=UnixMs(T - 10_000),
    queued_at=None,
    answered_at=None,
    ended_at=None,
    ended_by=None,
    hangup_cause=None,
    customer_dialled=False,
)
RANG = Moment(UnixMs(T - 5_000), What.RANG, None, "PJSIP/1001", T)


@dataclass
class House:
    """One PBX's catch-ups with records, flow and clock of the test."""

    rows: tuple[Attempt, ...] = ()
    now: UnixMs = T
    spans: list[tuple[int, int]] = field(default_factory=list)
    judged: list[CallId] = field(default_factory=list)
    hang: threading.Event | None = None
    looks: int = 0
    judging_s: float = 0.0
    queued: list[Unit] = field(default_factory=list)
    catch_ups: CatchUps = field(init=False)
    store: Store = field(init=False)

    def require_usable(self) -> None:
        self.looks += 1
        if self.hang is not None:
            self.hang.wait(10)

    def gathered(self, since: UnixMs, until: UnixMs) -> Iterator[Gathered]:
        self.spans.append((since, until))
        yield Gathered([(self.rows, [])] if self.rows else [], 0, 0)

    async def passed(self) -> None:
        """What was queued has been given to the store."""
        for unit in self.queued:
            await self.store.writer.submit(unit)
        self.queued = []

    async def judge(self, event: CallEnded) -> None:
        await asyncio.sleep(self.judging_s)
        self.judged.append(event.call.call_id)

    def seen_of(self, _: CallEnded) -> tuple[Moment, ...]:
        return (RANG,)

    def down(self) -> None:
        self.catch_ups.hear(MAIN, LinkDown(self.now))

    def up(self) -> None:
        self.catch_ups.hear(MAIN, Snapshot(self.now, ()))

    def keep_back(self, call_id: CallId) -> None:
        gone = replace(LIVING, call_id=call_id, state=CallState.ENDED, ended_at=self.now, outcome=Outcome.MISSED)
        gone = replace(gone, missed_reason=MissedReason.UNOBSERVED)
        assert self.catch_ups.keep_back(CallEnded(self.now, gone, seen=False))

    async def is_over(self) -> bool:
        task = self.catch_ups._desks[MAIN].task
        return task is not None and task.done()


@asynccontextmanager
async def caught(
    house: House, *, again_s: float = 0.05, late_s: float = 60.0, url: str = "sqlite://"
) -> AsyncIterator[House]:
    house.store = await Store.open(url)
    rules = Rules()
    await rules.read(house.store)
    records: Any = house
    waits = {"again_s": again_s, "late_s": late_s}
    house.catch_ups = CatchUps({MAIN: records}, lambda: house, lambda: rules, lambda: house.now, **waits)
    await house.catch_ups.begin(house.store, {}, lambda _: None)
    try:
        yield house
    finally:
        await house.catch_ups.close()
        await house.store.close()


async def test_a_link_lost_while_it_catches_up_is_caught_up_too() -> None:
    async with caught(House(), again_s=0.2) as house:
        house.down()
        house.up()
        await until(lambda: _read(house, 1))
        house.now = lost = UnixMs(T + MINUTE)
        house.down()
        await until(house.is_over)
        assert await unheard_since(house.store.reader) == {MAIN: lost}
        house.now = UnixMs(T + 9 * 60 * MINUTE)
        house.up()
        await until(house.is_over)
        assert [since < lost < to for since, to in house.spans] == [True] * 4
        assert house.spans[-1][1] >= house.now
        assert await unheard_since(house.store.reader) == {}


async def test_a_link_that_lists_its_calls_again_does_not_begin_anew() -> None:
    async with caught(House(), again_s=0.2) as house:
        house.down()
        for _ in range(5):
            house.up()
            await asyncio.sleep(0.05)
        await until(house.is_over)
        assert len(house.spans) == 2


async def test_a_pbx_whose_clock_is_an_hour_off_loses_nothing() -> None:
    async with caught(House()) as house:
        house.down()
        house.up()
        await until(house.is_over)
        since, to = house.spans[0]
        assert since <= T - 61 * MINUTE
        assert to >= T + 61 * MINUTE


async def test_a_clock_that_was_an_hour_ahead_when_it_went_and_is_right_again_loses_nothing() -> None:
    house = House()
    async with caught(house) as house:
        house.now = UnixMs(T + 60 * MINUTE)
        house.down()
        house.now = UnixMs(T + 20 * MINUTE)
        house.up()
        await until(house.is_over)
        assert house.spans[0][0] <= T - 40 * MINUTE


async def test_what_was_before_anybody_followed_the_pbx_is_no_outage() -> None:
    house = House()
    async with caught(house) as house:
        house.up()
        await until(house.is_over)
        house.now = UnixMs(T + 30 * MINUTE)
        house.down()
        house.up()
        await until(lambda: _read(house, 1))
        assert house.spans[0][0] == T - 10 * MINUTE


async def test_a_run_cut_short_before_it_has_written_completes_the_call_in_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with caught(House(rows=(ROW,))) as house:
        await house.store.writer.change(lambda: record([Unit(LIVING.started_at, LIVING, ())]))
        change, held = house.store.writer.change, asyncio.Event()

        async def slow(make: Any) -> Any:
            if house.spans and not held.is_set():
                held.set()
                await asyncio.sleep(10)
            return await change(make)

        monkeypatch.setattr(house.store.writer, "change", slow)
        house.down()
        house.up()
        house.keep_back(ID)
        await held.wait()
        house.down()
        house.up()
        await until(house.is_over)
        (entry,) = await find_call(house.store.reader, ID)
        assert (entry.call.state, entry.call.ended_at, entry.call.caught_up) == (CallState.ENDED, ROW.ended_at, True)
        assert house.judged == []


async def test_a_call_completed_from_records_keeps_the_moments_that_were_seen() -> None:
    async with caught(House(rows=(ROW,))) as house:
        house.down()
        house.up()
        house.keep_back(ID)
        await until(house.is_over)
        assert RANG in await read_moments(house.store.reader, MAIN, ID)


async def test_calls_given_back_are_judged_though_the_link_flaps_meanwhile() -> None:
    async with caught(House(judging_s=0.05)) as house:
        house.down()
        house.up()
        calls = [CallId(f"1.{number}") for number in range(6)]
        for call_id in calls:
            house.keep_back(call_id)
        await until(lambda: _judged(house, 2))
        house.down()
        house.up()
        await until(house.is_over)
        assert sorted(house.judged) == calls


async def test_records_that_hang_keep_no_call_open_no_second_thread_and_no_stop_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daemon.catch_up._PATIENCE_S", 0.1)
    monkeypatch.setattr("daemon.catch_ups._RETRY_S", 0.05)
    hang = threading.Event()
    async with caught(House(hang=hang)) as house:
        house.down()
        house.up()
        house.keep_back(ID)
        await until(lambda: _judged(house, 1))
        await asyncio.sleep(0.4)
        state = house.catch_ups.state(MAIN)
        assert state is not None
        assert state.error is not None
        assert house.looks == 1  # though it was tried again
        async with asyncio.timeout(1):
            await house.catch_ups.close()
        assert MAIN in await unheard_since(house.store.reader)
        hang.set()


async def _read(house: House, times: int) -> bool:
    return len(house.spans) >= times


async def _judged(house: House, calls: int) -> bool:
    return len(house.judged) >= calls


async def test_what_was_too_long_ago_to_be_read_by_itself_is_said_with_the_command_that_reads_it() -> None:
    house = House()
    async with caught(house) as house:
        house.now = UnixMs(T - LONGEST_MS - 24 * 60 * MINUTE)
        house.down()
        house.now = T
        with capture_logs() as logged:
            house.up()
            await until(house.is_over)
        (said,) = [line for line in logged if line["event"] == "catch_up_leaves_out"]
        assert said["by_hand"].startswith(
            "callwarden catch-up --from 2023-10-13T21:03:20.000Z --to 2023-10-14T22:13:20"
        )
        assert house.spans[0][0] == T - LONGEST_MS


async def test_a_call_whose_record_is_written_in_a_batch_minutes_later_is_read_too() -> None:
    """cdr.conf, batch = yes: Asterisk keeps up to a hundred records for up to five minutes."""
    house = House()
    async with caught(house, late_s=0.5) as house:
        house.down()
        house.up()
        await until(house.is_over)
        assert await find_call(house.store.reader, ID) == []
        house.rows = (ROW,)
        house.up()  # the same link lists its calls once more
        await until(lambda: _read(house, 3))
        await until(lambda: _known(house))


async def test_a_late_reading_that_a_new_link_cuts_short_is_made_good_by_the_next() -> None:
    house = House()
    async with caught(house, late_s=30.0) as house:
        house.down()
        house.up()
        await until(lambda: _read(house, 2))
        house.now = UnixMs(T + MINUTE)
        house.down()
        house.rows = (ROW,)
        house.up()
        await until(lambda: _read(house, 4))
        await until(lambda: _known(house))


async def _known(house: House) -> bool:
    return len(await find_call(house.store.reader, ID)) == 1


async def test_a_call_that_lives_is_not_ended_by_what_is_written_of_it_already() -> None:
    """A leg of it that was transferred away has its record, the customer is on the line."""
    house = House(rows=(ROW,))
    async with caught(house) as house:
        await house.store.writer.change(lambda: record([Unit(T, LIVING, ())]))
        house.down()
        house.up()
        await until(house.is_over)
        (found,) = await find_call(house.store.reader, ID)
        assert (found.call.state, found.call.caught_up) == (CallState.RINGING, False)


async def test_a_call_is_known_by_any_of_its_channels() -> None:
    """What lists of channels told first may not have been the one that records are filed under."""
    house = House(rows=(ROW, replace(ROW, channel=ChannelId("1699999991.2"), order=2)))
    async with caught(house) as house:
        ended = replace(LIVING, call_id=CallId("1699999991.2"), state=CallState.ENDED, ended_at=T)
        await house.store.writer.change(lambda: record([Unit(T, ended, ())]))
        house.down()
        house.up()
        await until(house.is_over)
        assert await find_call(house.store.reader, ID) == []


async def test_nobody_says_that_a_pbx_is_followed_before_the_outage_is_written_down() -> None:
    """A kill in between would forget it."""
    house = House()
    async with caught(house) as house:
        house.down()
        house.up()
        assert not house.catch_ups.may_beat(MAIN)
        await until(house.is_over)
        assert house.catch_ups.may_beat(MAIN)


async def test_a_call_that_the_list_told_of_is_known_though_the_database_is_locked_just_then(tmp_path: Path) -> None:
    house = House(rows=(ROW,), queued=[Unit(T, LIVING, ())])
    path = tmp_path / "callwarden.db"
    async with caught(house, url=f"sqlite:///{path}") as house:
        house.down()
        house.up()
        await until(lambda: _marked(house))
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            await asyncio.sleep(0.5)
            other.execute("ROLLBACK")
        await until(house.is_over)
        (found,) = await find_call(house.store.reader, ID)
        assert (found.call.state, found.call.caught_up) == (CallState.RINGING, False)


async def _marked(house: House) -> bool:
    return bool(await unheard_since(house.store.reader))
