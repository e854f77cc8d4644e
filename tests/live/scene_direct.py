"""Calls to one agent or a ring group, the caller's number and name, hold, and a second call."""

from __future__ import annotations

import asyncio

from tests.live.mass import Customer, call_in
from tests.live.phone import RING, PhoneCall, Rule, answer, reject
from tests.live.scenarios import Stage, scenario


@scenario("1001")
async def in_direct_answered(stage: Stage) -> None:
    await _answered(stage, stage.customer, None)


@scenario("1001")
async def in_direct_answered_agent_hangs_up(stage: Stage) -> None:
    await stage.customer_dials("1902")
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(agent, "1001")
    stage.incoming("1902", "agent", ("1001", agent))


@scenario("1001")
async def in_direct_missed(stage: Stage) -> None:
    customer = await stage.customer_dials("1902")
    await customer.disconnected()
    stage.incoming("1902", "system")


@scenario("1001")
async def in_direct_abandoned(stage: Stage) -> None:
    customer = await stage.customer_dials("1902")
    await stage.phones["1001"].next_call()
    await asyncio.sleep(1.0)
    await stage.hangs_up(customer, "customer")
    stage.incoming("1902", "customer")


@scenario("1001")
async def in_direct_busy(stage: Stage) -> None:
    await stage.phones["1001"].on_call(reject(486))
    customer = await stage.customer_dials("1902")
    await customer.disconnected()
    stage.incoming("1902", "system")


@scenario()
async def in_direct_unregistered(stage: Stage) -> None:
    customer = await stage.customer_dials("1902")
    await customer.disconnected()
    stage.incoming("1902", "system")


@scenario("1001", "1002")
async def in_group_answered(stage: Stage) -> None:
    customer = await stage.customer_dials("1909")
    await stage.phones["1001"].next_call()
    agent = await stage.agent_answers("1002")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1909", "customer", ("1002", agent))


@scenario("1001", "1002")
async def in_group_missed(stage: Stage) -> None:
    customer = await stage.customer_dials("1909")
    await customer.disconnected()
    stage.incoming("1909", "system")


@scenario("1001", "1002")
async def in_group_one_rejects_other_answers(stage: Stage) -> None:
    await stage.phones["1001"].on_call(reject(486))
    customer = await stage.customer_dials("1909")
    agent = await stage.agent_answers("1002", after=1.0)
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1909", "customer", ("1002", agent))


@scenario("1001")
async def in_anonymous_answered(stage: Stage) -> None:
    await _answered(stage, None, None)


@scenario("1001")
async def in_anonymous_missed(stage: Stage) -> None:
    customer = await stage.customer_dials("1902", None)
    await stage.phones["1001"].next_call()
    await asyncio.sleep(1.0)
    await stage.hangs_up(customer, "customer")
    stage.incoming("1902", "customer", customer=None)


@scenario("1001")
async def in_name_quotes(stage: Stage) -> None:
    await _answered(stage, stage.customer, r"Anna \"Ann\" O'Neil \\ Co")


@scenario("1001")
async def in_name_vietnamese(stage: Stage) -> None:
    await _answered(stage, stage.customer, "Trần Thị Hồng Ngọc Đặng")


@scenario("1001")
async def in_name_script(stage: Stage) -> None:
    await _answered(stage, stage.customer, "<script>alert(1)</script>")


@scenario("1001")
async def in_name_latin1(stage: Stage) -> None:
    await _answered_from_sipp(stage, stage.customer, '"José Müller"'.encode("latin-1"))


@scenario("1001")
async def in_name_encoded_newline(stage: Stage) -> None:
    await _answered_from_sipp(stage, stage.customer, b'"Eve%0d%0aEvent: Hangup\\r\\nAction: Originate"')


@scenario("1001")
async def in_number_forged_header(stage: Stage) -> None:
    """The From's user part holds CR LF and a header, escaped as RFC 3261 §19.1.2 allows."""
    await _answered_from_sipp(stage, "0900%0D%0AInjected%3A%20yes", b"")


@scenario("1001")
async def in_number_forged_event(stage: Stage) -> None:
    """The same with a whole event: a caller can write into the manager's stream."""
    forged = "0900%0D%0A%0D%0AEvent%3A%20Hangup%0D%0AUniqueid%3A%201.1%0D%0ACause%3A%2016"
    await _answered_from_sipp(stage, forged, b"")


