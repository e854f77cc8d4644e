"""A customer who was reached has no open missed ticket; one who misses us again afterwards has."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from daemon.call.model import Call, Direction
from daemon.policy.decision import CloseMissed, EventType, Reason
from daemon.store.audit import By
from daemon.store.store import Store
from daemon.store.ticket_changes import change_ticket
from daemon.store.ticket_events import read_ticket_events
from daemon.store.ticket_pages import TicketFilter, read_tickets
from daemon.store.values import Committed, Ticket, TicketStatus, Unit
from tests.store.made import CUSTOMER, NOON, Kept, add_webhook, answered, missed_unit, ringing, unit

LATER = 120  # a call's number is also its second; a missed one lasts a minute


class Desk:
    """A store in memory that hands back what became of each unit."""

    def __init__(self, store: Store, kept: Kept) -> None:
        self.store = store
        self.kept = kept

    async def record(self, *units: Unit) -> list[Committed]:
        before = len(self.kept.all)
        for each in units:
            await self.store.writer.submit(each)
        return (await self.kept.until(before + len(units)))[before:]

    async def tickets(self) -> list[Ticket]:
        """In the order of opening."""
        return (await read_tickets(self.store.reader, TicketFilter(), 100, None))[::-1]


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    kept = Kept()
    store = await Store.open("sqlite://", kept)
    yield Desk(store, kept)
    await store.close()


def reached(call: Call, *, every_queue: bool = True, reason: Reason = Reason.CALLED_BACK) -> Unit:
    talking = answered(replace(call, direction=Direction.OUTGOING))
    return unit(talking, CloseMissed(talking, reason, every_queue))


async def test_a_missed_ticket_is_closed_by_the_call_back_and_keeps_when(desk: Desk) -> None:
    await desk.record(missed_unit(ringing(1), "a"), missed_unit(ringing(2), "b"))
    (closing,) = await desk.record(back := reached(ringing(LATER)))
    closed = await desk.tickets()
    assert [ticket.status for ticket in closed] == [TicketStatus.CLOSED, TicketStatus.CLOSED]
    assert {(ticket.closed_at, ticket.closed_reason) for ticket in closed} == {(back.at, "called_back")}
    assert list(closing.closed) == closed


async def test_a_ticket_keeps_how_long_its_customer_waited_since_the_first_call_that_nobody_had_made_good(
    desk: Desk,
) -> None:
    first, second = missed_unit(ringing(1), "a"), missed_unit(ringing(30), "a")
    await desk.record(first, second)
    (closing,) = await desk.record(back := reached(ringing(LATER)))
    (ticket,) = await desk.tickets()
    waited = (back.at - first.at) // 1000
    assert (ticket.reached_at, ticket.call_back_seconds, waited) == (back.at, waited, 64)
    assert closing.closed == (ticket,)


async def test_the_time_to_call_back_survives_the_next_missed_call_and_is_then_counted_anew(desk: Desk) -> None:
    first, back = missed_unit(ringing(1), "a"), reached(ringing(LATER))
    again, later = missed_unit(ringing(2 * LATER), "a"), reached(ringing(4 * LATER))
    await desk.record(first)
    await desk.record(back)
    await desk.record(again)
    (ticket,) = await desk.tickets()
    assert (ticket.status, ticket.reached_at, ticket.call_back_seconds) == (TicketStatus.OPEN, back.at, 64)
    await desk.record(later)
    (ticket,) = await desk.tickets()
    assert (ticket.reached_at, ticket.call_back_seconds) == (later.at, (later.at - again.at) // 1000)
    told = [event.call_back_seconds for event in await read_ticket_events(desk.store.reader, 1) if event.reason]
    assert told == [(later.at - again.at) // 1000, None, 64]


async def test_a_ticket_that_somebody_opens_again_by_hand_keeps_its_time_to_call_back(desk: Desk) -> None:
    await desk.record(missed_unit(ringing(1), "a"))
    await desk.record(back := reached(ringing(LATER)))
    await desk.store.writer.change(lambda: change_ticket(1, {"status": TicketStatus.OPEN}, By("an", NOON)))
    for _ in range(2):
        (ticket,) = await desk.tickets()
        assert (ticket.reached_at, ticket.call_back_seconds) == (back.at, 64)
        await desk.record(reached(ringing(3 * LATER)))  # nothing was missed meanwhile: nothing new is counted


async def test_what_was_closed_by_hand_is_no_waiting_for_the_next_missed_call(desk: Desk) -> None:
    await desk.record(missed_unit(ringing(1), "a"))
    await desk.store.writer.change(lambda: change_ticket(1, {"status": TicketStatus.CLOSED}, By("an", NOON)))
    again, back = missed_unit(ringing(5 * LATER), "a"), reached(ringing(6 * LATER))
    await desk.record(again)
    await desk.record(back)
    (ticket,) = await desk.tickets()
    assert ticket.call_back_seconds == (back.at - again.at) // 1000


async def test_others_tickets_and_tickets_of_answered_calls_stay(desk: Desk) -> None:
    other = replace(ringing(3), customer_number="+84912345678")
    await desk.record(missed_unit(ringing(1), "a"), missed_unit(other, "other"))
    await desk.record(reached(ringing(LATER)))
    assert [ticket.customer_number for ticket in await desk.tickets() if ticket.closed_at is None] == ["+84912345678"]


async def test_only_the_queue_that_was_reached_is_closed_where_queues_are_apart(desk: Desk) -> None:
    await desk.record(missed_unit(ringing(1, queue="support"), "a"), missed_unit(ringing(2, queue="sales"), "b"))
    await desk.record(reached(ringing(LATER, queue="sales"), every_queue=False, reason=Reason.CUSTOMER_GOT_THROUGH))
    assert {ticket.queue: ticket.closed_reason for ticket in await desk.tickets()} == {
        "support": None,
        "sales": "customer_got_through",
    }


async def test_a_call_missed_after_the_talk_began_stays_open_even_in_the_same_commit(desk: Desk) -> None:
    again = missed_unit(ringing(LATER + 1), "again")
    await desk.record(missed_unit(ringing(1), "a"), reached(ringing(LATER)), again)
    assert [(ticket.status.value, ticket.missed_count) for ticket in await desk.tickets()] == [
        ("closed", 1),
        ("open", 1),
    ]


async def test_a_further_missed_call_opens_the_ticket_again_and_the_old_talk_does_not_close_it(desk: Desk) -> None:
    back = reached(ringing(LATER))
    await desk.record(missed_unit(ringing(1), "a"))
    await desk.record(back)
    await desk.record(missed_unit(ringing(LATER + 60), "a"))
    (repeated,) = await desk.record(back)
    (ticket,) = await desk.tickets()
    assert (ticket.status, ticket.missed_count, repeated.closed) == (TicketStatus.OPEN, 2, ())


async def test_closing_is_told_once_and_says_why(desk: Desk) -> None:
    await desk.store.writer.change(add_webhook(events=[EventType.TICKET_CLOSED.value]))
    await desk.record(missed_unit(ringing(1), "a"))
    (first,) = await desk.record(reached(ringing(LATER)))
    (second,) = await desk.record(reached(ringing(LATER)))
    (delivery,) = first.deliveries
    assert second.deliveries == ()
    told = json.loads(delivery.body)["data"]
    assert (told["closed_reason"], told["call_back_seconds"], told["reached_at"]) == (
        *("called_back", 64),
        told["closed_at"],
    )


async def test_closed_by_hand_and_reopened_is_for_people_to_decide(desk: Desk) -> None:
    await desk.record(missed_unit(ringing(1), "a"))
    back = reached(ringing(LATER))
    await desk.store.writer.change(lambda: change_ticket(1, {"status": TicketStatus.CLOSED}, By("an", NOON)))
    (closing,) = await desk.record(back)
    (ticket,) = await desk.tickets()
    assert (ticket.closed_reason, closing.closed) == ("manual", ())


async def test_a_customer_without_missed_calls_costs_nothing_and_changes_nothing(desk: Desk) -> None:
    (closing,) = await desk.record(reached(ringing(LATER)))
    assert closing.closed == ()
    assert (await desk.tickets(), CUSTOMER) == ([], ringing(1).customer_number)
