"""The bench itself works: if one of these fails, no other live test means anything."""

from __future__ import annotations

import asyncio
import time

from tests.live.asterisk import Asterisk
from tests.live.conftest import PhoneMaker
from tests.live.lab import Lab
from tests.live.mass import Customer, call_in, load_agents
from tests.live.phone import Phone, answer, reject
from tests.live.trunk import Trunk

# Two processes on one machine see the same moment this far apart.
SAME_MOMENT = 0.3


async def test_a_customer_reaches_an_agents_phone(phone: PhoneMaker, trunk: Trunk) -> None:
    agent = await phone("1001")
    await agent.on_call(answer(after=0.5))
    customer_call = await trunk.call("1902", "+84901234567", name="Nguyễn Văn An")
    agent_call = await agent.next_call()
    assert "+84901234567" in (agent_call.header("From") or "")
    assert "Nguyễn Văn An" in (agent_call.header("From") or "")
    answered_at = await agent_call.confirmed()
    assert abs(await customer_call.confirmed() - answered_at) < SAME_MOMENT
    assert 0.5 <= answered_at - customer_call.started_at < 0.5 + 2 * SAME_MOMENT
    await customer_call.hangup()
    assert abs(await agent_call.disconnected() - time.time()) < SAME_MOMENT


async def test_an_agent_reaches_a_customer(phone: PhoneMaker, trunk: Trunk) -> None:
    agent = await phone("1001")
    await trunk.on_call(answer(after=0.5))
    agent_call = await agent.call("0912345678")
    customer_call = await trunk.next_call()
    assert "0912345678" in customer_call.invite.splitlines()[0]
    assert "1900" in (customer_call.header("From") or "")
    await agent_call.confirmed()
    await customer_call.hangup()
    await agent_call.disconnected()


async def test_a_busy_customer_is_busy(phone: PhoneMaker, trunk: Trunk) -> None:
    agent = await phone("1001")
    await trunk.on_call(reject(486))
    agent_call = await agent.call("0912345678")
    await agent_call.disconnected()
    assert agent_call.code == 486


async def test_sound_flows_both_ways(asterisk: Asterisk, phone: PhoneMaker, trunk: Trunk) -> None:
    agent = await phone("1001")
    await agent.on_call(answer(after=0))
    customer_call = await trunk.call("1902", "+84901234567")
    await customer_call.confirmed()
    await asyncio.sleep(0.6)
    statistics = await asyncio.to_thread(asterisk.cli, "pjsip show channelstats")
    legs = [line.split() for line in statistics.splitlines() if "ulaw" in line]
    assert len(legs) == 2
    assert all(int(leg[4]) > 10 and int(leg[8]) > 10 for leg in legs)


async def test_the_lab_connection_keeps_the_raw_bytes(lab: Lab, phone: PhoneMaker, trunk: Trunk) -> None:
    await phone("1001")
    call = await trunk.call("1902", "+84901234567")
    event = await lab.event("DialBegin")
    assert "Timestamp" in event
    assert lab.raw.startswith(b"Asterisk Call Manager/")
    await call.hangup()
    await call.disconnected()


async def test_fifty_customers_talk_to_fifty_agents(asterisk: Asterisk) -> None:
    customers = [Customer(f"+849012300{index:02}") for index in range(50)]
    async with load_agents(asterisk, ring=0.2):
        result = await call_in(asterisk, "1916", customers, talk=2.5)
    assert result.successful == 50
    assert result.failed == 0


async def test_impatient_customers_cancel(asterisk: Asterisk, phone: PhoneMaker) -> None:
    agent = await phone("1001")
    customers = [Customer(f"+849012310{index:02}") for index in range(4)]
    result = await call_in(asterisk, "1902", customers, talk=1.0, abandon=True)
    assert result.successful == 4
    assert [call.confirmed_at for call in agent.incoming] == [None] * 4


async def test_a_restarted_asterisk_knows_its_phones_again(asterisk: Asterisk, trunk: Trunk) -> None:
    async with Phone(asterisk, "1001") as agent:
        await agent.register()
        await asyncio.to_thread(asterisk.kill)
        await asyncio.to_thread(asterisk.start)
        await agent.register()
        await agent.on_call(answer(after=0))
        call = await trunk.call("1902", "+84901234567")
        await call.confirmed()
        await call.hangup()
