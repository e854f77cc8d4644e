"""One customer's call which goes from agent to agent: transfers of every kind, by phone and by feature code."""

from __future__ import annotations

import asyncio

from tests.live.phone import PhoneCall, answer
from tests.live.scenarios import Stage, scenario

OUTSIDE = "0987654321"


@scenario("1001", "1002")
async def transfer_blind(stage: Stage) -> None:
    customer, first = await _queue_call(stage)
    await first.transfer("1002")
    stage.note("1001 transfers to 1002 (REFER)")
    second = await stage.agent_answers("1002")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1001", first), ("1002", second), queue="support")


@scenario("1001", "1002", "1003")
async def transfer_blind_twice(stage: Stage) -> None:
    customer, first = await _direct_call(stage)
    await first.transfer("1002")
    second = await stage.agent_answers("1002")
    await stage.talk()
    await second.transfer("1003")
    third = await stage.agent_answers("1003")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1902", "customer", ("1001", first), ("1002", second), ("1003", third))


@scenario("1001", "1002")
async def transfer_blind_not_answered(stage: Stage) -> None:
    customer, first = await _direct_call(stage)
    await first.transfer("1002")
    await stage.phones["1002"].next_call()
    await customer.disconnected()
    stage.incoming("1902", "system", ("1001", first))


@scenario("1001", "1002")
async def transfer_blind_abandoned(stage: Stage) -> None:
    customer, first = await _direct_call(stage)
    await first.transfer("1002")
    await stage.phones["1002"].next_call()
    await asyncio.sleep(1.0)
    await stage.hangs_up(customer, "customer")
    stage.incoming("1902", "customer", ("1001", first))


@scenario("1001", "1002")
async def transfer_blind_feature_code(stage: Stage) -> None:
    customer, first = await _queue_call(stage)
    await _feature(stage, first, "#1", "1002")
    second = await stage.agent_answers("1002")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1001", first), ("1002", second), queue="support")


@scenario("1001", "1003")
async def transfer_blind_to_queue(stage: Stage) -> None:
    """The second queue rings 1003; 1001, who has just hung up, rings there too and does not answer."""
    customer, first = await _queue_call(stage)
    await first.transfer("6001")
    second = await stage.agent_answers("1003")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    note = "came by the queue support, was handed to the queue sales"
    stage.incoming("1900", "customer", ("1001", first), ("1003", second), queue="support", note=note)


@scenario("1001")
async def transfer_blind_to_outside(stage: Stage) -> None:
    await stage.trunk.on_call(answer(after=0.8))
    customer, first = await _direct_call(stage)
    await first.transfer(OUTSIDE)
    outside = await stage.trunk.next_call()
    await outside.confirmed()
    stage.note(f"{OUTSIDE} answered")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    note = f"handed on to {OUTSIDE}, who is no agent and answered at {outside.confirmed_at:.3f}"
    stage.incoming("1902", "customer", ("1001", first), note=note)


@scenario("1001", "1002")
async def transfer_attended(stage: Stage) -> None:
    customer, first = await _queue_call(stage)
    consultation, second = await _consult(stage, first)
    await first.transfer_to(consultation)
    stage.note("1001 joins the customer with 1002 (REFER, Replaces)")
    await first.disconnected()
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1001", first), ("1002", second), queue="support")


@scenario("1001", "1002")
async def transfer_attended_direct_agent_hangs_up(stage: Stage) -> None:
    _, first = await _direct_call(stage)
    consultation, second = await _consult(stage, first)
    await first.transfer_to(consultation)
    await first.disconnected()
    await stage.talk()
    await stage.hangs_up(second, "1002")
    stage.incoming("1902", "agent", ("1001", first), ("1002", second))


