"""A caller writes lines of the manager's stream into his number; only his own call is touched by it."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.live.conftest import PhoneMaker
from tests.live.daemon_house import House, Json
from tests.live.lab import Lab
from tests.live.mass import Customer, call_in
from tests.live.phone import RING, PhoneCall, answer
from tests.live.trunk import Trunk

VICTIM = "+84901000301"
FORGERIES = {
    "event": "0900\r\n\r\nEvent: Hangup\r\nUniqueid: {victim}\r\nCause: 16",
    "event with privilege": "0900\r\n\r\nEvent: Hangup\r\nPrivilege: call,all\r\nUniqueid: {victim}",
    "header": "0900\r\nUniqueid: {victim}\r\nCause: 16",
    "end of message": "0900\r\n\r\n",
    "banner": "0900\r\n\r\nAsterisk Call Manager/11.0.0\r\n",
    "login": "0900\r\n\r\nResponse: Success\r\nMessage: Authentication accepted",
    "end of list": "0900\r\n\r\nEvent: CoreShowChannelsComplete\r\nListItems: 0",
    "bridge left": "0900\r\n\r\nEvent: BridgeLeave\r\nUniqueid: {victim}",
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_forged_lines_in_an_answered_callers_number_disturb_nobody_elses_call(
    house: House, lab: Lab, phone: PhoneMaker, trunk: Trunk, forgery: str
) -> None:
    customer = await victim_talks(phone, trunk)
    (victim,) = await house.living(1, "answered")
    await (await phone("1001")).on_call(answer(after=0.2))
    await call_in(house.pbx, "1902", [forger(lines_of(forgery, victim))], talk=1.0)
    forged = await only_the_forgers_call_ended(house, victim, customer)
    assert lines_of(forgery, victim).encode() in lab.raw  # Asterisk really sent it on
    assert (forged["outcome"], forged["user_ids"]) == ("answered", ["1001"])
    popups = {popup.call_id: popup.customer_number for popup in house.popups()}
    assert popups == {victim["call_id"]: VICTIM.removeprefix("+"), forged["call_id"]: "0900"}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_forged_lines_in_a_missed_callers_number_disturb_nobody_elses_call(
    house: House, lab: Lab, phone: PhoneMaker, trunk: Trunk, forgery: str
) -> None:
    customer = await victim_talks(phone, trunk)
    (victim,) = await house.living(1, "answered")
    await (await phone("1001")).on_call(RING)
    await call_in(house.pbx, "1902", [forger(lines_of(forgery, victim))], talk=0.3, abandon=True)
    forged = await only_the_forgers_call_ended(house, victim, customer)
    assert lines_of(forgery, victim).encode() in lab.raw  # Asterisk really sent it on
    assert (forged["outcome"], forged["user_ids"]) == ("missed", [])
    assert [popup.call_id for popup in house.popups()] == [victim["call_id"]]


async def victim_talks(phone: PhoneMaker, trunk: Trunk) -> PhoneCall:
    """An honest customer talks to 1002."""
    agent = await phone("1002")
    await agent.on_call(answer(after=0.0))
    customer = await trunk.call("1901", VICTIM)
    await (await agent.next_call()).confirmed()
    return customer


def lines_of(forgery: str, victim: Json) -> str:
    return FORGERIES[forgery].format(victim=victim["call_id"])


def forger(lines: str) -> Customer:
    """The lines are escaped in the From's user part as RFC 3261 §19.1.2 allows; Asterisk cuts at 79 characters."""
    assert len(lines) <= 79
    return Customer(quote(lines, safe=""))


async def only_the_forgers_call_ended(house: House, victim: Json, customer: PhoneCall) -> Json:
    """Return it. The victim still talks then, and ends the call when he likes to."""
    (forged,) = await house.living(1, "ended")
    assert forged["call_id"] != victim["call_id"]
    assert forged["customer_number_raw"] == "0900"
    assert await house.living(1, "answered") == [victim]
    await customer.hangup()
    await house.quiet(2)
    ended = await house.api.get(f"calls/{victim['call_id']}")
    assert (ended["outcome"], ended["ended_by"], ended["user_ids"]) == ("answered", "customer", ["1002"])
    assert ended["ended_at"] > forged["ended_at"]
    tickets = {ticket["call_ids"][0]: ticket["kind"] for ticket in await house.tickets()}
    kind = "incoming" if forged["outcome"] == "answered" else "missed_incoming"
    assert tickets == {victim["call_id"]: "incoming", forged["call_id"]: kind}
    return forged
