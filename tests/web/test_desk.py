"""An agent's desk: what is on it, what he is told, and one window a popup."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from daemon.acts import Keys, Part
from daemon.bus import AgentToNotify, CallHappened
from daemon.call.events import CallAnswered, CallEnded, CallHeld, CallResumed
from daemon.call.model import Call, CallId, CallState, UserId
from daemon.call.rendering import iso_utc
from daemon.call.signals import ChannelId, UnixMs
from daemon.policy.customer_lookup import Customer
from daemon.policy.decision import NotifyAgent, OpenTicket, PopScreen, Reason, StopNotifying, TicketKind
from daemon.store.role import Role
from daemon.store.values import Unit
from daemon.web.desk_now import LONGEST_RING_MS
from tests.factory import answered, missed, ringing
from tests.web.conftest import LAN, NOW, Answer, House

PHONE = ChannelId("1795332860.1")


async def agent(house: House, user_id: str = "an") -> dict[str, str]:
    """The headers of this agent's browser."""
    await house.ask("PUT", f"/api/v1/agents/{user_id}", json={"endpoints": [f"PJSIP/{user_id}"]})
    await house.add_account(user_id, Role.AGENT, user_id=user_id)
    return await house.open_session(user_id)


async def desk(house: House, headers: dict[str, str]) -> dict[str, Any]:
    answer = await house.ask("GET", "/api/v1/desk", None, headers=headers)
    assert answer.status == 200, answer.body
    body: dict[str, Any] = answer.body
    return body


def talking(user_id: str = "an") -> Call:
    return replace(answered(started_at=NOW), user_id=UserId(user_id), user_ids=(UserId(user_id),))


async def pop(house: House, user_id: str = "an") -> Call:
    call = talking(user_id)
    opened = OpenTicket(call, TicketKind.INCOMING, f"k-{user_id}", Reason.CALL_ANSWERED)
    popup = PopScreen(call, UserId(user_id), "https://crm/x", NOW, True, False, Reason.AGENT_ANSWERED)
    await house.record(Unit(NOW, call, (opened, popup)))
    return call


async def open_in(house: House, headers: dict[str, str], browser: str, call: Call) -> Answer:
    path = f"/api/v1/desk/pops/{call.pbx}/{call.call_id}/open"
    return await house.ask("POST", path, None, json={"browser": browser}, headers=headers)


async def give_back(house: House, headers: dict[str, str], browser: str, call: Call) -> Answer:
    path = f"/api/v1/desk/pops/{call.pbx}/{call.call_id}/blocked"
    return await house.ask("POST", path, None, json={"browser": browser}, headers=headers)


async def test_a_phone_that_rings_is_on_its_agents_desk_and_on_no_other(house: House) -> None:
    an, binh = await agent(house), await agent(house, "binh")
    notify = NotifyAgent(ringing(), UserId("an"), PHONE, Reason.PHONE_RINGS)
    house.bus.publish(AgentToNotify(notify, house.now))
    (shown,) = (await desk(house, an))["ringing"]
    assert (shown["channel"], shown["call"]["customer_number"]) == (PHONE, "+84901701234")
    assert shown["since"] < shown["until"]
    assert (await desk(house, binh))["ringing"] == []


async def test_a_ring_is_gone_when_it_ended_and_when_nobody_ended_it_for_too_long(house: House) -> None:
    an = await agent(house)
    call = ringing()
    house.bus.publish(AgentToNotify(NotifyAgent(call, UserId("an"), PHONE, Reason.PHONE_RINGS), house.now))
    house.bus.publish(AgentToNotify(StopNotifying(call, UserId("an"), PHONE, Reason.PHONE_STOPPED), house.now))
    assert (await desk(house, an))["ringing"] == []
    house.bus.publish(AgentToNotify(NotifyAgent(call, UserId("an"), PHONE, Reason.PHONE_RINGS), house.now))
    house.wait(LONGEST_RING_MS)
    assert (await desk(house, an))["ringing"] == []


