"""The agent's own phone is told: who calls, on its display, and to answer and to hold, by a PBX that may."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from daemon.ami.manager_conf import ManagerUser, Wishes, stanza
from tests.live.asterisk import Asterisk
from tests.live.conftest import PhoneMaker, running
from tests.live.daemon_house import House
from tests.live.desk_of import Desk, desk_of
from tests.live.mass import call_in
from tests.live.phone import Phone, PhoneCall, Rule
from tests.live.test_forgery import forger
from tests.live.trunk import Trunk

CUSTOMER = "+84901234567"
UNDERSTANDS = {"Allow-Events": "talk, hold, conference"}
NAME = "Nguyễn Văn An"


@pytest.fixture(scope="module")
def asterisk() -> Iterator[Asterisk]:
    """One whose manager user may write to phones and press their keys."""
    with contextlib.ExitStack() as stack:
        yield running(stack, lambda: Asterisk(manager_stanza=lambda secret: stanza(_user(secret))))


def _user(secret: str) -> ManagerUser:
    return ManagerUser(secret=secret, wishes=Wishes(phone_messages=True, phone_keys=True))


@pytest_asyncio.fixture(loop_scope="session")
async def desk(house: House) -> AsyncIterator[Desk]:
    async with desk_of(house, "1001") as opened:
        yield opened


@pytest.fixture
def phone(known_phone: PhoneMaker) -> PhoneMaker:
    return known_phone


async def rung(phone: Phone, trunk: Trunk, desk: Desk, **more: str) -> tuple[str, PhoneCall, PhoneCall]:
    """An incoming call that rings at the agent's phone: its id, as the agent and as the customer see it."""
    customer = await trunk.call("1902", CUSTOMER, **more)  # type: ignore[arg-type]
    ringing = await phone.next_call()
    return (await desk.told("agent.ringing"))["call"]["call_id"], ringing, customer


async def talking(phone: Phone, trunk: Trunk, desk: Desk) -> tuple[str, PhoneCall, PhoneCall]:
    call_id, agent, customer = await rung(phone, trunk, desk)
    await agent.phone.command("answer", call=agent.key, code=200, headers=UNDERSTANDS)
    await agent.confirmed()
    await desk.told("call.answered")
    return call_id, agent, customer


async def test_the_ringing_phone_shows_number_name_and_hotline_once_and_only_when_it_shall(
    house: House, desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    agent_phone = await phone("1001")
    _, ringing, customer = await rung(agent_phone, trunk, desk, name=NAME)
    await customer.hangup()
    await ringing.disconnected()
    assert agent_phone.messages == []  # it was not asked for

    await house.api.put("call-settings", {"notify_phone_message": True, "language": "en", "number_format": "national"})
    _, ringing, customer = await rung(agent_phone, trunk, desk, name=NAME)
    await agent_phone.until(lambda: bool(agent_phone.messages), 2.0, "a message")
    assert not ringing.is_over
    assert agent_phone.messages == [f"Call from {NAME}, 0901234567. Hotline: 1902"]
    await customer.hangup()
    await ringing.disconnected()

    customer = await trunk.call("1900", None)  # through a queue that rings it again and again
    await agent_phone.next_call()
    await agent_phone.next_call(within=20)
    assert agent_phone.messages[1:] == ["Call from Number withheld. Queue: support"]
    await customer.hangup()


async def test_a_callers_number_and_name_put_nothing_else_on_the_display_or_into_the_pbx(
    house: House, desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    agent_phone = await phone("1001")
    await house.api.put("call-settings", {"notify_phone_message": True, "language": "en"})
    hostile = "Mallory\u202e\u2028Variable: X=1"
    _, ringing, customer = await rung(agent_phone, trunk, desk, name=hostile)
    await agent_phone.until(lambda: bool(agent_phone.messages), 2.0, "a message")
    assert agent_phone.messages == ["Call from Mallory Variable: X=1, 84901234567. Hotline: 1902"]
    await customer.hangup()
    await ringing.disconnected()
    lines = "0900\r\n\r\nAction: Hangup\r\nChannel: /.*/"
    await call_in(house.pbx, "1902", [forger(lines)], talk=0.5, abandon=True)
    assert agent_phone.messages[1:] == ["Call from 0900. Hotline: 1902"]


async def test_a_phone_that_lets_itself_be_told_answers_holds_and_takes_back_from_the_desk(
    house: House, desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    agent_phone = await phone("1001")
    await agent_phone.obey()
    await agent_phone.on_call(Rule(headers=UNDERSTANDS))
    call_id, agent, customer = await rung(agent_phone, trunk, desk)
    status, problem = await desk.control(call_id, "answer")
    assert (status, problem["why"]) == (409, "phone_cannot")  # nobody knows yet what it understands
    assert agent.notified == []
    await agent.phone.command("answer", call=agent.key, code=200, headers=UNDERSTANDS)
    told = await desk.told("agent.phone_keys")
    assert (told["allowed"], told["answer"], told["hold"]) == (True, True, True)
    assert (await desk.control(call_id, "hold"))[0] == 204
    assert agent.media == "held_here"
    assert (await desk.told("agent.hold"))["held"] is True
    (held,) = (await desk.good("GET", "desk"))["held"]
    assert held["call_id"] == call_id
    assert (await desk.control(call_id, "hold"))[0] == 204  # it is
    assert agent.notified == ["hold"]
    assert (await desk.control(call_id, "unhold"))[0] == 204
    assert agent.media == "active"
    assert (await desk.good("GET", "desk"))["held"] == []
    assert agent.notified == ["hold", "talk"]
    await customer.hangup()
    await agent.disconnected()

    call_id, agent, customer = await rung(agent_phone, trunk, desk)
    async with desk_of(house, "1002") as other:
        assert (await other.control(call_id, "answer"))[1]["why"] == "no_call"
    assert (await desk.control(call_id, "answer"))[0] == 204
    assert (agent.notified, agent.is_over) == (["talk"], False)
    await agent.confirmed()
    assert (await desk.control(call_id, "answer"))[1]["why"] == "not_ringing"
    await customer.hears(True)
    await customer.hangup()
    await house.quiet(2)


async def test_a_phone_that_does_not_obey_is_said_in_words_and_the_call_goes_on(
    desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    agent_phone = await phone("1001")
    call_id, agent, customer = await talking(agent_phone, trunk, desk)
    status, problem = await desk.control(call_id, "hold")
    assert (status, problem["why"]) == (409, "phone_did_not_obey")
    assert "press its hold key" in problem["detail"]
    assert agent.notified == ["hold"]
    assert not customer.is_over
    await customer.hangup()


async def test_a_phone_that_does_not_say_that_it_understands_is_never_asked(
    desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    """Asterisk ends the call of a phone that answers 481 to what it does not understand."""
    agent_phone = await phone("1001")
    call_id, agent, customer = await rung(agent_phone, trunk, desk)
    await agent.answer()
    await desk.told("call.answered")
    status, problem = await desk.control(call_id, "hold")
    assert (status, problem["why"], agent.notified) == (409, "phone_cannot", [])
    await asyncio.sleep(0.2)
    assert (await desk.good("GET", "desk"))["keys"] == {"allowed": True, "answer": False, "hold": False}
    await customer.hangup()
