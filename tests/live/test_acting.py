"""What an agent does on his desk, done by a real Asterisk to real phones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.live.asterisk import Asterisk
from tests.live.conftest import PhoneMaker
from tests.live.daemon_house import House, Json, daemon_inside
from tests.live.desk_of import Desk, desk_of
from tests.live.lab import Lab
from tests.live.phone import RING, PhoneCall, answer, reject
from tests.live.trunk import Trunk
from tests.whole.house import until

CUSTOMER, E164 = "0912345678", "+84912345678"
HOTLINE = "02873001234"


@pytest_asyncio.fixture(loop_scope="session")
async def desk(house: House) -> AsyncIterator[Desk]:
    await house.api.put(f"hotlines/{HOTLINE}", {"label": "Sales"})
    async with desk_of(house, "1001") as opened:
        yield opened


@pytest.fixture
def phone(known_phone: PhoneMaker) -> PhoneMaker:
    return known_phone


async def clicked(desk: Desk, number: str = E164, **more: str) -> Json:
    status, ordered = await desk.ask("POST", "calls", {"number": number, **more})
    assert status == 202, ordered
    return dict(ordered)


async def talking(desk: Desk, phone: PhoneMaker, trunk: Trunk, number: str = E164) -> tuple[str, PhoneCall, PhoneCall]:
    """A click-to-call up to the talk: its id, and the call as agent and customer see it."""
    agent_phone = await phone("1001")
    await agent_phone.on_call(answer(0.1))
    await trunk.on_call(answer(0.1))
    ordered = await clicked(desk, number, hotline=HOTLINE)
    agent, customer = await agent_phone.next_call(), await trunk.next_call()
    await asyncio.gather(agent.confirmed(), customer.confirmed())
    await desk.told("call.answered")
    return str(ordered["call_id"]), agent, customer


async def test_a_click_rings_the_agent_then_the_customer_and_is_an_outgoing_call_of_that_hotline(
    house: House, desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    agent_phone = await phone("1001")
    await agent_phone.on_call(RING)
    ordered = await clicked(desk, hotline=HOTLINE)
    agent = await agent_phone.next_call()
    await agent.ringing()
    assert CUSTOMER in str(agent.header("From"))  # the agent sees whom he calls
    (ringing,) = (await desk.good("GET", "desk"))["calls"]
    facts = ("direction", "customer_number", "hotline", "call_id")
    assert [ringing[fact] for fact in facts] == ["outgoing", E164, HOTLINE, ordered["call_id"]]
    await asyncio.sleep(0.5)
    assert trunk.phone.incoming == []  # nobody is called before the agent is there
    await agent.answer()
    customer = await trunk.next_call()
    assert HOTLINE in str(customer.header("From"))
    assert "Agent" not in str(customer.header("From"))
    await customer.answer()
    await customer.confirmed()
    await asyncio.sleep(0.5)
    assert (await desk.control(str(ordered["call_id"]), "hangup"))[0] == 204
    await asyncio.gather(agent.disconnected(), customer.disconnected())
    (call,) = await house.quiet(1)
    assert [call[fact] for fact in facts] == ["outgoing", E164, HOTLINE, ordered["call_id"]]
    assert (call["outcome"], call["user_id"], call["ended_by"]) == ("answered", "1001", "agent")


async def test_a_colleague_is_called_as_a_colleague(house: House, desk: Desk, phone: PhoneMaker) -> None:
    first, second = await phone("1001"), await phone("1002")
    await first.on_call(answer(0.1))
    await second.on_call(answer(0.1))
    ordered = await clicked(desk, "1002", hotline=HOTLINE)
    called = await second.next_call()
    await called.confirmed()
    await called.hangup()
    await house.quiet(0)
    (call,) = await house.api.every("calls")
    assert (call["direction"], call["call_id"], call["user_ids"]) == ("internal", ordered["call_id"], ["1001", "1002"])


@pytest.mark.parametrize(("code", "why"), [(486, "busy"), (603, "rejected"), (480, "no_answer")])
async def test_a_phone_that_refuses_is_told_and_nobody_else_is_called(
    house: House, desk: Desk, phone: PhoneMaker, trunk: Trunk, code: int, why: str
) -> None:
    await (await phone("1001")).on_call(reject(code))
    ordered = await clicked(desk)
    failed = await desk.told("click_to_call.failed")
    assert (failed["why"], failed["call_id"], failed["number"]) == (why, ordered["call_id"], CUSTOMER)
    assert trunk.phone.incoming == []
    assert await house.tickets() == []


async def test_a_phone_that_is_not_there_is_said_at_once_and_in_words(desk: Desk) -> None:
    status, problem = await desk.ask("POST", "calls", {"number": CUSTOMER})
    assert (status, problem["why"]) == (409, "not_registered")
    assert "PJSIP/1001) is not registered" in problem["detail"]


async def test_the_registered_one_of_two_phones_rings(house: House, desk: Desk, phone: PhoneMaker) -> None:
    await house.api.put("agents/1004", {"name": "Agent 1004", "endpoints": []})
    await house.api.put("agents/1001", {"name": "Agent 1001", "endpoints": ["PJSIP/1004", "PJSIP/1001"]})
    agent_phone = await phone("1001")
    assert (await clicked(desk))["endpoint"] == "PJSIP/1001"
    await (await agent_phone.next_call()).reject()


async def test_a_number_nobody_can_dial_rings_no_phone(desk: Desk, phone: PhoneMaker) -> None:
    agent_phone = await phone("1001")
    status, problem = await desk.ask("POST", "calls", {"number": "5550"})
    assert (status, problem["why"], "5550" in problem["detail"]) == (409, "no_way", True)
    assert agent_phone.incoming == []


async def test_a_pbx_that_is_gone_is_said(house: House, desk: Desk, phone: PhoneMaker) -> None:
    await phone("1001")
    config = house.pbx.folder / "etc/manager.conf"
    text = config.read_text()
    config.write_text(text.replace("permit = 127.0.0.1", "permit = 192.0.2.1"))
    try:
        await asyncio.to_thread(house.pbx.cli, "manager reload")
        await cut(house)
        status, problem = await desk.ask("POST", "calls", {"number": CUSTOMER})
        assert (status, problem["why"]) == (503, "not_connected")
        assert (await desk.good("GET", "desk/state"))["state"] == "unknown"
    finally:
        config.write_text(text)
        await asyncio.to_thread(house.pbx.cli, "manager reload")


async def test_a_right_that_lacks_is_said(house: House, desk: Desk, phone: PhoneMaker) -> None:
    await phone("1001")
    config = house.pbx.folder / "etc/manager.conf"
    text = config.read_text()
    config.write_text(text.replace("write = call,originate,agent,reporting", "write = call,reporting"))
    try:
        await asyncio.to_thread(house.pbx.cli, "manager reload")
        await cut(house)
        await until(house.is_ready, house.readiness)
        status, problem = await desk.ask("POST", "calls", {"number": CUSTOMER})
        assert (status, problem["why"]) == (409, "no_right")
        await until(lambda: in_state(desk, "available"))
        status, problem = await desk.ask("PUT", "desk/state", {"state": "paused", "reason": "lunch"})
        assert (status, problem["why"]) == (409, "no_right")
    finally:
        config.write_text(text)
        await asyncio.to_thread(house.pbx.cli, "manager reload")


async def test_muting_silences_the_agent_and_nobody_else(desk: Desk, phone: PhoneMaker, trunk: Trunk) -> None:
    call_id, agent, customer = await talking(desk, phone, trunk)
    await customer.hears(True)
    assert (await desk.control(call_id, "mute"))[0] == 204
    await customer.hears(False)
    await agent.hears(True)
    assert (await desk.control(call_id, "unmute"))[0] == 204
    await customer.hears(True)
    await customer.hangup()


async def test_digits_reach_the_customer_in_order(desk: Desk, phone: PhoneMaker, trunk: Trunk) -> None:
    call_id, agent, customer = await talking(desk, phone, trunk)
    assert (await desk.control(call_id, "dtmf", {"digits": "15*#0"}))[0] == 204
    await customer.phone.until(lambda: customer.digits == "15*#0", 5.0, "digits")
    assert agent.digits == ""
    await customer.hangup()


async def test_a_blind_transfer_gives_the_customer_to_a_colleague(
    house: House, desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    call_id, agent, customer = await talking(desk, phone, trunk)
    second_phone = await phone("1002")
    await second_phone.on_call(answer(0.1))
    assert (await desk.control(call_id, "transfer", {"user_id": "1002"}))[0] == 204
    second = await second_phone.next_call()
    await asyncio.gather(second.confirmed(), agent.disconnected())
    assert not customer.is_over
    await asyncio.sleep(0.5)
    await customer.hangup()
    (call,) = await house.quiet(1)
    assert call["user_ids"] == ["1001", "1002"]


async def test_a_transfer_to_nowhere_is_refused_and_the_talk_goes_on(
    desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    call_id, agent, customer = await talking(desk, phone, trunk)
    for what in ("transfer", "attended-transfer"):
        status, problem = await desk.control(call_id, what, {"number": "5550"})
        assert (status, problem["why"]) == (409, "no_way")
    await asyncio.sleep(0.5)
    assert not agent.is_over
    assert not customer.is_over
    await customer.hangup()


async def test_asking_first_then_back_then_asking_again_and_handing_over(
    house: House, desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    call_id, agent, customer = await talking(desk, phone, trunk)
    second_phone = await phone("1002")
    await second_phone.on_call(answer(0.1))
    assert (await desk.control(call_id, "attended-transfer", {"user_id": "1002"}))[0] == 204
    asked = await second_phone.next_call()
    await asked.confirmed()
    await asyncio.sleep(0.5)
    assert (await desk.control(call_id, "attended-transfer", method="DELETE"))[0] == 204
    await asked.disconnected()
    assert not agent.is_over
    assert not customer.is_over

    assert (await desk.control(call_id, "attended-transfer", {"user_id": "1002"}))[0] == 204
    second = await second_phone.next_call()
    await second.confirmed()
    await asyncio.sleep(0.5)
    assert (await desk.control(call_id, "hangup"))[0] == 204
    await agent.disconnected()
    await second.hears(True)
    assert not second.is_over
    await customer.hangup()
    await second.disconnected()
    (call,) = await house.quiet(1)
    assert (call["call_id"], call["user_ids"]) == (call_id, ["1001", "1002"])


async def test_where_the_dialplan_lets_nobody_transfer_after_asking_it_is_said(
    desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    call_id, agent, customer = await talking(desk, phone, trunk, "9" + CUSTOMER)
    status, problem = await desk.control(call_id, "attended-transfer", {"user_id": "1002"})
    assert (status, problem["why"]) == (409, "no_feature")
    assert not agent.is_over
    await customer.hangup()


async def test_an_incoming_call_is_refused_from_the_desk_and_rings_on_elsewhere(
    house: House, desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    first, second = await phone("1001"), await phone("1002")
    await first.on_call(RING)
    await second.on_call(answer(0.1))
    customer = await trunk.call("1900", "+84901234567")
    ringing = await first.next_call()
    call_id = (await desk.told("agent.ringing"))["call"]["call_id"]
    assert (await desk.control(call_id, "mute"))[1]["why"] == "not_talking"
    assert (await desk.control(call_id, "hangup"))[0] == 204
    await ringing.disconnected()
    await (await second.next_call()).confirmed()
    await customer.hangup()
    (call,) = await house.quiet(1)
    assert (call["user_ids"], call["ended_by"]) == (["1002"], "customer")


async def test_without_the_wide_right_no_key_of_a_phone_is_pressed_and_it_is_said(
    desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    call_id, agent, customer = await talking(desk, phone, trunk)
    for what in ("hold", "unhold"):
        status, problem = await desk.control(call_id, what)
        assert (status, problem["why"]) == (409, "no_right")
    assert not (await desk.good("GET", "desk"))["keys"]["allowed"]
    assert agent.notified == []
    await customer.hangup()


async def test_nobody_acts_on_a_colleagues_call(house: House, desk: Desk, phone: PhoneMaker, trunk: Trunk) -> None:
    call_id, agent, customer = await talking(desk, phone, trunk)
    async with desk_of(house, "1002") as other:
        for what, body in (
            ("hangup", None),
            ("mute", None),
            ("dtmf", {"digits": "1"}),
            ("transfer", {"number": "1003"}),
        ):
            status, problem = await other.control(call_id, what, body)
            assert (status, problem["why"]) == (409, "no_call"), what
    assert not agent.is_over
    await customer.hangup()


async def test_a_paused_agent_is_not_rung_by_the_queue_until_he_is_back(
    desk: Desk, phone: PhoneMaker, trunk: Trunk
) -> None:
    first, second = await phone("1001"), await phone("1002")
    await second.on_call(answer(0.1))
    assert (await desk.good("GET", "desk/state"))["queues"] == [
        *("local", "local-optimised", "sales", "support"),
    ]
    paused = await desk.good("PUT", "desk/state", {"state": "paused", "reason": "lunch"})
    assert (paused["state"], paused["reason"]) == ("paused", "lunch")
    assert (await desk.told("agent.state"))["state"] == "paused"
    customer = await trunk.call("1900", "+84901234568")
    await (await second.next_call()).confirmed()
    assert first.incoming == []
    await customer.hangup()
    assert (await desk.good("PUT", "desk/state", {"state": "available"}))["state"] == "available"
    customer = await trunk.call("1900", "+84901234568")
    await first.next_call()
    await customer.hangup()


async def test_a_pause_made_on_the_pbx_shows_and_outlives_a_lost_link(house: House, desk: Desk, lab: Lab) -> None:
    await lab.action("QueuePause", Interface="PJSIP/1001", Paused="true", Reason="Đi vệ sinh")
    told = await desk.told("agent.state")
    assert (told["state"], told["reason"]) == ("paused", "Đi vệ sinh")
    await cut(house)
    await until(house.is_ready, house.readiness)
    await until(lambda: in_state(desk, "paused"))
    assert (await desk.good("GET", "desk/state"))["reason"] == "Đi vệ sinh"
    await lab.action("QueuePause", Interface="PJSIP/1001", Paused="false")
    await until(lambda: in_state(desk, "available"))


async def test_after_a_call_the_agent_has_his_time_and_is_then_back_by_himself(
    asterisk: Asterisk, tmp_path: Path, phone: PhoneMaker, trunk: Trunk
) -> None:
    async with daemon_inside(tmp_path, asterisk, wrap_up_seconds=3) as house, desk_of(house, "1001") as desk:
        first = await phone("1001")
        await first.on_call(answer(0.1))
        await until(lambda: in_state(desk, "available"))
        customer = await trunk.call("1900", "+84901234569")
        await (await first.next_call()).confirmed()
        await asyncio.sleep(0.5)
        await customer.hangup()
        await until(lambda: in_state(desk, "wrap_up"))
        again = await trunk.call("1900", "+84901234570")
        await asyncio.sleep(1.5)
        assert len(first.incoming) == 1
        await until(lambda: in_state(desk, "available"), deadline_s=6)
        await first.next_call()
        await again.hangup()
        await house.quiet(2)
        await desk.good("PUT", "desk/state", {"state": "available"})


async def test_colleagues_show_who_is_free_talking_paused_and_away(
    desk: Desk, phone: PhoneMaker, trunk: Trunk, lab: Lab
) -> None:
    await phone("1002")
    _, _, customer = await talking(desk, phone, trunk)
    await lab.action("QueuePause", Interface="PJSIP/1002", Paused="true", Reason="lunch")
    await asyncio.sleep(0.2)
    items = {one["user_id"]: one for one in (await desk.good("GET", "desk/colleagues"))["items"]}
    await lab.action("QueuePause", Interface="PJSIP/1002", Paused="false")
    assert [items[user]["presence"] for user in ("1001", "1002", "1005")] == ["talking", "free", "offline"]
    assert (items["1002"]["state"], items["1002"]["reason"], items["1002"]["number"]) == ("paused", "lunch", "1002")
    await customer.hangup()


async def in_state(desk: Desk, state: str) -> bool:
    return bool((await desk.good("GET", "desk/state"))["state"] == state)


async def cut(house: House) -> None:
    """End the daemon's session as an operator of the PBX can."""
    for line in (await asyncio.to_thread(house.pbx.cli, "manager show connected")).splitlines():
        if line.split()[:1] == ["callwarden"]:
            await asyncio.to_thread(house.pbx.cli, f"manager kick session {line.split()[4]}")

    async def is_gone() -> bool:
        return not await house.is_ready()

    await until(is_gone, deadline_s=5)
