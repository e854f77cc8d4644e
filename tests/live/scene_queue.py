"""Calls into a queue: answered, abandoned, timed out, members of every kind, menus before it."""

from __future__ import annotations

import asyncio

from tests.live.phone import RING, answer, reject
from tests.live.scenarios import Stage, scenario


@scenario("1001")
async def in_queue_answered_customer_hangs_up(stage: Stage) -> None:
    customer = await stage.customer_dials("1900")
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1001", agent), queue="support")


@scenario("1001")
async def in_queue_answered_agent_hangs_up(stage: Stage) -> None:
    await stage.customer_dials("1900")
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(agent, "1001")
    stage.incoming("1900", "agent", ("1001", agent), queue="support")


@scenario("1001")
async def in_queue_abandoned(stage: Stage) -> None:
    customer = await stage.customer_dials("1900")
    await stage.phones["1001"].next_call()
    await asyncio.sleep(1.0)
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", queue="support")


@scenario("1001")
async def in_queue_timed_out(stage: Stage) -> None:
    customer = await stage.customer_dials("1907")
    await customer.disconnected()
    stage.incoming("1907", "system", queue="support")


@scenario("1001", "1002")
async def in_queue_all_reject(stage: Stage) -> None:
    for phone in stage.phones.values():
        await phone.on_call(reject(486))
    customer = await stage.customer_dials("1907")
    await customer.disconnected()
    stage.incoming("1907", "system", queue="support")


@scenario("1001", "1002")
async def in_queue_rejected_then_answered(stage: Stage) -> None:
    await stage.phones["1001"].on_call(reject(486))
    customer = await stage.customer_dials("1900")
    agent = await stage.agent_answers("1002")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1002", agent), queue="support")


@scenario("1001", "1002")
async def in_queue_no_answer_then_answered(stage: Stage) -> None:
    customer = await stage.customer_dials("1900")
    await stage.phones["1001"].next_call()
    agent = await stage.agent_answers("1002")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1002", agent), queue="support")


@scenario("1001", "1002", "1003")
async def in_queue_ringall_answered(stage: Stage) -> None:
    customer = await stage.customer_dials("1904")
    for loser in ("1001", "1003"):
        await stage.phones[loser].next_call()
    agent = await stage.agent_answers("1002")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1904", "customer", ("1002", agent), queue="sales")


@scenario()
async def in_queue_member_registers_while_waiting(stage: Stage) -> None:
    customer = await stage.customer_dials("1900")
    await asyncio.sleep(2.0)
    phone = await stage.phone("1001")
    await phone.register()
    stage.note("1001 registers")
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1001", agent), queue="support")


@scenario("1001")
async def in_queue_local_member_kept(stage: Stage) -> None:
    customer = await stage.customer_dials("1905")
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1905", "customer", ("1001", agent), queue="local")


@scenario("1001")
async def in_queue_local_member_optimised(stage: Stage) -> None:
    customer = await stage.customer_dials("1906")
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1906", "customer", ("1001", agent), queue="local-optimised")


@scenario("1001")
async def in_queue_local_member_abandoned(stage: Stage) -> None:
    customer = await stage.customer_dials("1905")
    await stage.phones["1001"].next_call()
    await asyncio.sleep(1.0)
    await stage.hangs_up(customer, "customer")
    stage.incoming("1905", "customer", queue="local")


@scenario("1001")
async def in_queue_without_answer_answered(stage: Stage) -> None:
    customer = await stage.customer_dials("1908")
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1908", "customer", ("1001", agent), queue="support")


@scenario("1001")
async def in_queue_without_answer_abandoned(stage: Stage) -> None:
    customer = await stage.customer_dials("1908")
    await stage.phones["1001"].next_call()
    await asyncio.sleep(1.0)
    await stage.hangs_up(customer, "customer")
    stage.incoming("1908", "customer", queue="support")


@scenario()
async def in_queue_empty(stage: Stage) -> None:
    customer = await stage.customer_dials("1917")
    await customer.disconnected()
    stage.incoming("1917", "system", note="the queue has no members and was not joined (joinempty=no)")


@scenario("1001")
async def in_queue_two_waiting(stage: Stage) -> None:
    first_number, second_number = stage.customer, stage.another_customer(1)
    first = await stage.customer_dials("1900", first_number)
    first_agent = await stage.agent_answers("1001")
    second = await stage.customer_dials("1900", second_number)
    await stage.talk()
    await stage.hangs_up(first, "first customer")
    second_agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(second, "second customer")
    stage.incoming("1900", "customer", ("1001", first_agent), queue="support", customer=first_number)
    stage.incoming("1900", "customer", ("1001", second_agent), queue="support", customer=second_number)


@scenario()
async def in_ivr_abandoned(stage: Stage) -> None:
    customer = await stage.customer_dials("1903")
    await customer.confirmed()
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1903", "customer")


@scenario()
async def in_ivr_timed_out(stage: Stage) -> None:
    customer = await stage.customer_dials("1910")
    await customer.disconnected()
    stage.incoming("1910", "system")


@scenario("1001")
async def in_ivr_then_queue(stage: Stage) -> None:
    customer = await stage.customer_dials("1910")
    await customer.confirmed()
    await asyncio.sleep(1.0)
    await customer.dtmf("1")
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1910", "customer", ("1001", agent), queue="support")


@scenario("1001")
async def in_ivr_then_direct(stage: Stage) -> None:
    customer = await stage.customer_dials("1910")
    await customer.confirmed()
    await asyncio.sleep(1.0)
    await customer.dtmf("2")
    agent = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1910", "customer", ("1001", agent))


@scenario("1001")
async def in_announcement_then_direct_missed(stage: Stage) -> None:
    customer = await stage.customer_dials("1911")
    await stage.phones["1001"].next_call()
    await asyncio.sleep(1.0)
    await stage.hangs_up(customer, "customer")
    stage.incoming("1911", "customer")


@scenario("1001")
async def in_voicemail_after_no_answer(stage: Stage) -> None:
    customer = await stage.customer_dials("1912")
    await customer.confirmed()
    stage.note("the machine answered")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1912", "customer")


@scenario("1001")
async def in_queue_mobile_answered(stage: Stage) -> None:
    await _reach_mobile(stage, "1913", "mobile")


@scenario("1001")
async def in_queue_mobile_optimised_answered(stage: Stage) -> None:
    await _reach_mobile(stage, "1914", "mobile-optimised")


@scenario()
async def in_queue_mobile_abandoned(stage: Stage) -> None:
    await stage.trunk.on_call(RING)
    customer = await stage.customer_dials("1913")
    await stage.trunk.next_call()
    await asyncio.sleep(1.0)
    await stage.hangs_up(customer, "customer")
    stage.incoming("1913", "customer", queue="mobile")


async def _reach_mobile(stage: Stage, hotline: str, queue: str) -> None:
    await stage.trunk.on_call(answer(after=0.6))
    customer = await stage.customer_dials(hotline)
    mobile = await stage.trunk.next_call()
    await mobile.confirmed()
    stage.note("1001 answered at the mobile")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming(hotline, "customer", ("1001", mobile), queue=queue)