async def test_a_call_is_on_the_desk_of_who_has_it_now(house: House) -> None:
    an, binh = await agent(house), await agent(house, "binh")
    house.bus.publish(CallHappened(CallAnswered(house.now, talking())))
    assert len((await desk(house, an))["calls"]) == 1
    shared = replace(talking("binh"), user_ids=(UserId("an"), UserId("binh")))
    house.bus.publish(CallHappened(CallAnswered(house.now, shared)))
    assert ((await desk(house, an))["calls"], len((await desk(house, binh))["calls"])) == ([], 1)
    over = replace(talking("binh"), state=CallState.ENDED, ended_at=UnixMs(NOW + 9))
    house.bus.publish(CallHappened(CallEnded(house.now, over)))
    assert (await desk(house, binh))["calls"] == []


async def test_a_call_says_whether_its_agent_is_muted_or_asks_a_colleague(house: House) -> None:
    an = await agent(house)
    house.bus.publish(CallHappened(CallAnswered(house.now, talking())))
    await pop(house)  # the call is in the store too
    assert [(call["muted"], call["consulting"]) for call in (await desk(house, an))["calls"]] == [(False, False)]
    house.acts.part = Part(muted=True, consulting=True)
    assert [(call["muted"], call["consulting"]) for call in (await desk(house, an))["calls"]] == [(True, True)]


async def test_a_popup_opens_in_the_first_window_that_asks_and_in_no_other(house: House) -> None:
    an = await agent(house)
    call = await pop(house)
    answers = await asyncio.gather(*(open_in(house, an, f"window-{n}", call) for n in range(8)))
    assert sorted(answer.body["open"] for answer in answers) == [False] * 7 + [True]
    (shown,) = (await desk(house, an))["pops"]
    assert shown["opened_at"] is not None


async def test_a_window_that_lost_the_answer_may_ask_again(house: House) -> None:
    an = await agent(house)
    call = await pop(house)
    for _ in range(2):
        assert (await open_in(house, an, "window-1", call)).body["open"] is True
        house.wait(5)
    assert (await open_in(house, an, "window-2", call)).body["open"] is False


async def test_a_window_that_won_and_was_blocked_gives_the_popup_back_to_the_others(house: House) -> None:
    an = await agent(house)
    call = await pop(house)
    begin = (await desk(house, an))["event_id"]
    await open_in(house, an, "window-1", call)
    assert (await give_back(house, an, "window-2", call)).body["opened_at"] is not None, "it is not that one's to give"
    for _ in range(2):  # its answer may be lost
        assert (await give_back(house, an, "window-1", call)).body["opened_at"] is None
        house.wait(5)
    (shown,) = (await desk(house, an))["pops"]
    assert (shown["opened_at"], shown["blocked_at"]) == (None, iso_utc(NOW))
    answers = await asyncio.gather(*(open_in(house, an, f"window-{n}", call) for n in range(2, 6)))
    assert [answer.body["open"] for answer in answers].count(True) == 1
    told = []
    async for event in house.feed.listen(begin, user_id="an"):
        told.append(event.event_type)
        if len(told) == 3:
            break
    assert told == ["popup.opened", "popup.blocked", "popup.opened"]


async def test_another_agents_popup_cannot_be_given_back(house: House) -> None:
    an, binh = await agent(house), await agent(house, "binh")
    call = await pop(house)
    await open_in(house, an, "window-1", call)
    assert (await give_back(house, binh, "window-1", call)).status == 404
    assert (await open_in(house, an, "window-2", call)).body["open"] is False


async def test_another_agents_popup_cannot_be_opened(house: House) -> None:
    await agent(house)
    binh = await agent(house, "binh")
    call = await pop(house)
    assert (await open_in(house, binh, "window-1", call)).status == 404
    assert (await desk(house, binh))["pops"] == []


async def test_an_old_popup_is_not_offered_to_a_browser_that_comes_back(house: House) -> None:
    an = await agent(house)
    await pop(house)
    assert len((await desk(house, an))["pops"]) == 1
    house.wait(11 * 60_000)
    assert (await desk(house, an))["pops"] == []


