"""What goes wrong: the manager link cut, Asterisk killed, a phone without power, a hangup by the daemon."""

from __future__ import annotations

import asyncio

from tests.live.phone import PhoneCall
from tests.live.scenarios import Stage, scenario


@scenario("1001", "1002", "1003")
async def reconnect_mid_calls(stage: Stage) -> None:
    """Cut with three calls: one talking (it ends unseen), one waiting, one ringing (answered unseen)."""
    talking_number, waiting_number, ringing_number = (stage.another_customer(which) for which in range(3))
    await stage.phones["1002"].unregister()
    talking = await stage.customer_dials("1900", talking_number)
    first = await stage.agent_answers("1001")
    waiting = await stage.customer_dials("1900", waiting_number)
    await stage.phones["1002"].register()
    ringing = await stage.customer_dials("1901", ringing_number)
    rings = await stage.phones["1002"].next_call()
    await asyncio.sleep(0.5)
    await stage.cut_manager()
    stage.note("manager link cut")
    await stage.hangs_up(talking, "first customer")
    await rings.answer()
    await rings.confirmed()
    # The phone is connected a moment before the PBX has told so.
    await asyncio.sleep(0.8)
    await stage.connect_manager()
    stage.note("manager link back")
    await _ask_for_everything(stage)
    second = await stage.agent_answers("1001")
    await stage.talk()
    await stage.hangs_up(waiting, "second customer")
    await stage.hangs_up(ringing, "third customer")
    stage.incoming("1900", "customer", ("1001", first), queue="support", customer=talking_number)
    stage.incoming("1900", "customer", ("1001", second), queue="support", customer=waiting_number)
    stage.incoming("1901", "customer", ("1002", rings), customer=ringing_number)


@scenario("1001")
async def reconnect_in_talk(stage: Stage) -> None:
    """The same call talks before and after."""
    customer, agent = await _talking(stage)
    await stage.cut_manager()
    await asyncio.sleep(1.0)
    await stage.connect_manager()
    await _ask_for_everything(stage)
    await stage.talk()
    await stage.hangs_up(agent, "1001")
    await customer.disconnected()
    stage.incoming("1900", "agent", ("1001", agent), queue="support")


@scenario("1001")
async def agent_phone_dies(stage: Stage) -> None:
    customer, agent = await _talking(stage)
    await stage.phones["1001"].kill()
    stage.note("the phone of 1001 lost its power")
    await stage.lab.event("ContactStatus", 12.0, ContactStatus="Unreachable")
    await asyncio.sleep(1.0)
    await stage.hangs_up(customer, "customer")
    stage.incoming("1900", "customer", ("1001", agent), queue="support")


@scenario("1001")
async def agent_phone_dies_hung_up_by_manager(stage: Stage) -> None:
    customer, agent = await _talking(stage)
    await stage.phones["1001"].kill()
    stage.note("the phone of 1001 lost its power")
    await stage.lab.event("ContactStatus", 12.0, ContactStatus="Unreachable")
    dead = next(m for m in stage.lab.messages() if m.get("Channel", "").startswith("PJSIP/1001-"))
    await stage.lab.action("Hangup", Channel=dead["Channel"], Cause="38")
    stage.note("the manager hung up the dead leg")
    await customer.disconnected()
    stage.incoming("1900", "system", ("1001", agent), queue="support")


@scenario("1001")
async def asterisk_killed_mid_call(stage: Stage) -> None:
    """kill -9: nothing is told to anybody; the second part begins after the restart."""
    customer, agent = await _talking(stage)
    await asyncio.to_thread(stage.pbx.kill)
    stage.note("Asterisk killed")
    await stage.cut_manager()
    await asyncio.to_thread(stage.pbx.start)
    stage.note("Asterisk back")
    await stage.connect_manager()
    await _ask_for_everything(stage)
    await stage.phones["1001"].register()
    await agent.hangup()
    await customer.hangup()
    await asyncio.sleep(0.5)
    stage.incoming("1900", "system", ("1001", agent), queue="support")


async def _talking(stage: Stage) -> tuple[PhoneCall, PhoneCall]:
    customer = await stage.customer_dials("1900")
    agent = await stage.agent_answers("1001")
    await stage.talk()
    return customer, agent


async def _ask_for_everything(stage: Stage) -> None:
    """What a daemon asks for after every connect: channels, bridges with their members, queues."""
    await stage.lab.list_action("CoreShowChannels")
    for bridge in await stage.lab.list_action("BridgeList"):
        if "BridgeUniqueid" in bridge:
            await stage.lab.list_action("BridgeInfo", BridgeUniqueid=bridge["BridgeUniqueid"])
    await stage.lab.list_action("QueueStatus")
