"""A channel of which the PBX says that there is none: word of its end was lost, or is a moment behind."""

from __future__ import annotations

import pytest

from daemon.call.events import CallEnded
from daemon.call.signals import ChannelEnded, ChannelMissing, PacketsCounted
from tests.call.lossy_house import AGENT, CUSTOMER, House, steady


@pytest.fixture
def house() -> House:
    house = House()
    house.talk()
    house.kill(CUSTOMER)
    house.go_on(12)
    house.wire.events.clear()
    return house


def missing(house: House, after: float = 0) -> None:
    house.wire.now += round(after * 1000)
    house.at(ChannelMissing, CUSTOMER)


def ended(house: House) -> list[CallEnded]:
    return [event for event in house.wire.events if isinstance(event, CallEnded)]


def test_it_is_asked_about_only_every_few_seconds_and_its_call_ends(house: House) -> None:
    missing(house)
    house.asked.clear()
    house.go_on(4.5)
    assert CUSTOMER not in house.asked
    missing(house, 1)
    [event] = ended(house)
    assert event.call.ended_by is None
    assert house.wire.tracker.suspects(steady(house.wire.now + 60_000), anybody=True) in ([], [AGENT])


def test_word_of_its_end_that_comes_a_moment_later_counts(house: House) -> None:
    missing(house)
    house.at(ChannelEnded, CUSTOMER, 16)
    assert len(ended(house)) == 1
    missing(house, 10)
    assert len(ended(house)) == 1


def test_a_channel_that_is_there_after_all_goes_on(house: House) -> None:
    missing(house)
    house.at(PacketsCounted, CUSTOMER, 9_999)
    missing(house, 10)
    assert ended(house) == []