async def test_missed_calls_that_nobody_claimed_are_on_every_desk_and_mine_are_mine(house: House) -> None:
    an, binh = await agent(house), await agent(house, "binh")
    call = missed(started_at=NOW)
    await house.record(Unit(NOW, call, (OpenTicket(call, TicketKind.MISSED_INCOMING, "m", Reason.MISSED_ANONYMOUS),)))
    assert [len((await desk(house, one))["missed"]) for one in (an, binh)] == [1, 1]
    await house.ask("PATCH", "/api/v1/tickets/1", None, json={"assignee": "an"}, headers=an)
    assert [len((await desk(house, one))["missed"]) for one in (an, binh)] == [0, 0]
    assert [len((await desk(house, one))["tickets"]) for one in (an, binh)] == [1, 0]


async def test_who_is_no_agent_has_no_desk_and_is_told_why(house: House) -> None:
    await house.add_account("boss", Role.ADMIN, language="en")
    answer = await house.ask("GET", "/api/v1/desk", None, headers=await house.open_session("boss"))
    assert (answer.status, "belongs to no agent" in answer.body["detail"]) == (409, True)
    assert (await house.ask("GET", "/api/v1/desk")).status == 409  # nor has a program


async def test_a_desk_hears_what_concerns_it_and_nothing_else_and_goes_on_where_it_read(house: House) -> None:
    an = await agent(house)
    begin = (await desk(house, an))["event_id"]
    house.feed.publish("popup", {"n": 1}, frozenset({"binh"}))
    house.feed.publish("popup", {"n": 2}, frozenset({"an"}))
    house.feed.publish("ticket.created", {"n": 3})
    house.feed.publish("call.missed", {"n": 4})  # no desk needs it
    house.feed.publish("popup", {"n": 5}, frozenset({"an", "binh"}))
    async with house.client.get(f"/api/v1/desk/events?after={begin}", headers=an) as stream:
        heard = ""
        async with asyncio.timeout(5):
            while '"n":5' not in heard:
                heard += (await stream.content.readany()).decode()
    assert [f'"n":{n}' in heard for n in range(1, 6)] == [False, True, True, False, True]


async def test_who_the_customer_is_stands_with_the_calls_that_ring_and_live(house: House) -> None:
    an = await agent(house)
    first, second = ringing("1.1"), replace(talking(), call_id=CallId("1.2"))
    house.bus.publish(AgentToNotify(NotifyAgent(first, UserId("an"), PHONE, Reason.PHONE_RINGS), house.now))
    house.bus.publish(CallHappened(CallAnswered(house.now, second)))
    before = await desk(house, an)
    assert [one["customer"] for one in (before["ringing"][0]["call"], before["calls"][0])] == [None, None]
    house.customers.found = {"1.1": LAN, "1.2": Customer(name="Anh")}
    now = await desk(house, an)
    assert now["ringing"][0]["call"]["customer"] == LAN.as_json()
    assert now["calls"][0]["customer"] == {"name": "Anh", "link": None, "note": None}


async def test_what_an_agents_phone_holds_and_which_keys_it_lets_press_are_on_his_desk_only(house: House) -> None:
    an, binh = await agent(house), await agent(house, "binh")
    call = talking()
    house.bus.publish(CallHappened(CallHeld(house.now, call, UserId("an"), PHONE)))
    house.acts.keys = Keys(allowed=True, answer=True, hold=False)
    mine = await desk(house, an)
    assert mine["held"] == [{"channel": PHONE, "pbx": call.pbx, "call_id": call.call_id}]
    assert mine["keys"] == {"allowed": True, "answer": True, "hold": False}
    assert (await desk(house, binh))["held"] == []
    house.bus.publish(CallHappened(CallResumed(house.now, call, UserId("an"), PHONE)))
    assert (await desk(house, an))["held"] == []