@scenario("1001")
async def transfer_attended_to_outside(stage: Stage) -> None:
    await stage.trunk.on_call(answer(after=0.8))
    customer, first = await _direct_call(stage)
    await first.hold()
    consultation = await stage.phones["1001"].call(OUTSIDE)
    outside = await stage.trunk.next_call()
    await consultation.confirmed()
    await stage.talk()
    await first.transfer_to(consultation)
    await first.disconnected()
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    note = f"joined with {OUTSIDE}, who is no agent and answered 1001 at {outside.confirmed_at:.3f}"
    stage.incoming("1902", "customer", ("1001", first), note=note)


@scenario("1001", "1002")
async def transfer_blonde_answered(stage: Stage) -> None:
    customer, first = await _queue_call(stage)
    await _hand_over_while_ringing(stage, first)
    second = await _answer_what_rings(stage, "1002")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1001", first), ("1002", second), queue="support")


@scenario("1001", "1002")
async def transfer_blonde_not_answered(stage: Stage) -> None:
    customer, first = await _direct_call(stage)
    await _hand_over_while_ringing(stage, first)
    await customer.disconnected()
    stage.incoming("1902", "system", ("1001", first))


@scenario("1001", "1002")
async def transfer_attended_feature_code(stage: Stage) -> None:
    customer, first = await _queue_call(stage)
    await _feature(stage, first, "*2", "1002")
    second = await stage.agent_answers("1002")
    await stage.talk()
    await stage.hangs_up(first, "1001, which completes the transfer")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1001", first), ("1002", second), queue="support")


@scenario("1001", "1002")
async def transfer_attended_feature_code_target_leaves(stage: Stage) -> None:
    """The consulted agent hangs up, the customer is back with the first one."""
    customer, first = await _direct_call(stage)
    await _feature(stage, first, "*2", "1002")
    second = await stage.agent_answers("1002")
    await stage.talk()
    await stage.hangs_up(second, "1002")
    await stage.talk(2.0)
    await stage.hangs_up(customer, "customer")
    stage.incoming("1902", "customer", ("1001", first))
    stage.internal("agent", ("1002", second), note="the consultation, which was never merged")


@scenario("1001", "1002")
async def consultation_returns(stage: Stage) -> None:
    customer, first = await _queue_call(stage)
    consultation, second = await _consult(stage, first)
    await stage.hangs_up(consultation, "1001, the consultation")
    await first.unhold()
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1001", first), queue="support")
    stage.internal("agent", ("1002", second), note="the consultation, which was never merged")


async def _queue_call(stage: Stage) -> tuple[PhoneCall, PhoneCall]:
    customer = await stage.customer_dials("1900")
    first = await stage.agent_answers("1001")
    await stage.talk()
    return customer, first


async def _direct_call(stage: Stage) -> tuple[PhoneCall, PhoneCall]:
    customer = await stage.customer_dials("1902")
    first = await stage.agent_answers("1001")
    await stage.talk()
    return customer, first


async def _consult(stage: Stage, first: PhoneCall) -> tuple[PhoneCall, PhoneCall]:
    """1001 holds the customer and talks with 1002."""
    await first.hold()
    consultation = await stage.phones["1001"].call("1002")
    stage.note("1001 asks 1002")
    second = await stage.agent_answers("1002")
    await consultation.confirmed()
    await stage.talk()
    return consultation, second


async def _hand_over_while_ringing(stage: Stage, first: PhoneCall) -> None:
    await first.hold()
    consultation = await stage.phones["1001"].call("1002")
    await consultation.ringing()
    await asyncio.sleep(0.8)
    await first.transfer_to(consultation)
    stage.note("1001 hands over while 1002 rings")
    await first.disconnected()


async def _answer_what_rings(stage: Stage, user: str) -> PhoneCall:
    await asyncio.sleep(0.8)
    return await stage.agent_answers(user, after=0.0)


async def _feature(stage: Stage, call: PhoneCall, code: str, digits: str) -> None:
    """Key the code, wait for the prompt, key the number."""
    stage.note(f"{call.phone.user} keys {code} {digits}")
    await call.dtmf(code)
    await asyncio.sleep(1.2)
    await call.dtmf(digits)
