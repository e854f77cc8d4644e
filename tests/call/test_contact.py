"""Who is out of the PBX's reach: only whom it reached before."""

from __future__ import annotations

import pytest

from daemon.call.signals import ContactState
from tests.call.lossy_house import AGENT, CUSTOMER, House
from tests.call.wire import ANS_PHONE, TRUNK

DESK, MOBILE = "sip:1001@10.0.0.5:5060", "sip:1001@10.0.0.9:48211"
ANSWERS, KNOWN, SILENT, GONE = ContactState.ANSWERS, ContactState.KNOWN, ContactState.SILENT, ContactState.GONE


@pytest.fixture
def house() -> House:
    """Nobody of it ever reports on his media, so that only the contact tells."""
    house = House()
    house.never_reports |= {AGENT, CUSTOMER}
    house.talk()
    return house


@pytest.mark.parametrize("how", [SILENT, GONE])
def test_a_phone_that_answered_and_then_does_not_is_lost(house: House, how: ContactState) -> None:
    house.contact(ANS_PHONE, ANSWERS, DESK)
    house.kill(AGENT)
    house.contact(ANS_PHONE, how, DESK)
    house.go_on(5)
    assert house.told() == ["ConnectionLost"]


@pytest.mark.parametrize("first", [[SILENT], [KNOWN, SILENT], [KNOWN, GONE], [GONE], [SILENT, KNOWN, SILENT, GONE]])
def test_a_trunk_that_never_answered_tells_nothing_by_not_answering(house: House, first: list[ContactState]) -> None:
    for state in first:
        house.contact(TRUNK, state)
    house.silent.add(CUSTOMER)
    house.go_on(60)
    assert house.told() == []
    assert house.asked == []


@pytest.mark.parametrize("other", [ANSWERS, KNOWN])
@pytest.mark.parametrize("how", [SILENT, GONE])
def test_of_two_phones_with_one_name_the_dead_one_does_not_speak_for_the_other(
    house: House, how: ContactState, other: ContactState
) -> None:
    house.contact(ANS_PHONE, ANSWERS, MOBILE)
    house.contact(ANS_PHONE, other, DESK)
    house.contact(ANS_PHONE, how, MOBILE)
    house.silent.add(AGENT)
    house.go_on(60)
    assert house.told() == []


def test_a_second_phone_that_never_answered_does_not_hide_that_the_first_one_is_dead(house: House) -> None:
    house.contact(ANS_PHONE, SILENT, MOBILE)
    house.contact(ANS_PHONE, ANSWERS, DESK)
    house.kill(AGENT)
    house.contact(ANS_PHONE, SILENT, DESK)
    house.go_on(5)
    assert house.told() == ["ConnectionLost"]


def test_a_phone_that_registers_again_and_again_goes_on_answering(house: House) -> None:
    for state in (ANSWERS, KNOWN, KNOWN):
        house.contact(ANS_PHONE, state, DESK)
    house.kill(AGENT)
    house.contact(ANS_PHONE, SILENT, DESK)
    house.go_on(5)
    assert house.told() == ["ConnectionLost"]


def test_a_phone_back_on_another_port_is_no_dead_one(house: House) -> None:
    for state, contact in ((ANSWERS, DESK), (KNOWN, MOBILE), (GONE, DESK), (ANSWERS, MOBILE)):
        house.contact(ANS_PHONE, state, contact)
    house.silent.add(AGENT)
    house.go_on(60)
    assert house.told() == []
