"""Calls of the agents: to customers, by a click in the ticket system, and to one another."""

from __future__ import annotations

import asyncio

from tests.live.phone import RING, PhoneCall, answer, reject
from tests.live.scenarios import EndedBy, Stage, scenario

CUSTOMER, CUSTOMER_E164 = "0912345678", "+84912345678"


@scenario("1001")
async def out_answered_agent_hangs_up(stage: Stage) -> None:
    await _talked(stage, CUSTOMER, "agent")


@scenario("1001")
async def out_answered_customer_hangs_up(stage: Stage) -> None:
    await _talked(stage, CUSTOMER, "customer")


@scenario("1001")
async def out_e164_answered(stage: Stage) -> None:
    """The dialplan dials numbers with a plus in a subroutine, as FreePBX does: Exten reads `s` there."""
    await _talked(stage, CUSTOMER_E164, "agent")


@scenario("1001")
async def out_00_prefix_answered(stage: Stage) -> None:
    await _talked(stage, "0084912345678", "agent")


@scenario("1001")
async def out_busy(stage: Stage) -> None:
    await _failed(stage, 486)


@scenario("1001")
async def out_declined(stage: Stage) -> None:
    await _failed(stage, 603)


@scenario("1001")
async def out_not_found(stage: Stage) -> None:
    await _failed(stage, 404)


@scenario("1001")
async def out_unavailable(stage: Stage) -> None:
    await _failed(stage, 503)


@scenario("1001")
async def out_cancelled_by_agent(stage: Stage) -> None:
    agent = await stage.phones["1001"].call(CUSTOMER)
    await stage.trunk.next_call()
    await asyncio.sleep(1.0)
    await stage.hangs_up(agent, "1001")
    stage.outgoing(CUSTOMER, "agent")


@scenario("1001")
async def out_timed_out(stage: Stage) -> None:
    agent = await stage.phones["1001"].call(CUSTOMER)
    await agent.disconnected()
    stage.outgoing(CUSTOMER, "system")


@scenario("1001")
async def click_to_call_answered(stage: Stage) -> None:
    agent = await _click(stage)
    await agent.answer()
    customer = await _customer_answers(stage)
    await stage.talk()
    await stage.hangs_up(agent, "1001")
    stage.outgoing(CUSTOMER, "agent", ("1001", customer))


@scenario("1001")
async def click_to_call_e164_answered(stage: Stage) -> None:
    """Through the subroutine: no event names the customer in an Exten."""
    agent = await _click(stage, CUSTOMER_E164)
    await agent.answer()
    customer = await _customer_answers(stage)
    await stage.talk()
    await stage.hangs_up(agent, "1001")
    stage.outgoing(CUSTOMER_E164, "agent", ("1001", customer))


@scenario("1001")
async def click_to_call_customer_hangs_up(stage: Stage) -> None:
    agent = await _click(stage)
    await agent.answer()
    customer = await _customer_answers(stage)
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.outgoing(CUSTOMER, "customer", ("1001", customer))


@scenario("1001")
async def click_to_call_agent_no_answer(stage: Stage) -> None:
    agent = await _click(stage)
    await agent.disconnected()
    stage.outgoing(CUSTOMER, "system", no_ticket=True, note="the customer was never dialled")


@scenario("1001")
async def click_to_call_agent_rejects(stage: Stage) -> None:
    agent = await _click(stage)
    await agent.reject(486)
    await agent.disconnected()
    stage.outgoing(CUSTOMER, "agent", no_ticket=True, note="the customer was never dialled")


@scenario()
async def click_to_call_agent_unregistered(stage: Stage) -> None:
    await _originate(stage)
    await asyncio.sleep(1.0)
    stage.outgoing(CUSTOMER, "system", no_ticket=True, note="the customer was never dialled; no channel at all")


@scenario("1001")
async def click_to_call_customer_no_answer(stage: Stage) -> None:
    agent = await _click(stage)
    await agent.answer()
    await stage.trunk.next_call()
    await asyncio.sleep(1.0)
    await stage.hangs_up(agent, "1001")
    stage.outgoing(CUSTOMER, "agent")


