"""The simulated PBX plays real calls anew and knows what it has."""

from __future__ import annotations

import asyncio

import pytest

from daemon.ami.scenario import SCENARIOS
from daemon.call.signals import ChannelCreated, ChannelEnded, ChannelKind, Signal, Snapshot
from tests.ami.conftest import Linked


def taken(queue: asyncio.Queue[Signal]) -> list[Signal]:
    return [queue.get_nowait() for _ in range(queue.qsize())]


@pytest.mark.parametrize("name", SCENARIOS)
async def test_every_scenario_is_a_whole_call_with_the_customer_asked_for(linked: Linked, name: str) -> None:
    truth = await linked.pbx.play(name, customer="+84987000111", agents={"1001": "1007"}, speed=200.0)
    await linked.link.actions.ping()
    signals = taken(linked.queue)
    created = [signal for signal in signals if isinstance(signal, ChannelCreated)]
    ended = {signal.channel for signal in signals if isinstance(signal, ChannelEnded)}
    assert created[0].channel == truth.call_id
    assert {signal.channel for signal in created} == ended
    assert all(signal.kind is ChannelKind.DEVICE for signal in created)
    assert "987000111" in str(signals)
    assert "90123450" not in str(signals)
    assert "1001" not in str(signals).replace("0111", "")
    assert len(linked.pbx.channels) == 0


async def test_calls_run_together_with_ids_of_their_own(linked: Linked) -> None:
    truths = await asyncio.gather(*(linked.pbx.play("queue_answered", speed=100.0) for _ in range(10)))
    await linked.link.actions.ping()
    channels = [signal.channel for signal in taken(linked.queue) if isinstance(signal, ChannelCreated)]
    assert len(set(channels)) == len(channels) == 20
    assert len({truth.call_id for truth in truths}) == 10


async def test_a_snapshot_in_the_middle_lists_the_living_channels(linked: Linked) -> None:
    linked.pbx.begin("queue_answered", speed=5.0)
    await linked.until(lambda: [bool(dict(row)["BridgeId"]) for row in linked.pbx.channels.rows()] == [True, True])
    linked.link.request_snapshot()
    snapshot = await linked.next(Snapshot)
    assert isinstance(snapshot, Snapshot)
    trunk, phone = snapshot.channels
    assert (trunk.queue, trunk.endpoint, phone.endpoint) == ("support", "PJSIP/trunk", "PJSIP/1001")
    assert trunk.bridge == phone.bridge is not None
