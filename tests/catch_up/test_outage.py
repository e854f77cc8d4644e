"""The daemon was not there, the PBX was: after its start the store is as if it had listened all the time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from daemon.ami.scenario import Truth
from daemon.ami.simulator import SimulatedPbx
from daemon.app import Daemon
from daemon.call.model import PbxName
from daemon.call.signals import UnixMs
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.pbx import CatchUpState
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.replay import Scene, replay
from daemon.store.agents import Agent, put_agent
from daemon.store.call_pages import read_calls
from daemon.store.call_search import CallFilter
from daemon.store.catching_up import mark_unheard, unheard_since
from daemon.store.live_calls import heartbeat
from daemon.store.settings import change_settings
from daemon.store.store import Store
from daemon.store.ticket_pages import TicketFilter, read_tickets
from tests.call.recorded import Recording
from tests.catch_up.outage_hour import write_hour
from tests.catch_up.recorded_day import MANY, NEVER_WRITTEN, Json, alike, recordings
from tests.whole.house import config_text, simulated_pbx, until

MAIN = PbxName("main")
_CUT = ("reconnect_mid_calls", "reconnect_in_talk")  # their traces have a hole
UNLIKE = (NEVER_WRITTEN, *_CUT)
HOUR_MS = 3_600_000


async def test_an_hour_of_outage_with_500_calls_leaves_the_tickets_of_an_uninterrupted_run(tmp_path: Path) -> None:
    day = recordings(without=UNLIKE)
    since = now_ms() - HOUR_MS
    traces = write_hour(tmp_path, day, since // 1000 + 60)
    lines: list[Any] = []
    settings = CallSettings(time_zone=midday_zone())
    await replay(traces, Scene(day[0].directory, Rulebook(settings)), lines.append)
    live = lines[-1]
    assert len(live["calls"]) > 500
    async with outage(tmp_path, UnixMs(since), day) as daemon:
        state = await caught_up(daemon)
        assert (state.calls, state.broken) == (len(live["calls"]), 0)
        tickets = [one.as_json() for one in await read_tickets(daemon.store.reader, TicketFilter(), MANY, None)]
        assert alike(tickets, day) == alike(live["tickets"], day)
        missed = [ticket for ticket in tickets if ticket["missed_count"] > 1]  # type: ignore[operator]
        assert missed  # of customers who came again
        assert await unheard_since(daemon.store.reader) == {}


async def test_a_catch_up_stopped_in_the_middle_is_done_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("daemon.catch_up.PORTION", 5)
    day = recordings(without=UNLIKE)[:20]
    since = UnixMs(now_ms() - HOUR_MS)
    write_hour(tmp_path, day, since // 1000 + 60)
    async with outage(tmp_path, since, day) as daemon:
        await until(lambda: _is(daemon, lambda state: state.calls > 0))
    assert 0 < state_calls(daemon) < 110
    async with outage(tmp_path, since, day) as daemon:
        await caught_up(daemon)
        calls = await read_calls(daemon.store.reader, CallFilter(), MANY, None)
        assert len({entry.call.call_id for entry in calls}) == len(calls) == 110
        assert all(entry.call.ended_at for entry in calls)


async def test_what_was_not_followed_stays_marked_until_it_was_read(tmp_path: Path) -> None:
    store = await Store.open("sqlite://")
    await store.writer.change(lambda: mark_unheard(MAIN, UnixMs(1_000), UnixMs(5_000)))
    await store.writer.change(lambda: mark_unheard(MAIN, UnixMs(4_000), UnixMs(5_000)))
    assert await unheard_since(store.reader) == {MAIN: 1_000}
    await store.close()


async def test_a_call_that_ended_while_the_link_was_cut_is_told_as_it_was(tmp_path: Path) -> None:
    """It rang when the link was cut, was answered and ended: no missed call is made of it."""
    async with simulated_pbx() as pbx, outage(tmp_path, None, [], pbx) as daemon:
        truth = await _cut_while_it_rings(daemon, pbx)
        (tmp_path / "Master.csv").write_text(answered_row(truth, now_ms() // 1000))
        call = await _ended(daemon)
        assert (call["call_id"], call["outcome"], call["user_ids"]) == (truth.call_id, "answered", ["1001"])
        assert call["caught_up"]
        assert not daemon.dispatcher._story._timeline._stories  # its moments wait for nobody
        (ticket,) = await read_tickets(daemon.store.reader, TicketFilter(), MANY, None)
        assert (ticket.kind.value, ticket.assignee, ticket.caught_up) == ("incoming", "1001", True)


async def test_a_call_of_which_nothing_was_written_ends_with_what_is_known(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx, outage(tmp_path, None, [], pbx) as daemon:
        await _cut_while_it_rings(daemon, pbx)
        call = await _ended(daemon)
        assert (call["outcome"], call["missed_reason"], call["caught_up"]) == ("missed", "unobserved", False)


async def test_records_that_cannot_be_read_are_said_and_keep_no_call_open(tmp_path: Path) -> None:
    async with simulated_pbx() as pbx, outage(tmp_path, None, [], pbx) as daemon:
        await _cut_while_it_rings(daemon, pbx)
        await asyncio.to_thread((tmp_path / "Master.csv").unlink)
        call = await _ended(daemon)
        assert call["missed_reason"] == "unobserved"
        state = daemon.catch_ups.state(MAIN)
        assert state is not None
        assert state.error is not None
        assert "Master.csv" in state.error
        assert MAIN in await unheard_since(daemon.store.reader)  # tried again, now and after every start


async def _cut_while_it_rings(daemon: Daemon, pbx: SimulatedPbx) -> Truth:
    await asyncio.to_thread(Path(daemon.config.pbx[0].cdr or "").touch)
    await until(lambda: _connected(pbx))
    truth, task = pbx.begin("queue_answered", speed=0.5)

    async def rings() -> bool:
        return any(call.queue is not None for call in daemon.dispatcher.calls())

    await until(rings)
    await daemon.store.writer.drain()
    task.cancel()
    for client in pbx.clients:
        client.logged_in = False
        client.writer.transport.abort()
    for event in pbx.channels.farewell(truth.call_id, "16"):
        pbx.emit(event)
    return truth


def answered_row(truth: Truth, now: int) -> str:
    start, end = (f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S}" for at in (now - 4, now))
    fields = ("", truth.customer, truth.hotline, "in", f'"" <{truth.customer}>', "PJSIP/trunk-00000001")
    more = ("PJSIP/1001-00000002", "Queue", f"{truth.queue},t,,,60", start, start, end)
    quoted = ",".join('"' + text.replace('"', '""') + '"' for text in (*fields, *more))
    return f'{quoted},4,4,"ANSWERED","DOCUMENTATION","{truth.call_id}","","","{truth.call_id}",1\n'


async def _ended(daemon: Daemon) -> Json:
    async def is_over() -> bool:
        found = await read_calls(daemon.store.reader, CallFilter(), MANY, None)
        return [entry.call.state.value for entry in found] == ["ended"]

    await until(is_over)
    (entry,) = await read_calls(daemon.store.reader, CallFilter(), MANY, None)
    return entry.as_json()


async def _connected(pbx: SimulatedPbx) -> bool:
    return any(client.logged_in for client in pbx.clients)


def midday_zone() -> str:
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}"


@asynccontextmanager
async def outage(
    folder: Path, since: UnixMs | None, day: Sequence[Recording], pbx: SimulatedPbx | None = None
) -> AsyncIterator[Daemon]:
    """The daemon as it starts after it was last alive at `since`."""
    path = folder / "callwarden.toml"
    async with simulated_pbx() as its_pbx:
        used = pbx or its_pbx
        records = f'cdr = "{folder / "Master.csv"}"\nqueue_log = "{folder / "queue_log"}"\ncdr_time_zone = "UTC"\n'
        path.write_text(config_text(folder, used) + records)
        config = load_config(path)
        await _furnish(config.store.url, since, day)
        daemon = Daemon(config)
        daemon.catch_ups._again_s = 0.1
        async with daemon:
            yield daemon


async def _furnish(url: str, since: UnixMs | None, day: Sequence[Recording]) -> None:
    truth = day[0].truth if day else {"agents": {"1001": ["PJSIP/1001"]}, "personal_numbers": {}}
    store = await Store.open(url)
    try:
        for user, endpoints in truth["agents"].items():
            number = truth["personal_numbers"].get(user)
            mobile = f"+84{number[1:]}" if number else None
            agent = Agent(user_id=user, name=user, endpoints=tuple(endpoints), personal_number=mobile)
            await store.writer.change(lambda agent=agent: put_agent(agent))  # type: ignore[misc]
        zone = {"time_zone": midday_zone()}
        await store.writer.change(lambda: change_settings(zone, "test", now_ms()))
        if since is not None:
            await store.writer.change(lambda: heartbeat(since, [MAIN]))
    finally:
        await store.close()


async def caught_up(daemon: Daemon) -> CatchUpState:
    await until(lambda: _is(daemon, lambda state: not state.running))
    state = daemon.catch_ups.state(MAIN)
    assert state is not None
    return state


def state_calls(daemon: Daemon) -> int:
    state = daemon.catch_ups.state(MAIN)
    return state.calls if state else 0


async def _is(daemon: Daemon, wanted: Callable[[CatchUpState], bool]) -> bool:
    state = daemon.catch_ups.state(MAIN)
    return state is not None and wanted(state)
