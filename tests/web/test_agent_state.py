"""An agent's state in the queues, and his colleagues' as he sees them."""

from __future__ import annotations

import pytest

from daemon.acts import AgentState, Availability, CannotAct, PhoneState, Why
from daemon.call.signals import UnixMs
from daemon.message import Message
from tests.web.conftest import NOW, House
from tests.web.test_desk import agent

STATE = "/api/v1/desk/state"


async def test_an_agent_pauses_himself_and_comes_back(house: House) -> None:
    an, binh = await agent(house), await agent(house, "binh")
    paused = await house.ask("PUT", STATE, None, json={"state": "paused", "reason": "lunch"}, headers=an)
    assert (paused.status, paused.body["state"], paused.body["reason"]) == (200, "paused", "lunch")
    assert (await house.ask("GET", STATE, None, headers=binh)).body["state"] == "available"
    back = await house.ask("PUT", STATE, None, json={"state": "available"}, headers=an)
    assert (back.body["state"], back.body["reason"], back.body["user_id"]) == ("available", None, "an")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "paused"}, "reason"),
        ({"state": "available", "reason": "lunch"}, "reason"),
        ({"state": "paused", "reason": "wrap_up"}, "reason"),
        ({"state": "paused", "reason": "x\r\nAction: QueueAdd"}, "reason"),
        ({"state": "wrap_up", "reason": "lunch"}, "state"),
        ({"state": "paused", "reason": "lunch", "user_id": "binh"}, "user_id"),
    ],
)
async def test_a_state_that_is_none_changes_nothing(house: House, body: dict[str, str], field: str) -> None:
    an = await agent(house)
    assert (await house.ask("PUT", STATE, None, json=body, headers=an)).fields() == {field}
    assert house.states.known == {}


async def test_who_is_in_no_queue_is_told_so(house: House) -> None:
    an = await agent(house)
    house.states.refusal = CannotAct(Why.NO_QUEUE, Message("No queue has your phone."))
    answer = await house.ask("PUT", STATE, None, json={"state": "paused", "reason": "break"}, headers=an)
    assert (answer.status, answer.body["why"]) == (409, "no_queue")


async def test_a_wrap_up_says_until_when(house: House) -> None:
    an = await agent(house)
    house.states.known["an"] = AgentState(
        state=Availability.WRAP_UP, reason="wrap_up", since=NOW, until=UnixMs(NOW + 20_000), queues=("support",)
    )
    answer = (await house.ask("GET", STATE, None, headers=an)).body
    assert (answer["state"], answer["queues"]) == ("wrap_up", ["support"])
    assert answer["since"] < answer["until"]


async def test_colleagues_are_listed_by_name_with_what_their_phones_and_the_queues_say(house: House) -> None:
    an = await agent(house)
    two = {"name": "Bình <script>", "endpoints": ["PJSIP/1002", "PJSIP/1003"]}
    await house.ask("PUT", "/api/v1/agents/binh", json=two)
    await house.ask("PUT", "/api/v1/agents/chi", json={"name": "Anh Chi", "endpoints": ["PJSIP/1004"]})
    house.acts.phones = {"PJSIP/1002": PhoneState.FREE, "PJSIP/1003": PhoneState.TALKING}
    house.states.known["chi"] = AgentState(state=Availability.PAUSED, reason="Đi vệ sinh", queues=("support",))
    items = (await house.ask("GET", "/api/v1/desk/colleagues", None, headers=an)).body["items"]
    assert [one["user_id"] for one in items] == ["an", "chi", "binh"]
    _, chi, binh = items
    assert (binh["name"], binh["presence"], binh["number"]) == ("Bình <script>", "talking", "1002")
    assert (chi["presence"], chi["state"], chi["reason"]) == (None, "paused", "Đi vệ sinh")
