"""Asterisk's own statistics of a queue beside ours, for the same calls: where they agree, and why not everywhere.

The same: `Completed` is what we call answered, once those calls are over (Asterisk counts at the end of a talk, we at
the answer); `Abandoned` is missed, calls that ran into the queue's timeout included; `ServicelevelPerf` is our
headline, answered in time ÷ answered.

Different, and meant to be:
- `ServicelevelPerf2` counts who gave up within the limit as served in time: (answered in time + gave up in time) ÷ all.
  Our share of all who called does not; our share without short abandons leaves them out above and below the line.
- Asterisk waits in whole seconds of its clock (`HoldTime`): a limit of 20 s there takes a wait of 20.9 s as well, and a
  wait of 1.1 s may be 2. Ours counts milliseconds.
- `Holdtime` of the queue is a moving average that begins at 0 and to which each answered call adds a quarter of itself,
  in whole seconds cut off; ours is the mean of the calls looked at. `LongestHoldTime` of QueueSummary is of those who
  wait now.
- Asterisk counts since its start, the last reload of the queue or QueueReset, and per queue passed through; we count
  what began in a span of time, a call once, in the queue in which it waited before the answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

import pytest
import pytest_asyncio

from tests.live.conftest import PhoneMaker
from tests.live.daemon_house import House, Json
from tests.live.lab import Lab, Message
from tests.live.phone import Phone, PhoneCall, answer
from tests.live.trunk import Trunk

QUEUE, HOTLINE, LIMIT_S = "measured", "1920", 2
AGENTS = ("1003", "1004", "1005")


@pytest_asyncio.fixture(loop_scope="session")
async def empty_queue(lab: Lab) -> AsyncIterator[Lab]:
    """Nothing counted yet and nobody in it, also afterwards."""
    await lab.action("QueueReset", Queue=QUEUE)
    yield lab
    for user in AGENTS:
        await lab.action("QueueRemove", Queue=QUEUE, Interface=f"PJSIP/{user}")


async def statistics(lab: Lab) -> Message:
    (found,) = [one for one in await lab.list_action("QueueStatus", Queue=QUEUE) if one["Event"] == "QueueParams"]
    return found


async def figures(house: House, **more: object) -> Json:
    query = "&".join(f"{name}={value}" for name, value in more.items())
    found = await house.api.get(f"sla?by=queue&queue={QUEUE}&{query}")
    (group,) = found["groups"]
    assert group == {**found["total"], "key": QUEUE}
    return dict(group)


class Floor:
    """Customers who dial, and agents who come to work: each answers a tenth of a second after the ring."""

    def __init__(self, trunk: Trunk, lab: Lab, phones: dict[str, Phone]) -> None:
        self._trunk, self._lab, self._phones = trunk, lab, phones
        self._dialled = 0

    async def dials(self) -> PhoneCall:
        self._dialled += 1
        call = await self._trunk.call(HOTLINE, f"+8490100192{self._dialled}")
        await call.confirmed()
        return call

    async def comes(self, user: str) -> None:
        await self._phones[user].on_call(answer(after=0.1))
        await self._lab.action("QueueAdd", Queue=QUEUE, Interface=f"PJSIP/{user}", Penalty="0")

    async def talks(self, user: str) -> None:
        await (await self._phones[user].next_call()).confirmed()


async def test_our_service_level_agrees_with_the_statistics_of_asterisks_queue(
    house: House, empty_queue: Lab, trunk: Trunk, known_phone: PhoneMaker
) -> None:
    lab = empty_queue
    floor = Floor(trunk, lab, {user: await known_phone(user) for user in AGENTS})
    await house.api.put(f"queues/{QUEUE}", {"sla_answer_within_seconds": LIMIT_S})
    talks = await play(floor, lab)
    before = await statistics(lab)
    assert before["Completed"] == "0", "Asterisk counts a talk when it is over"
    assert (await figures(house))["answered"] == 3
    for talk in talks:
        await talk.hangup()
    calls = await house.quiet(6)
    assert {call["queue"] for call in calls} == {QUEUE}
    theirs, ours = await statistics(lab), await figures(house)
    assert (theirs["ServiceLevel"], ours["answered_within"]) == (str(LIMIT_S), 2)
    assert (int(theirs["Completed"]), int(theirs["Abandoned"])) == (ours["answered"], ours["missed"]) == (3, 3)
    assert float(theirs["ServicelevelPerf"]) == pytest.approx(ours["percent"], abs=0.05)
    one_gave_up_in_time = 100 * (ours["answered_within"] + 1) / ours["offered"]
    assert float(theirs["ServicelevelPerf2"]) == pytest.approx(one_gave_up_in_time, abs=0.05)
    assert ours["percent_of_offered"] == pytest.approx(100 * 2 / 6, abs=0.005)
    without = await figures(house, short_abandon_seconds=LIMIT_S)
    assert (without["short_abandoned"], without["percent_without_short_abandons"]) == (1, 40.0)
    (summary,) = [one for one in await lab.list_action("QueueSummary", Queue=QUEUE) if one["Event"] == "QueueSummary"]
    assert (summary["LongestHoldTime"], summary["Callers"], ours["longest_wait_seconds"] > LIMIT_S) == ("0", "0", True)
    assert int(theirs["Holdtime"]) + 0.3 < ours["average_wait_seconds"], "a quarter of about 4 s, and a third"
    waits_agree(lab, calls)
    assert ours["average_wait_seconds"] == pytest.approx(
        sum(call["wait_seconds"] for call in calls if call["outcome"] == "answered") / 3, abs=0.002
    )


async def play(floor: Floor, lab: Lab) -> list[PhoneCall]:
    """Two answered at once, one late; one gives up at once, one late, one runs into the queue's end. Three talk on."""
    await floor.comes("1003")
    first = await floor.dials()
    await floor.talks("1003")
    await floor.comes("1004")
    second = await floor.dials()
    await floor.talks("1004")
    late, soon_gone = await floor.dials(), await floor.dials()
    await lab.event("QueueCallerJoin", Queue=QUEUE, Position="2")
    await asyncio.sleep(0.4)
    await gone(soon_gone)
    gives_up = await floor.dials()
    await asyncio.sleep(3.3)
    await gone(gives_up)
    await floor.comes("1005")
    await floor.talks("1005")
    await (await floor.dials()).disconnected()
    return [first, second, late]


async def gone(customer: PhoneCall) -> None:
    """Hung up, and the trunk has room for another (four calls at once)."""
    await customer.hangup()
    await customer.disconnected()


def waits_agree(lab: Lab, calls: list[Json]) -> None:
    """To the second of Asterisk, which tells each wait at its end; one more where a call began late in a second."""
    told = {
        one["Uniqueid"]: int(one["HoldTime"])
        for one in lab.messages()
        if one.get("Event") in ("AgentConnect", "QueueCallerAbandon") and one["Queue"] == QUEUE
    }
    for call in calls:
        if call["call_id"] in told:
            end = datetime.fromisoformat(call["answered_at"] or call["ended_at"])
            waited = (end - datetime.fromisoformat(call["queued_at"])).total_seconds()
            assert abs(told[call["call_id"]] - waited) < 1.2, call
    assert len(told) >= 5
