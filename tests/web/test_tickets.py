"""`/api/v1/tickets`: which are found, what people change, one or many at a time, and who is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from daemon.policy.decision import OpenTicket, Reason, TicketKind
from daemon.store.role import Role
from daemon.store.values import Unit
from daemon.web.feed import FeedEvent
from tests.factory import missed
from tests.web.conftest import NOW, House
from tests.web.test_desk import agent

API = "/api/v1/tickets"


async def found(house: House, query: str, headers: dict[str, str] | None = None) -> list[str]:
    """The numbers of the tickets, oldest first."""
    asked = {"headers": headers} if headers else {}
    answer = await house.ask("GET", f"{API}?{query}", None if headers else Role.AGENT, **asked)
    assert answer.status == 200, answer.body
    return [ticket["ticket_id"] for ticket in answer.body["items"]][::-1]


async def heard(house: House, count: int, begin: str) -> list[FeedEvent]:
    events: list[FeedEvent] = []
    async with asyncio.timeout(5):
        async for event in house.feed.listen(begin):
            events.append(event)
            if len(events) == count:
                break
    return events


@pytest.mark.parametrize("typed", ["0901701234", "%2B84901701234", "84901701234", "+84901701234", "701234", "0901"])
async def test_a_customer_is_found_by_his_number_in_any_form(house: House, typed: str) -> None:
    for n, number in enumerate(("0901701234", "0912345678", "anonymous"), 1):
        call = missed(f"1795332859.{n}", number=number)
        opened = OpenTicket(call, TicketKind.MISSED_INCOMING, f"t{n}", Reason.MISSED_NOT_MERGED_BY_MODE)
        await house.record(Unit(NOW, call, (opened,)))
    assert await found(house, f"number={typed}") == ["1"]


async def test_several_states_and_kinds_nobodys_mine_and_tags_choose(house: House) -> None:
    an = await agent(house)
    for number in (1, 2, 3, 4):
        await house.miss(number, queue="sales" if number == 4 else "support")
    for ticket_id, change in (("1", {"status": "closed"}), ("2", {"assignee": "an"}), ("3", {"tags": ["VIP"]})):
        await house.ask("PATCH", f"{API}/{ticket_id}", json=change)
    assert await found(house, "status=open,pending") == ["2", "3", "4"]
    assert await found(house, "status=open&unassigned=true&queue=support") == ["3"]
    assert await found(house, "kind=missed_incoming,missed_outgoing&tag=VIP") == ["3"]
    assert await found(house, "mine=true", an) == ["2"]
    assert await found(house, "mine=true") == []  # a program has none
    assert await found(house, "kind=incoming") == []


@pytest.mark.parametrize("query", ["status=open,lost", "status=", "kind=missed", "mine=yes", "unassigned=1"])
async def test_what_is_no_filter_is_refused_by_name(house: House, query: str) -> None:
    assert (await house.ask("GET", f"{API}?{query}")).fields() == {query.partition("=")[0]}


async def test_the_etag_of_a_ticket_guards_a_change_and_a_refusal_shows_what_there_is(house: House) -> None:
    await house.miss(1)
    read = await house.ask("GET", f"{API}/1", Role.AGENT)
    match = {"If-Match": read.headers["ETag"]}
    mine = await house.ask("PATCH", f"{API}/1", Role.AGENT, json={"note": "mine"}, headers=match)
    assert (mine.status, mine.body["note"], mine.headers["ETag"]) == (200, "mine", '"2"')
    theirs = await house.ask("PATCH", f"{API}/1", Role.AGENT, json={"note": "theirs"}, headers=match)
    assert (theirs.status, theirs.body["ticket"]["note"], theirs.headers["ETag"]) == (412, "mine", '"2"')
    again = await house.ask("PATCH", f"{API}/1", Role.AGENT, json={"note": "mine"}, headers=match)
    assert again.status == 200
    assert (await house.ask("PATCH", f"{API}/1", json={"note": "last"})).body["note"] == "last"


@pytest.mark.parametrize("tag", ["x", '"x"', 'W/"1"', '"1", "2"', '"' + "9" * 30 + '"', "-1"])
async def test_an_etag_that_is_none_of_ours_changes_nothing(house: House, tag: str) -> None:
    await house.miss(1)
    answer = await house.ask("PATCH", f"{API}/1", json={"note": "x"}, headers={"If-Match": tag})
    assert answer.status == 412
    assert (await house.ask("GET", f"{API}/1")).body["note"] == ""


async def test_two_who_claim_at_once_do_not_both_get_it(house: House) -> None:
    await house.miss(1)
    names = [f"a{n}" for n in range(6)]
    match = {"If-Match": '"1"'}
    asked = (house.ask("PATCH", f"{API}/1", json={"assignee": name}, headers=match) for name in names)
    answers = await asyncio.gather(*asked)
    assert sorted(answer.status for answer in answers) == [200, 412, 412, 412, 412, 412]
    (winner,) = (name for name, answer in zip(names, answers, strict=True) if answer.status == 200)
    assert (await house.ask("GET", f"{API}/1")).body["assignee"] == winner


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"tags": "VIP"}, "tags"),
        ({"tags": ["x" * 41]}, "tags.0"),
        ({"tags": [""]}, "tags.0"),
        ({"tags": ["a\nb"]}, "tags.0"),
        ({"tags": [f"t{n}" for n in range(21)]}, "tags"),
        ({"note": "x" * 10_001}, "note"),
        ({"version": 7}, "version"),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_name(house: House, change: dict[str, Any], field: str) -> None:
    await house.miss(1)
    assert (await house.ask("PATCH", f"{API}/1", json=change)).fields() == {field}


async def test_many_are_changed_at_once_each_told_and_the_missing_named(house: House) -> None:
    for number in (1, 2, 3):
        await house.miss(number)
    begin = house.feed.last_id
    body = {"ticket_ids": ["1", "3", "77"], "status": "closed", "add_tags": ["campaign"]}
    answer = await house.ask("POST", f"{API}/bulk", Role.AGENT, json=body)
    assert answer.status == 200, answer.body
    assert [(one["ticket_id"], one["status"], one["tags"]) for one in answer.body["items"]] == [
        ("1", "closed", ["campaign"]),
        ("3", "closed", ["campaign"]),
    ]
    assert answer.body["missing"] == ["77"]
    assert [event.event_type for event in await heard(house, 2, begin)] == ["ticket.closed", "ticket.closed"]
    assert (await house.ask("GET", f"{API}/2")).body["status"] == "open"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "closed"}, "ticket_ids"),
        ({"ticket_ids": []}, "ticket_ids"),
        ({"ticket_ids": [1]}, "ticket_ids.0"),
        ({"ticket_ids": ["-1"]}, "ticket_ids.0"),
        ({"ticket_ids": ["1"] * 101}, "ticket_ids"),
        ({"ticket_ids": ["1"], "note": "the same for all"}, "note"),
    ],
)
async def test_a_change_of_many_is_bounded_and_knows_no_other_field(
    house: House, body: dict[str, Any], field: str
) -> None:
    assert field in (await house.ask("POST", f"{API}/bulk", json=body)).fields()


async def test_other_readers_hear_of_a_change_that_is_no_event_for_webhooks(house: House) -> None:
    await house.miss(1)
    await house.ask("POST", "/api/v1/webhooks", json={"url": "https://crm.example.com/hook"})
    begin = house.feed.last_id
    await house.ask("PATCH", f"{API}/1", json={"note": "x"})
    (event,) = await heard(house, 1, begin)
    assert (event.event_type, '"note":"x"' in event.data) == ("ticket.changed", True)
    assert house.announced == []


async def test_the_counts_are_of_what_is_to_be_done_and_an_agents_are_his_own(house: House) -> None:
    an = await agent(house)
    for number in (1, 2, 3):
        await house.miss(number)
    await house.ask("PATCH", f"{API}/1", json={"assignee": "an"})
    await house.ask("PATCH", f"{API}/2", json={"status": "closed"})
    assert (await house.ask("GET", f"{API}/counts")).body == {"tickets": 2, "missed": 2}
    assert (await house.ask("GET", f"{API}/counts", None, headers=an)).body == {"tickets": 1, "missed": 2}