@scenario("1001", "1002")
async def in_same_customer_twice_at_once(stage: Stage) -> None:
    first = await stage.customer_dials("1902")
    first_agent = await stage.agent_answers("1001")
    second = await stage.customer_dials("1901")
    second_agent = await stage.agent_answers("1002")
    await stage.talk()
    await stage.hangs_up(first, "customer, first call")
    await stage.hangs_up(second_agent, "1002")
    await second.disconnected()
    stage.incoming("1902", "customer", ("1001", first_agent))
    stage.incoming("1901", "agent", ("1002", second_agent))


@scenario("1001")
async def in_hold_unhold(stage: Stage) -> None:
    customer = await stage.customer_dials("1900")
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await agent.hold()
    stage.note("1001 holds")
    await asyncio.sleep(2.0)
    await agent.unhold()
    stage.note("1001 takes it back")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1001", agent), queue="support")


@scenario("1001")
async def in_second_call_while_first_held(stage: Stage) -> None:
    first_number, second_number = stage.customer, stage.another_customer(1)
    first = await stage.customer_dials("1902", first_number)
    first_agent = await stage.agent_answers("1001")
    second = await stage.customer_dials("1902", second_number)
    await stage.phones["1001"].until(lambda: len(stage.phones["1001"].incoming) > 1, 5.0, "a second call")
    await first_agent.hold()
    second_agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(second, "second customer")
    await first_agent.unhold()
    await stage.talk()
    await stage.hangs_up(first, "first customer")
    stage.incoming("1902", "customer", ("1001", first_agent), customer=first_number)
    stage.incoming("1902", "customer", ("1001", second_agent), customer=second_number)


@scenario("1001")
async def in_forwarded_to_mobile(stage: Stage) -> None:
    """The desk phone is not answered, the dialplan tries the agent's mobile."""
    await stage.trunk.on_call(answer(after=0.6))
    customer = await stage.customer_dials("1915")
    await _mobile_takes_it(stage, "1915", customer)


@scenario("1001")
async def in_desk_and_mobile_desk_answers(stage: Stage) -> None:
    await stage.trunk.on_call(RING)
    customer = await stage.customer_dials("1918")
    await stage.trunk.next_call()
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1918", "customer", ("1001", agent))


@scenario("1001")
async def in_desk_and_mobile_mobile_answers(stage: Stage) -> None:
    await stage.trunk.on_call(answer(after=0.8))
    customer = await stage.customer_dials("1918")
    await _mobile_takes_it(stage, "1918", customer)


@scenario("1001")
async def in_forwarded_by_phone(stage: Stage) -> None:
    """The desk phone itself forwards: 302 with the mobile as Contact."""
    contact = f"<sip:{stage.pbx.mobile}@{stage.pbx.host}:{stage.pbx.sip_port}>"
    await stage.phones["1001"].on_call(Rule(302, 0.2, headers={"Contact": contact}))
    await stage.trunk.on_call(answer(after=0.6))
    customer = await stage.customer_dials("1902")
    await _mobile_takes_it(stage, "1902", customer)


async def _mobile_takes_it(stage: Stage, hotline: str, customer: PhoneCall) -> None:
    mobile = await stage.trunk.next_call()
    await mobile.confirmed()
    stage.note("1001 answered at the mobile")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming(hotline, "customer", ("1001", mobile))


async def _answered(stage: Stage, number: str | None, name: str | None) -> None:
    customer = await stage.customer_dials("1902", number, name)
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1902", "customer", ("1001", agent), customer=number)


async def _answered_from_sipp(stage: Stage, number: str, name: bytes) -> None:
    """pjsua2 takes clean text only, so SIPp sends these bytes."""
    await stage.phones["1001"].on_call(answer(after=0.6))
    stage.note(f"customer {number} dials 1902 (SIPp)")
    await call_in(stage.pbx, "1902", [Customer(number, name)], talk=1.2)
    agent = await stage.phones["1001"].next_call()
    await agent.disconnected()
    stage.incoming("1902", "customer", ("1001", agent), customer=number)
