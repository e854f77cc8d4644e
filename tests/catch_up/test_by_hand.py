"""`callwarden catch-up`: a span by hand, and what is missed while it is read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from daemon.call.events import CallAnswered
from daemon.call.model import Call, CallId, CallState, Outcome, UserId
from daemon.call.signals import UnixMs
from daemon.catch_up_command import catch_up_span
from daemon.config import Config, load_config
from daemon.customer_data import erase, find
from daemon.dispatch import decide
from daemon.errors import ConfigError
from daemon.policy.call_settings import Rulebook
from daemon.policy.decision import DURABLE
from daemon.store.audit import By
from daemon.store.settings import change_settings
from daemon.store.store import Store
from daemon.store.ticket_pages import TicketFilter, read_tickets
from daemon.store.values import Unit
from tests.catch_up.recorded_day import PBX, House, recordings, span_of, written

MISSED = "in_direct_abandoned"


def config_of(folder: Path) -> Config:
    path = folder / "callwarden.toml"
    path.write_text(
        f'[store]\nurl = "sqlite:///{folder / "callwarden.db"}"\n[[pbx]]\nname = "{PBX}"\nsecret = "s"\n'
        'cdr = "Master.csv"\nqueue_log = "queue_log"\ncdr_time_zone = "UTC"\n'
    )
    return load_config(path)


async def test_a_span_is_caught_up_by_hand_once(tmp_path: Path) -> None:
    written(tmp_path, recordings())
    config, said = config_of(tmp_path), list[str]()
    span, told = ("2026-11-22T20:40:00+00:00", "2026-11-22T21:10Z"), list[int]()
    for dry in (True, False, False):
        await catch_up_span(config, *span, None, dry=dry, say=said.append, told=lambda done: told.append(done.calls))
    dry_run, first, second = said
    assert told == [100, 112, 100, 112]  # portion by portion
    assert "0 known" in dry_run
    assert dry_run.endswith("tickets would be added")
    assert first.split(";")[0] == dry_run.split(";")[0]
    assert second.endswith("; 0 calls and 0 tickets added")


@pytest.mark.parametrize("words", [("yesterday", ""), ("2026-11-22T10:00", "2026-11-22T09:00"), ("2099-01-01", "")])
async def test_a_span_that_is_none_is_refused(tmp_path: Path, words: tuple[str, str]) -> None:
    with pytest.raises(ConfigError):
        await catch_up_span(config_of(tmp_path), *words, None, dry=False, say=print)


async def test_what_is_older_than_calls_are_kept_is_not_brought_back(tmp_path: Path) -> None:
    written(tmp_path, recordings())
    config, said = config_of(tmp_path), list[str]()
    store = await Store.open(config.store.url)
    await store.writer.change(lambda: change_settings({"retention_days_calls": 1}, "an admin", UnixMs(0)))
    await store.close()
    with pytest.raises(ConfigError, match="are not kept"):
        await catch_up_span(config, "2026-11-01T00:00Z", "2026-11-02T00:00Z", None, dry=False, say=said.append)
    assert said == []


async def test_an_erased_customer_does_not_come_back_out_of_the_records(tmp_path: Path) -> None:
    """Who he was is gone from the store; that the call is known, is not."""
    day = [one for one in recordings() if one.name == MISSED]
    store, records = await Store.open("sqlite://"), written(tmp_path, day)
    house = House(store, day[0].directory)
    await house.catch_up(records, span_of(day))
    (call,) = (await house.outcome()).calls
    customer, found = await find(store, str(call["customer_number"]))
    assert await erase(store, customer, found, By("command:root", house.now)) > 0
    again = await house.catch_up(records, span_of(day))
    assert (again.found, again.known, again.tickets) == (1, 1, 0)
    assert (await find(store, customer.number))[1].nothing
    (call,) = (await house.outcome()).calls
    assert (call["outcome"], call["customer_number"]) == ("missed", None)
    await store.close()


async def test_a_customer_who_got_through_live_meanwhile_needs_no_call_back(tmp_path: Path) -> None:
    """The talk was followed, the missed call before it is read only then."""
    day = [one for one in recordings() if one.name == MISSED]
    store = await Store.open("sqlite://")
    house, span = House(store, day[0].directory), span_of(day)
    talk = await _talk_of_the_same_customer(house, tmp_path, UnixMs(span.until + 60_000))
    await store.writer.submit(_live(talk))
    await house.catch_up(written(tmp_path, day), span)
    found = {ticket.kind.value: ticket for ticket in await read_tickets(store.reader, TicketFilter(), 10, None)}
    assert found["missed_incoming"].closed_reason == "customer_got_through"
    assert found["missed_incoming"].caught_up
    assert not found["incoming"].caught_up
    await store.close()


async def _talk_of_the_same_customer(house: House, folder: Path, at: UnixMs) -> Call:
    other = await Store.open("sqlite://")
    shadow = House(other, house.rules.directory)
    day = [one for one in recordings() if one.name == MISSED]
    await shadow.catch_up(written(folder, day), span_of(day))
    missed = shadow.told[0].unit.call
    await other.close()
    talked = replace(missed, call_id=CallId("9.9"), state=CallState.ANSWERED, outcome=Outcome.ANSWERED)
    agent = UserId("1001")
    live = replace(talked, missed_reason=None, ended_at=None, user_id=agent, user_ids=(agent,), caught_up=False)
    return replace(live, started_at=UnixMs(at - 5), answered_at=at)


def _live(call: Call) -> Unit:
    """As the flow hands a talk to the store."""
    event = CallAnswered(call.answered_at or call.started_at, call)
    kept = [one for one in decide(event, Rulebook(), event.at) if isinstance(one, DURABLE)]
    return Unit(event.at, call, tuple(kept))
