"""Fifty calls at the same time: each one's ticket and popup are its own, none is missing, none comes twice."""

from __future__ import annotations

from collections import Counter

from tests.live.daemon_house import ANSWER_TIMES, House, load_desks, load_users, unix_ms
from tests.live.mass import Customer, call_in, load_agents

CUSTOMERS = [f"+849012300{index:02}" for index in range(50)]
TALK_SECONDS = 4.0
POPUP_WITHIN_MS = 1000


async def test_fifty_answered_at_once_are_fifty_tickets_and_fifty_popups(house: House) -> None:
    await load_desks(house, load_users(house.pbx))
    async with load_agents(house.pbx, ring=0.2):
        played = await call_in(house.pbx, "1916", [Customer(number) for number in CUSTOMERS], talk=TALK_SECONDS)
    assert (played.successful, played.failed) == (50, 0)
    calls = {call["customer_number"]: call for call in await house.quiet(50)}
    assert sorted(calls) == CUSTOMERS
    assert {(c["direction"], c["queue"], c["hotline"], c["outcome"]) for c in calls.values()} == {
        ("incoming", "load", "1916", "answered")
    }
    # All talked at once, so nobody can have taken two.
    assert sorted(user for call in calls.values() for user in call["user_ids"]) == list(map(str, load_users(house.pbx)))
    by_call = {ticket["call_ids"][0]: ticket for ticket in await house.tickets()}
    assert len(by_call) == len(await house.tickets()) == 50
    for number, call in calls.items():
        ticket = by_call[call["call_id"]]
        assert (ticket["customer_number"], ticket["assignee"]) == (number, call["user_id"])
        assert ticket["kind"] == "incoming"
        assert house.told(call["call_id"]) == ["call.answered", "call.ended", "call.ringing", "ticket.created"]


async def test_fifty_popups_of_one_moment_arrive_within_a_second_each_for_the_right_agent(house: House) -> None:
    await load_desks(house, load_users(house.pbx))
    async with load_agents(house.pbx, ring=0.2):
        await call_in(house.pbx, "1916", [Customer(number) for number in CUSTOMERS], talk=TALK_SECONDS)
    calls = {call["call_id"]: call for call in await house.quiet(50)}
    popups = house.popups()
    assert Counter(popup.call_id for popup in popups) == dict.fromkeys(calls, 1)
    for popup in popups:
        call = calls[popup.call_id]
        assert (popup.user_id, "+" + popup.customer_number) == (call["user_id"], call["customer_number"])
        assert popup.time_answer == unix_ms(call["answered_at"])
        assert 0 <= popup.arrived - popup.time_answer < POPUP_WITHIN_MS
        ANSWER_TIMES.seen["popup at the CRM, 50 at once"].append(popup.arrived - popup.time_answer)


async def test_fifty_abandoned_at_once_by_ten_customers_are_ten_tickets_of_five_calls(house: House) -> None:
    await house.api.put("call-settings", {"missed_call_merge": "incoming"})
    callers = [Customer(number) for number in CUSTOMERS[:10] * 5]
    played = await call_in(house.pbx, "1908", callers, talk=1.5, abandon=True)
    assert (played.successful, played.failed) == (50, 0)
    calls = await house.quiet(50)
    tickets = await house.tickets()
    assert sorted(ticket["customer_number"] for ticket in tickets) == CUSTOMERS[:10]
    assert {(ticket["kind"], ticket["missed_count"]) for ticket in tickets} == {("missed_incoming", 5)}
    whose = {call["call_id"]: call["customer_number"] for call in calls}
    assert Counter(call_id for ticket in tickets for call_id in ticket["call_ids"]) == dict.fromkeys(whose, 1)
    for ticket in tickets:
        assert {whose[call_id] for call_id in ticket["call_ids"]} == {ticket["customer_number"]}
    assert house.popups() == []
    kinds = Counter(event["type"] for event in house.events())
    assert (kinds["ticket.created"], kinds["ticket.merged"], kinds["call.missed"]) == (10, 40, 50)
