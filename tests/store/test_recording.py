"""What a unit leaves behind, and that doing it again leaves nothing more."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import bindparam, select, update

from daemon.call.model import CallState, Outcome, UserId
from daemon.call.signals import UnixMs
from daemon.policy.decision import EventType, OpenTicket, Reason, TicketKind
from daemon.store.announcing import announce_ticket, delivery_id_of
from daemon.store.row import call_of
from daemon.store.store import Store
from daemon.store.tables import call_agents, calls, deliveries, screen_pops, tickets
from daemon.store.values import Committed, Delivery, TicketStatus, Unit
from daemon.store.work import Query, Row, Work
from tests.store.made import (
    AN,
    BINH,
    Kept,
    add_webhook,
    announced,
    answered,
    answered_call,
    answered_unit,
    content,
    ended,
    missed_unit,
    popped,
    ringing,
    unit,
)


class Recorder:
    """A store in memory that hands back what became of each unit."""

    def __init__(self, store: Store, kept: Kept) -> None:
        self.store = store
        self.kept = kept

    async def record(self, *units: Unit) -> list[Committed]:
        before = len(self.kept.all)
        for each in units:
            await self.store.writer.submit(each)
        return (await self.kept.until(before + len(units)))[before:]

    async def rows(self, table: str) -> list[Row]:
        statement = {"tickets": select(tickets), "pops": select(screen_pops), "deliveries": select(deliveries)}[table]
        return await self.store.reader.fetch(statement)


@pytest.fixture
async def recorder() -> AsyncIterator[Recorder]:
    kept = Kept()
    store = await Store.open("sqlite://", kept)
    yield Recorder(store, kept)
    await store.close()


def _data(delivery: Delivery) -> dict[str, object]:
    data: dict[str, object] = json.loads(delivery.body)["data"]
    return data


async def _close(recorder: Recorder, ticket_id: str) -> None:
    closing = (
        update(tickets)
        .where(tickets.c.ticket_id == bindparam("b_id"))
        .values(status="closed", closed_at=5, closed_reason="done")
    )

    def work() -> Work[None]:
        yield Query(closing, {"b_id": int(ticket_id)})

    await recorder.store.writer.change(work)


async def test_a_call_comes_back_as_it_was_written(recorder: Recorder) -> None:
    call = replace(ended(answered(ringing(1))), user_ids=(AN, BINH))
    await recorder.record(unit(call))
    (row,) = await recorder.store.reader.fetch(select(calls))
    assert call_of(row) == call


async def test_an_ended_call_never_lives_again(recorder: Recorder) -> None:
    over = ended(ringing(1))
    await recorder.record(unit(over))
    await recorder.record(unit(ringing(1)))
    await recorder.record(unit(ended(answered(ringing(1)))), unit(ringing(1)))
    (row,) = await recorder.store.reader.fetch(select(calls))
    assert call_of(row) == over


async def test_who_talked_in_a_call_is_as_the_call_is_kept(recorder: Recorder) -> None:
    over = replace(ended(answered(ringing(1))), user_ids=(AN, BINH))
    await recorder.record(unit(answered(ringing(1))), unit(over))
    await recorder.record(unit(replace(over, user_ids=(AN, UserId("chi")), started_at=UnixMs(over.started_at - 1))))
    found = await recorder.store.reader.fetch(select(call_agents))
    assert [(row["user_id"], row["started_at"]) for row in found] == [(AN, over.started_at), (BINH, over.started_at)]


async def test_an_answered_call_has_its_ticket_from_the_answer_on(recorder: Recorder) -> None:
    await recorder.store.writer.change(add_webhook())
    rang, talked, over = await recorder.record(*answered_call(1))
    assert rang.ticket_id is None
    assert rang.ticket is None
    assert talked.ticket is not None
    assert talked.ticket.created
    assert talked.ticket.ticket.assignee == AN
    assert talked.ticket.ticket.missed_count == 0
    assert talked.ticket.ticket.call_ids == (talked.unit.call.call_id,)
    assert over.ticket_id == talked.ticket_id == talked.ticket.ticket.ticket_id
    assert over.ticket is None
    assert _data(rang.deliveries[0])["ticket_id"] is None
    assert _data(over.deliveries[0])["ticket_id"] == talked.ticket_id


async def test_missed_calls_of_one_merge_key_share_a_ticket(recorder: Recorder) -> None:
    first, second = await recorder.record(missed_unit(ringing(1), "k"), missed_unit(ringing(2), "k"))
    (third,) = await recorder.record(missed_unit(ringing(3), "k"))
    changes = [one.ticket for one in (first, second, third)]
    assert [change and change.created for change in changes] == [True, False, False]
    assert [change and change.ticket.missed_count for change in changes] == [1, 2, 3]
    assert changes[2] is not None
    assert changes[2].ticket.call_ids == tuple(ringing(n).call_id for n in (1, 2, 3))
    assert changes[2].ticket.updated_at == third.unit.at
    (row,) = await recorder.rows("tickets")
    assert (row["missed_count"], row["updated_at"]) == (3, third.unit.at)


async def test_the_same_call_on_two_pbxs_is_two_calls(recorder: Recorder) -> None:
    here, there = missed_unit(ringing(1), "k"), missed_unit(ringing(1, pbx="branch"), "k")
    _, second = await recorder.record(here, there)
    assert second.ticket is not None
    assert second.ticket.ticket.missed_count == 2


async def test_a_closed_ticket_is_reopened_by_a_further_missed_call(recorder: Recorder) -> None:
    (first,) = await recorder.record(missed_unit(ringing(1), "k"))
    assert first.ticket_id is not None
    await _close(recorder, first.ticket_id)
    (second,) = await recorder.record(missed_unit(ringing(2), "k"))
    assert second.ticket is not None
    assert second.ticket.ticket.status is TicketStatus.OPEN
    (row,) = await recorder.rows("tickets")
    assert (row["status"], row["closed_at"], row["closed_reason"], row["version"]) == ("open", None, None, 2)


async def test_a_repeated_missed_call_does_not_reopen_the_ticket(recorder: Recorder) -> None:
    (first,) = await recorder.record(missed_unit(ringing(1), "k"))
    assert first.ticket_id is not None
    await _close(recorder, first.ticket_id)
    (again,) = await recorder.record(missed_unit(ringing(1), "k"))
    assert again.ticket is None
    assert again.ticket_id == first.ticket_id
    (row,) = await recorder.rows("tickets")
    assert row["status"] == "closed"


async def test_a_call_stays_in_its_first_ticket(recorder: Recorder) -> None:
    talked = answered_unit(ringing(1))
    over = ended(talked.call)
    other = OpenTicket(over, TicketKind.MISSED_INCOMING, "another", Reason.MISSED_MERGED_BY_CUSTOMER)
    first, second = await recorder.record(talked, unit(over, other))
    (third,) = await recorder.record(unit(over, other))
    assert second.ticket_id == third.ticket_id == first.ticket_id
    assert second.ticket is third.ticket is None
    assert len(await recorder.rows("tickets")) == 1


async def test_a_screen_pops_once_for_each_agent(recorder: Recorder) -> None:
    talking = answered(ringing(1))
    both = unit(talking, popped(talking, AN), popped(talking, BINH, to_webhook=False), popped(talking, AN))
    (first,) = await recorder.record(both)
    (again,) = await recorder.record(both)
    assert first.pops == (AN, BINH)
    assert [delivery.user_id for delivery in first.deliveries] == [AN]
    assert again.pops == ()
    assert again.deliveries == ()
    assert len(await recorder.rows("pops")) == 2


async def test_a_popup_is_a_get_that_expires_after_two_minutes(recorder: Recorder) -> None:
    talking = answered(ringing(1))
    (done,) = await recorder.record(unit(talking, popped(talking)))
    (delivery,) = done.deliveries
    key = f"popup:main:{talking.call_id}:an"
    assert delivery.delivery_id == delivery_id_of(key, "")
    assert (delivery.method, delivery.webhook_id, delivery.event_type, delivery.body) == ("GET", "", "popup", "")
    assert delivery.url == popped(talking).url
    assert delivery.expires_at == delivery.created_at + 120_000
    (row,) = await recorder.rows("deliveries")
    assert (row["effect_key"], row["status"], row["attempt_count"]) == (key, "pending", 0)


async def test_only_enabled_subscribers_are_told_and_each_once(recorder: Recorder) -> None:
    change = recorder.store.writer.change
    await change(add_webhook("all"))
    await change(add_webhook("ends", ["call.ended"], created_at=2))
    await change(add_webhook("off", enabled=False))
    over = ended(ringing(1))
    told = unit(over, announced(over, EventType.CALL_ENDED), announced(over, EventType.CALL_MISSED))
    (first,) = await recorder.record(told)
    (again,) = await recorder.record(told)
    assert [(one.event_type, one.webhook_id) for one in first.deliveries] == [
        ("call.ended", "all"),
        ("call.ended", "ends"),
        ("call.missed", "all"),
    ]
    assert again.deliveries == ()


async def test_each_ringing_agent_is_announced_by_name(recorder: Recorder) -> None:
    await recorder.store.writer.change(add_webhook())
    call = ringing(1)
    rings = [announced(call, EventType.CALL_RINGING, user, user) for user in (AN, BINH)]
    (done,) = await recorder.record(unit(call, *rings))
    assert [_data(delivery)["ringing_user_id"] for delivery in done.deliveries] == [AN, BINH]
    body = json.loads(done.deliveries[0].body)
    assert list(body) == ["type", "timestamp", "data"]
    assert body["timestamp"] == "2026-11-22T04:00:01.000Z"
    assert done.deliveries[0].expires_at == done.deliveries[0].created_at + 24 * 3600 * 1000


async def test_a_ticket_is_announced_when_made_and_when_merged(recorder: Recorder) -> None:
    await recorder.store.writer.change(add_webhook("w1", ["ticket.created", "ticket.merged"]))
    units = [missed_unit(ringing(n), "k") for n in (1, 2)]
    first, second = await recorder.record(*units)
    assert [one.event_type for one in first.deliveries] == ["ticket.created"]
    assert [one.event_type for one in second.deliveries] == ["ticket.merged"]
    assert _data(first.deliveries[0])["missed_count"] == 1
    assert _data(second.deliveries[0])["call_ids"] == [each.call.call_id for each in units]
    keys = {row["effect_key"] for row in await recorder.rows("deliveries")}
    ticket_id = first.ticket_id
    assert keys == {f"ticket.created:{ticket_id}", f"ticket.merged:{ticket_id}:main:{units[1].call.call_id}"}


async def test_a_closed_ticket_can_be_announced_by_others(recorder: Recorder) -> None:
    await recorder.store.writer.change(add_webhook("w1", ["ticket.closed"]))
    (done,) = await recorder.record(missed_unit(ringing(1), "k"))
    assert done.ticket is not None
    ticket = done.ticket.ticket
    closing = lambda: announce_ticket(EventType.TICKET_CLOSED, ticket, "3", UnixMs(9))  # noqa: E731
    (delivery,) = await recorder.store.writer.change(closing)
    assert delivery.delivery_id == delivery_id_of(f"ticket.closed:{ticket.ticket_id}:3", "w1")
    assert _data(delivery) == ticket.as_json()
    assert await recorder.store.writer.change(closing) == ()


async def test_a_whole_call_in_one_group_equals_the_call_in_pieces(recorder: Recorder) -> None:
    units = answered_call(1)
    await recorder.store.writer.change(add_webhook())
    await recorder.record(*units)
    together = await recorder.store._driver.in_thread(content)
    apart = await Store.open("sqlite://")
    await apart.writer.change(add_webhook())
    for each in units:
        await apart.writer.submit(each)
        await apart.writer.drain()
    assert await apart._driver.in_thread(content) == together
    await apart.close()


async def test_a_call_that_was_not_answered_is_kept_as_missed(recorder: Recorder) -> None:
    await recorder.record(missed_unit(ringing(1), "k"))
    (row,) = await recorder.store.reader.fetch(select(calls))
    assert (row["state"], row["outcome"]) == (CallState.ENDED.value, Outcome.MISSED.value)
