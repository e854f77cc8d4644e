"""Changes of tickets by people: nothing is overwritten unseen, and each leaves who, when, from what to what."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping

import pytest

from daemon.call.signals import UnixMs
from daemon.store.audit import By
from daemon.store.store import Store
from daemon.store.ticket_changes import ChangedTicket, TicketChanged, change_ticket, change_tickets
from daemon.store.ticket_events import TicketEvent, read_ticket_events
from daemon.store.ticket_pages import TicketFilter, count_tickets, read_ticket
from daemon.store.values import TicketStatus
from tests.store.made import NOON, missed_unit, ringing
from tests.store.test_closing import LATER, reached

AN, BINH = "an", "binh"


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    """Three missed tickets, 1 to 3."""
    store = await Store.open("sqlite://")
    for number in (1, 2, 3):
        await store.writer.submit(missed_unit(ringing(number), f"k{number}"))
    await store.writer.drain()
    yield store
    await store.close()


async def change(
    store: Store, values: Mapping[str, object], by: str = AN, at: int = 0, expected: int | None = None, number: int = 1
) -> ChangedTicket:
    who = By(by, UnixMs(NOON + at))
    changed = await store.writer.change(lambda: change_ticket(number, values, who, expected))
    assert changed is not None
    return changed


async def events(store: Store) -> list[tuple[str, str | None, object, object]]:
    """Oldest first."""
    found: list[TicketEvent] = await read_ticket_events(store.reader, 1)
    return [(one.what, one.by, one.old, one.new) for one in reversed(found)]


async def test_a_change_upon_an_old_version_is_refused_and_shows_the_ticket(store: Store) -> None:
    first = await change(store, {"note": "mine"}, expected=1)
    assert first.ticket.version == 2
    with pytest.raises(TicketChanged) as refused:
        await change(store, {"note": "other"}, BINH, expected=1)
    assert (refused.value.ticket.note, refused.value.ticket.version) == ("mine", 2)
    ticket = await read_ticket(store.reader, 1)
    assert ticket is not None
    assert (ticket.note, ticket.version) == ("mine", 2)


async def test_asking_again_because_the_answer_was_lost_is_no_conflict(store: Store) -> None:
    await change(store, {"note": "mine"}, expected=1)
    again = await change(store, {"note": "mine"}, expected=1)
    assert (again.changed, again.ticket.version) == (False, 2)
    assert len(await events(store)) == 1


async def test_without_an_expected_version_the_last_one_wins_as_ever(store: Store) -> None:
    await change(store, {"note": "mine"})
    assert (await change(store, {"note": "other"}, BINH)).ticket.note == "other"


async def test_one_more_missed_call_makes_another_version(store: Store) -> None:
    await store.writer.submit(missed_unit(ringing(9), "k1"))
    await store.writer.drain()
    with pytest.raises(TicketChanged):
        await change(store, {"status": TicketStatus.CLOSED}, expected=1)


async def test_every_change_leaves_who_and_from_what_to_what(store: Store) -> None:
    await change(store, {"assignee": AN})
    await change(store, {"assignee": BINH, "tags": ("VIP",)}, BINH)
    await change(store, {"status": TicketStatus.CLOSED}, BINH)
    assert await events(store) == [
        ("assignee", AN, None, AN),
        ("assignee", BINH, AN, BINH),
        ("tags", BINH, [], ["VIP"]),
        ("status", BINH, "open", "closed"),
    ]


async def test_what_one_person_writes_in_one_go_is_one_event_that_keeps_the_text_before(store: Store) -> None:
    await change(store, {"note": "Theirs"}, BINH)
    for at, text in ((1000, "g"), (2000, "gọi"), (3000, "gọi lại")):
        await change(store, {"note": text}, at=at)
    await change(store, {"note": "gọi lại mai"}, at=3000 + 10 * 60_000)
    assert await events(store) == [
        ("note", BINH, "", "Theirs"),
        ("note", AN, "Theirs", "gọi lại"),
        ("note", AN, "gọi lại", "gọi lại mai"),
    ]


async def test_a_rule_that_closes_and_a_call_that_opens_again_are_in_the_history(store: Store) -> None:
    await store.writer.submit(reached(ringing(LATER)))
    await store.writer.drain()
    await store.writer.submit(missed_unit(ringing(LATER + 60), "k1"))
    await store.writer.drain()
    assert await events(store) == [("status", None, "open", "closed"), ("status", None, "closed", "open")]
    kept = await read_ticket_events(store.reader, 1)
    assert [one.reason for one in kept] == ["another_call", "called_back"]
    assert kept[1].at == reached(ringing(LATER)).at


async def test_tags_are_there_once_whatever_their_capitals(store: Store) -> None:
    assert (await change(store, {"tags": ("VIP", "vip", "Nợ")})).ticket.tags == ("VIP", "Nợ")
    assert (await change(store, {"add_tags": ("nợ", "mới")})).ticket.tags == ("VIP", "Nợ", "mới")
    assert (await change(store, {"tags": ()})).ticket.tags == ()


async def test_several_change_together_and_those_that_do_not_exist_are_left_out(store: Store) -> None:
    by = By(AN, NOON)
    changed = await store.writer.change(lambda: change_tickets([3, 1, 3, 99], {"status": TicketStatus.CLOSED}, by))
    assert [(one.ticket.ticket_id, one.closed) for one in changed] == [("3", True), ("1", True)]
    assert await count_tickets(store.reader, TicketFilter(statuses=("open",))) == 1