@scenario("1001")
async def click_to_call_customer_busy(stage: Stage) -> None:
    await stage.trunk.on_call(reject(486, after=0.5))
    agent = await _click(stage)
    await agent.answer()
    await agent.disconnected()
    stage.outgoing(CUSTOMER, "system")


@scenario("1001", "1002")
async def internal_answered(stage: Stage) -> None:
    caller = await stage.phones["1001"].call("1002")
    called = await stage.agent_answers("1002")
    await stage.talk()
    await stage.hangs_up(caller, "1001")
    stage.internal("agent", ("1002", called))


@scenario("1001", "1002")
async def internal_missed(stage: Stage) -> None:
    caller = await stage.phones["1001"].call("1002")
    await stage.phones["1002"].next_call()
    await asyncio.sleep(1.0)
    await stage.hangs_up(caller, "1001")
    stage.internal("agent")


@scenario("1001", "1002")
async def internal_busy(stage: Stage) -> None:
    await stage.phones["1002"].on_call(reject(486))
    caller = await stage.phones["1001"].call("1002")
    await caller.disconnected()
    stage.internal("system")


async def _talked(stage: Stage, number: str, ended_by: EndedBy) -> None:
    agent = await stage.phones["1001"].call(number)
    customer = await _customer_answers(stage)
    await stage.talk()
    await stage.hangs_up(customer if ended_by == "customer" else agent, ended_by)
    stage.outgoing(number, ended_by, ("1001", customer))


async def _failed(stage: Stage, code: int) -> None:
    await stage.trunk.on_call(reject(code, after=0.5, ringing=code in {486, 603}))
    agent = await stage.phones["1001"].call(CUSTOMER)
    await agent.disconnected()
    stage.note(f"the trunk said {code}")
    stage.outgoing(CUSTOMER, "system")


async def _customer_answers(stage: Stage) -> PhoneCall:
    customer = await stage.trunk.next_call()
    await asyncio.sleep(0.8)
    await customer.answer()
    await customer.confirmed()
    stage.note("the customer answered")
    return customer


async def _click(stage: Stage, number: str = CUSTOMER) -> PhoneCall:
    """Click-to-call up to the ringing phone of the agent."""
    await stage.phones["1001"].on_call(RING)
    await _originate(stage, number)
    agent = await stage.phones["1001"].next_call()
    await asyncio.sleep(0.6)
    return agent


async def _originate(stage: Stage, number: str = CUSTOMER) -> None:
    await stage.lab.action(
        "Originate",
        Channel="PJSIP/1001",
        Context="click-to-call",
        Exten=number,
        Priority="1",
        CallerID=number,
        Timeout="5000",
        Async="true",
    )
    stage.note(f"click-to-call: 1001 to {number}")


@scenario("1001", "1002")
async def out_then_blind_transfer(stage: Stage) -> None:
    await stage.trunk.on_call(answer(after=0.8))
    agent = await stage.phones["1001"].call(CUSTOMER)
    customer = await stage.trunk.next_call()
    await customer.confirmed()
    await stage.talk()
    await agent.transfer("1002")
    second = await stage.agent_answers("1002")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.outgoing(CUSTOMER, "customer", ("1001", customer), ("1002", second))


@scenario("1001", "1002")
async def out_then_attended_transfer(stage: Stage) -> None:
    await stage.trunk.on_call(answer(after=0.8))
    agent = await stage.phones["1001"].call(CUSTOMER)
    customer = await stage.trunk.next_call()
    await customer.confirmed()
    await stage.talk()
    await agent.hold()
    consultation = await stage.phones["1001"].call("1002")
    second = await stage.agent_answers("1002")
    await consultation.confirmed()
    await stage.talk()
    await agent.transfer_to(consultation)
    await agent.disconnected()
    await stage.talk()
    await stage.hangs_up(second, "1002")
    stage.outgoing(CUSTOMER, "agent", ("1001", customer), ("1002", second))
