"""Calls and tickets as lists: filters, and pages that neither skip nor repeat while calls keep coming."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.call.model import PbxName
from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.policy.decision import EventType
from daemon.store.values import Unit
from tests.factory import answered
from tests.web.conftest import NOW, House


@pytest.mark.parametrize(("kind", "key"), [("calls", "call_id"), ("tickets", "ticket_id"), ("deliveries", "call_id")])
async def test_pages_neither_skip_nor_repeat_while_calls_come_in(house: House, kind: str, key: str) -> None:
    await house.ask("POST", "/api/v1/webhooks", json={"url": "http://crm.example/", "events": ["call.ended"]})
    for number in range(10):
        await house.miss(number)
    seen, cursor, newer = [], "", 10
    while cursor is not None:
        page = (await house.ask("GET", f"/api/v1/{kind}?limit=3{cursor and '&cursor=' + cursor}")).body
        seen += [item[key] for item in page["items"]]
        cursor = page["next"]
        await house.miss(newer)
        newer += 1
    first_ten = (await house.ask("GET", f"/api/v1/{kind}?limit=200")).body["items"][-10:]
    assert seen == [item[key] for item in first_ten]


async def test_calls_of_one_millisecond_are_all_listed(house: House) -> None:
    for number in range(7):
        call = replace(answered(f"1.{number}"), started_at=NOW)
        await house.record(*(Unit(NOW, replace(call, pbx=PbxName(pbx)), ()) for pbx in ("main", "second")))
    seen, cursor = set(), ""
    while cursor is not None:
        page = (await house.ask("GET", f"/api/v1/calls?limit=4{cursor and '&cursor=' + cursor}")).body
        seen |= {(item["pbx"], item["call_id"]) for item in page["items"]}
        cursor = page["next"]
    assert len(seen) == 14


async def test_calls_are_found_by_every_filter(house: House) -> None:
    await house.miss(1, queue="sales", hotline="1900")
    late = replace(answered("2.0", number="0907654321"), started_at=UnixMs(NOW + 60_000))
    await house.record(Unit(NOW, late, ()))
    for query, expected in {
        "direction=incoming&outcome=missed": ["1795332859.1"],
        "state=answered": ["2.0"],
        "queue=sales&hotline=1900&pbx=main": ["1795332859.1"],
        "user_id=an": ["2.0"],
        "customer_number=%2B84907654321": ["2.0"],
        "customer_number=+84907654321": ["2.0"],
        "customer_number=84907654321": ["2.0"],
        f"from={iso_utc(UnixMs(NOW + 60_000))}": ["2.0"],
        f"to={iso_utc(UnixMs(NOW + 60_000))}": ["1795332859.1"],
        "queue='%20OR%201=1--": [],
        "": ["2.0", "1795332859.1"],
    }.items():
        page = (await house.ask("GET", f"/api/v1/calls?{query}", None or list(house.tokens)[2])).body
        assert [item["call_id"] for item in page["items"]] == expected, query


async def test_a_call_of_two_pbxs_is_chosen_by_its_pbx(house: House) -> None:
    call = answered("7.7")
    await house.record(Unit(NOW, call, ()), Unit(NOW, replace(call, pbx=PbxName("second")), ()))
    ambiguous = await house.ask("GET", "/api/v1/calls/7.7")
    assert (ambiguous.status, ambiguous.body["pbxs"]) == (409, ["main", "second"])
    assert (await house.ask("GET", "/api/v1/calls/7.7?pbx=second")).body["pbx"] == "second"
    assert (await house.ask("GET", "/api/v1/calls/7.7?pbx=third")).status == 404


async def test_a_call_shows_its_ticket_and_the_ticket_its_calls(house: House) -> None:
    call = await house.miss(1)
    shown = (await house.ask("GET", f"/api/v1/calls/{call.call_id}")).body
    ticket = (await house.ask("GET", f"/api/v1/tickets/{shown['ticket_id']}")).body
    assert ticket["call_ids"] == [call.call_id]
    assert (await house.ask("GET", "/api/v1/tickets?status=open&kind=missed_incoming")).body["items"] == [ticket]
    assert (await house.ask("GET", "/api/v1/tickets?status=closed")).body["items"] == []


async def test_closing_a_ticket_is_announced_once_and_reopening_forgets_it(house: House) -> None:
    await house.ask("POST", "/api/v1/webhooks", json={"url": "http://crm.example/", "events": ["ticket.closed"]})
    await house.miss(1)
    path, listening = "/api/v1/tickets/1", house.feed.listen(house.feed.last_id)
    closed = (await house.ask("PATCH", path, json={"status": "closed", "note": "đã gọi\nlại"})).body
    assert (closed["status"], closed["closed_reason"], closed["note"]) == ("closed", "manual", "đã gọi\nlại")
    assert closed["closed_at"] == closed["updated_at"] == iso_utc(house.now)
    again = await house.ask("PATCH", path, json={"status": "closed"})
    assert (again.body, len(house.announced)) == (closed, 1)
    assert house.announced[0].event_type == EventType.TICKET_CLOSED
    assert (await anext(listening)).event_type == "ticket.closed"
    reopened = (await house.ask("PATCH", path, json={"status": "pending", "assignee": "an"})).body
    assert (reopened["closed_at"], reopened["closed_reason"], reopened["assignee"]) == (None, None, "an")
    assert (await house.ask("PATCH", path, json={"assignee": None})).body["assignee"] is None
    await house.ask("PATCH", path, json={"status": "closed"})
    assert len({delivery.delivery_id for delivery in house.announced}) == 2
    await listening.aclose()


@pytest.mark.parametrize(
    "change",
    [
        {"status": "done"},
        {"status": None},
        {"note": None},
        {"note": "a" * 10_001},
        {"assignee": ""},
        {"assignee": "a\r\nb"},
        {"missed_count": 0},
        {"status": "closed", "x": 1},
    ],
)
async def test_a_wrong_change_of_a_ticket_changes_nothing(house: House, change: dict[str, object]) -> None:
    await house.miss(1)
    before = (await house.ask("GET", "/api/v1/tickets/1")).body
    assert (await house.ask("PATCH", "/api/v1/tickets/1", json=change)).status == 422
    assert (await house.ask("GET", "/api/v1/tickets/1")).body == before
    assert not house.announced
    assert (await house.ask("PATCH", "/api/v1/tickets/2", json={"status": "closed"})).status == 404
