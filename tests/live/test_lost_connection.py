"""Calls whose connection is lost, on a real Asterisk: real phones are killed, frozen, restarted, put on hold.

All scenes run at once, because each takes as long as a person waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.live.asterisk import Asterisk, LiveUnavailable
from tests.live.conftest import give_up, printed_stanza
from tests.live.daemon_house import HOOK_PATH, House, daemon_beside, unix_ms
from tests.live.phone import Phone, PhoneCall, answer
from tests.live.trunk import Trunk
from tests.whole.house import until

N = 10
"""Seconds, as the settings say."""
SPARE = 3.0
HELD_SPARE = 8.0
"""On hold a phone sends no sound, so three of its reports must be missing."""
TALK_SECONDS = 11.0
"""Until phones and PBX have reported twice, so that the moment of the loss can be told."""

DIALPLAN = """
[hotline](+)
exten => _192X,1,Dial(PJSIP/100${EXTEN:3},8,${TALK})
 same => n,Hangup()
exten => _193X,1,Dial(PJSIP/101${EXTEN:3},8,${TALK})
 same => n,Hangup()
[from-agents](+)
; no option that would keep the media here: the phones talk straight to each other
exten => _7XXXX,1,Dial(PJSIP/${EXTEN:1},8)
"""


@pytest.fixture(scope="module")
def asterisk() -> Iterator[Asterisk]:
    """One of our own, whose phones may talk straight to each other."""
    with contextlib.ExitStack() as stack:
        try:
            pbx = Asterisk(
                agents=11, agent_options=["direct_media=yes"], extra_dialplan=DIALPLAN, manager_stanza=printed_stanza
            )
            stack.enter_context(pbx)
        except LiveUnavailable as unavailable:
            give_up(unavailable.reason)
        yield pbx


@dataclass
class Scene:
    """One call between a customer and an agent, as both phones see it."""

    customer: PhoneCall
    agent: PhoneCall


@dataclass
class Bench:
    house: House
    phones: dict[str, Phone]
    crowd: list[Phone]

    async def call_of(self, scene: str) -> dict[str, Any]:
        [found] = [call for call in await self.house.api.every("calls") if call["customer_number"] == NUMBERS[scene]]
        return found

    def connection(self, call: dict[str, Any]) -> list[str]:
        """What integrators were told of its connection, in order. After a long call signatures are too old to check."""
        events = [json.loads(request.body) for request in self.house.crm.got(HOOK_PATH)]
        events = [event for event in events if event["type"] == "call.connection_lost"]
        return [e["data"]["connection"] for e in events if e["data"]["call_id"] == call["call_id"]]


SCENES = {
    "killed": "1001",
    "stopped": "1002",
    "restarted": "1003",
    "killed_on_hold": "1004",
    "customer_killed": "1005",
    "on_hold": "1006",
    "on_inactive_hold": "1006",
    "healthy": "1006",
    "muted": "1007",
    "later": "1009",
    "stumbled": "1011",
}
"""And whose phone has the call."""
NUMBERS = {scene: f"+8490100{place:04}" for place, scene in enumerate(SCENES)}


@pytest_asyncio.fixture(loop_scope="session")
async def bench(asterisk: Asterisk, tmp_path: Path) -> AsyncIterator[Bench]:
    async with contextlib.AsyncExitStack() as stack:
        house = await stack.enter_async_context(daemon_beside(tmp_path, asterisk))
        trunk = await stack.enter_async_context(Trunk.open(asterisk))
        users = [str(user) for user in range(1001, 1012)]
        phones = [Phone(asterisk, user, silence_suppressed=user == "1007") for user in users]
        peers = [Phone(asterisk, "trunk", host=asterisk.trunk_host) for _ in range(3)]
        for phone in await asyncio.gather(*(stack.enter_async_context(one) for one in (*phones, *peers))):
            if phone in phones:
                await phone.register()
                await phone.on_call(answer(0.1))
        yield Bench(house, dict(zip(users, phones, strict=True)), [trunk.phone, *peers])


async def begin(bench: Bench, scene: str, peer: Phone) -> Scene:
    """A customer calls the agent of this scene, and they talk."""
    pbx, agent = bench.house.pbx, bench.phones[SCENES[scene]]
    identity = f"<sip:{NUMBERS[scene].replace('+84', '0')}@{pbx.trunk_host}:{pbx.trunk_port}>"
    customer = await peer.call(f"19{int(SCENES[scene]) - 1001 + 21}", identity=identity)
    await customer.confirmed()
    return Scene(customer, await agent.next_call())


async def test_who_is_gone_is_hung_up_and_who_only_is_silent_is_not(bench: Bench) -> None:
    house, phones = bench.house, bench.phones
    scenes, direct = await everybody_talks(bench)

    phones["1011"].stop()
    await asyncio.sleep(1.5)
    phones["1011"].go_on()
    await asyncio.sleep(0.5)
    began = time.time()
    await asyncio.gather(*(phones[user].kill() for user in ("1001", "1003", "1004", "1011")), bench.crowd[2].kill())
    phones["1002"].stop()
    await asyncio.sleep(3)
    await phones["1003"].restart()
    await asyncio.sleep(began + 5 - time.time())
    phones["1002"].go_on()
    await asyncio.sleep(began + 8 - time.time())
    again = time.time()
    await phones["1009"].kill()  # another loss, which meets a changed N and a new daemon

    for scene, spare in (("killed", SPARE), ("restarted", SPARE), ("killed_on_hold", HELD_SPARE)):
        assert N <= await scenes[scene].customer.disconnected() - began <= N + spare, scene
    assert N <= await scenes["customer_killed"].agent.disconnected() - began <= N + SPARE
    await house.api.patch("call-settings", {"disconnect_timeout_seconds": 3600})
    for scene in ("killed", "restarted", "killed_on_hold", "customer_killed"):
        await was_hung_up(bench, scene, began)

    await until(lambda: is_lost(bench, "later"))
    assert house.process is not None
    await house.process.kill()
    await house.process.start()
    await house.process.ready()
    await asyncio.sleep(max(0, again + N + SPARE - time.time()))
    assert not scenes["later"].customer.is_over, "N was raised in the middle of the loss"
    await house.api.patch("call-settings", {"disconnect_timeout_seconds": N})
    await scenes["later"].customer.disconnected(within=15)
    await was_hung_up(bench, "later", again)
    assert bench.connection(await bench.call_of("later")).count("hung_up") == 1
    assert await scenes["stumbled"].customer.disconnected() - began >= N, "not by the clock of its stumbling"
    assert bench.house.events(), "each signature is checked"

    await asyncio.sleep(max(0, began - TALK_SECONDS + 3 * N - time.time()))
    for scene in ("on_hold", "on_inactive_hold", "healthy", "muted"):
        call = await bench.call_of(scene)
        assert (call["state"], call["connection_lost_at"], bench.connection(call)) == ("answered", None, []), scene
        assert not scenes[scene].customer.is_over
        assert not scenes[scene].agent.is_over
    assert not direct.is_over
    assert (await bench.call_of("stopped"))["state"] == "answered"


async def everybody_talks(bench: Bench) -> tuple[dict[str, Scene], PhoneCall]:
    """Every scene's call, and one between two phones that talk straight to each other."""
    house, phones, (one, two, three, four) = bench.house, bench.phones, bench.crowd
    await house.api.patch("call-settings", {"disconnect_timeout_seconds": N})
    peers = {scene: one if place < 4 else two for place, scene in enumerate(SCENES)}
    peers |= {"customer_killed": three, "later": four, "stumbled": four}
    scenes = {scene: await begin(bench, scene, peers[scene]) for scene in SCENES}
    direct = await phones["1008"].call("71010")
    await direct.confirmed()
    await scenes["killed_on_hold"].agent.hold()
    await scenes["muted"].agent.mute()
    await scenes["on_hold"].agent.hold()
    await scenes["on_inactive_hold"].agent.hold_inactive()
    await asyncio.sleep(TALK_SECONDS)
    return scenes, direct


async def is_lost(bench: Bench, scene: str) -> bool:
    return (await bench.call_of(scene))["connection_lost_at"] is not None


async def was_hung_up(bench: Bench, scene: str, died: float) -> None:
    """The call and the integrators say what happened; the loss is dated right."""
    await until(lambda: has_ended(bench, scene))
    call = await bench.call_of(scene)
    side = "customer" if scene == "customer_killed" else "agent"
    assert (call["ended_by"], call["hangup_reason"]) == ("system", "connection_lost"), scene
    assert call["connection_lost_side"] == side
    assert -0.1 <= unix_ms(call["connection_lost_at"]) / 1000 - died <= SPARE + 2, scene
    await bench.house.sent()
    assert bench.connection(call)[-1] == "hung_up", scene


async def has_ended(bench: Bench, scene: str) -> bool:
    return bool((await bench.call_of(scene))["state"] == "ended")
