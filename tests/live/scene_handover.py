"""Calls taken by somebody else: pickup from another phone, and parking."""

from __future__ import annotations

import asyncio

from tests.live.phone import PhoneCall
from tests.live.scenarios import Stage, scenario


@scenario("1001", "1002")
async def pickup_direct(stage: Stage) -> None:
    await _picked_up(stage, "1902", "*81001", None, "1002")


@scenario("1001", "1003")
async def pickup_from_queue(stage: Stage) -> None:
    await _picked_up(stage, "1900", "*81001", "support", "1003")


@scenario("1001", "1002")
async def pickup_group_direct(stage: Stage) -> None:
    await _picked_up(stage, "1902", "*8", None, "1002")


@scenario("1001", "1003")
async def pickup_group_from_queue(stage: Stage) -> None:
    await _picked_up(stage, "1900", "*8", "support", "1003")


@scenario("1001", "1002", "1003")
async def pickup_internal(stage: Stage) -> None:
    caller = await stage.phones["1003"].call("1001")
    await stage.phones["1001"].next_call()
    await asyncio.sleep(0.8)
    picker = await stage.phones["1002"].call("*81001")
    await picker.confirmed()
    await stage.talk()
    await stage.hangs_up(caller, "1003")
    stage.internal("agent", ("1002", picker), note="1003 called 1001, 1002 picked it up")


@scenario("1001", "1002")
async def park_retrieved(stage: Stage) -> None:
    customer, first = await _talking(stage)
    place = await _park(stage, first)
    retriever = await stage.phones["1002"].call(place)
    await retriever.confirmed()
    stage.note(f"1002 took the call from {place}")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1902", "customer", ("1001", first), ("1002", retriever))


@scenario("1001", "1002")
async def park_by_refer_retrieved(stage: Stage) -> None:
    customer, first = await _talking(stage)
    await first.transfer("700")
    place = (await stage.lab.event("ParkedCall"))["ParkingSpace"]
    retriever = await stage.phones["1002"].call(place)
    await retriever.confirmed()
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1902", "customer", ("1001", first), ("1002", retriever))


@scenario("1001")
async def park_timed_out_returns(stage: Stage) -> None:
    customer, first = await _talking(stage)
    await _park(stage, first)
    again = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming("1902", "customer", ("1001", first), ("1001", again))


@scenario("1001")
async def park_abandoned(stage: Stage) -> None:
    customer, first = await _talking(stage)
    await _park(stage, first)
    await asyncio.sleep(1.0)
    await stage.hangs_up(customer, "customer")
    stage.incoming("1902", "customer", ("1001", first))


async def _picked_up(stage: Stage, hotline: str, code: str, queue: str | None, picker: str) -> None:
    customer = await stage.customer_dials(hotline)
    rings = await stage.phones["1001"].next_call()
    await asyncio.sleep(0.8)
    taken = await stage.phones[picker].call(code)
    stage.note(f"{picker} dials {code}")
    await taken.confirmed()
    await rings.disconnected()
    await stage.talk()
    await stage.hangs_up(customer, "customer")
    stage.incoming(hotline, "customer", (picker, taken), queue=queue)


async def _talking(stage: Stage) -> tuple[PhoneCall, PhoneCall]:
    customer = await stage.customer_dials("1902")
    first = await stage.agent_answers("1001")
    await stage.talk()
    return customer, first


async def _park(stage: Stage, call: PhoneCall) -> str:
    """The agent keys the code and hears the place, which here comes from the PBX: nobody listens to sound."""
    await call.dtmf("#72")
    place = (await stage.lab.event("ParkedCall"))["ParkingSpace"]
    stage.note(f"1001 parked the customer at {place}")
    await call.disconnected()
    return place
