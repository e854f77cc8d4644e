"""Real calls of a real Asterisk 22: what it wrote of them leads to the same tickets as following them did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from daemon.call.tracker import Tracker
from daemon.dispatch import decide
from daemon.policy.call_settings import CallSettings, MissedCallMerge, Rulebook
from daemon.policy.decision import DURABLE, PopScreen
from daemon.store.store import Store
from daemon.store.values import Unit
from tests.catch_up.recorded_day import (
    NEVER_WRITTEN,
    PBX,
    House,
    Json,
    alike,
    followed_live,
    recordings,
    signals_of,
    span_of,
    written,
)

MODES = [MissedCallMerge.INCOMING, MissedCallMerge.INCOMING_PER_QUEUE_AND_OUTGOING]


@pytest_asyncio.fixture
async def store() -> AsyncIterator[Store]:
    opened = await Store.open("sqlite://")
    yield opened
    await opened.close()


@pytest.mark.parametrize("mode", MODES)
async def test_tickets_read_afterwards_equal_those_of_calls_that_were_followed(
    tmp_path: Path, store: Store, mode: MissedCallMerge
) -> None:
    day = recordings(without=[NEVER_WRITTEN])
    rulebook = Rulebook(CallSettings(missed_call_merge=mode))
    live = await followed_live(tmp_path, day, rulebook)
    house = House(store, day[0].directory, rulebook)
    progress = await house.catch_up(written(tmp_path, day), span_of(day))
    assert (progress.broken, progress.unlinked, progress.known) == (0, 0, 0)
    past = await house.outcome()
    assert alike(past.tickets, day) == alike(live.tickets, day)
    assert all(ticket["caught_up"] for ticket in past.tickets)
    assert [_facts(call) for call in past.calls] == [_facts(call) for call in live.calls]


async def test_reading_again_changes_nothing_and_tells_nobody(tmp_path: Path, store: Store) -> None:
    day = recordings()
    house, records, span = House(store, day[0].directory), written(tmp_path, day), span_of(day)
    await house.catch_up(records, span)
    before = await house.outcome()
    house.told.clear()
    progress = await house.catch_up(records, span)
    assert (progress.calls, progress.tickets, house.told) == (0, 0, [])
    assert await house.outcome() == before


@pytest.mark.parametrize("merge", MODES)
async def test_what_was_followed_live_is_known_in_the_records_and_made_no_second_time(
    tmp_path: Path, store: Store, merge: MissedCallMerge
) -> None:
    """Every reading begins before the outage: whatever the PBX calls them there, these are the same calls."""
    day = recordings()
    house = House(store, day[0].directory, Rulebook(CallSettings(missed_call_merge=merge)))
    tracker = Tracker(PBX, day[0].directory)
    for signal in signals_of(day):
        for event in tracker.feed(signal):
            decisions = decide(event, house.rules.rulebook, event.at)
            kept = tuple(one for one in decisions if isinstance(one, DURABLE))
            await store.writer.submit(Unit(event.at, event.call, kept))
    await store.writer.drain()
    before = await house.outcome()
    progress = await house.catch_up(written(tmp_path, day), span_of(day))
    assert progress.found > 100
    assert (progress.found - progress.known, progress.calls, progress.tickets, house.told) == (0, 0, 0, [])
    assert await house.outcome() == before


async def test_nothing_that_was_for_its_moment_is_done_afterwards(tmp_path: Path, store: Store) -> None:
    day = recordings()
    url = "https://crm.example.com/pop"
    house = House(store, day[0].directory, Rulebook(CallSettings(popup_answer_url=url)))
    await house.catch_up(written(tmp_path, day), span_of(day))
    decisions = [decision for one in house.told for decision in one.unit.decisions]
    assert not any(isinstance(decision, PopScreen) for decision in decisions)
    told = {str(getattr(decision, "event_type", "")) for decision in decisions} - {""}
    assert told == {"call.ended", "call.missed"}


async def test_without_a_queue_log_who_answered_is_known_all_the_same(tmp_path: Path, store: Store) -> None:
    day = recordings(without=[NEVER_WRITTEN, "pickup_group_from_queue", "pickup_from_queue"])
    house = House(store, day[0].directory)
    live = await followed_live(tmp_path, day, Rulebook())
    await house.catch_up(written(tmp_path, day, queue_log=False), span_of(day))
    past = await house.outcome()
    assert [_facts(call) for call in past.calls] == [_facts(call) for call in live.calls]


async def test_a_dry_run_writes_nothing(tmp_path: Path, store: Store) -> None:
    day = recordings()
    house = House(store, day[0].directory)
    progress = await house.catch_up(written(tmp_path, day), span_of(day), dry=True)
    assert progress.calls > 100
    assert (await house.outcome()).calls == []


def _facts(call: Json) -> Json:
    """Who, with whom, by which way: all that tickets and reports are made of. Started within the second."""
    names = ("call_id", "direction", "customer_number", "queue", "user_id", "user_ids", "state")
    facts = {name: call[name] for name in names} | {"started_at": call["started_at"][:19]}
    return facts | ({} if call["direction"] == "internal" else {"outcome": call["outcome"]})
