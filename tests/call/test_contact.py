"""Who is out of the PBX's reach: only whom it reached before."""

from __future__ import annotations

import pytest

from daemon.call.signals import ContactState
from tests.call.lossy_house import AGENT, CUSTOMER, House
from tests.call.wire import ANS_PHONE, TRUNK

DESK, MOBILE = "sip:1001@10.0.0.5:5060", "sip:1001@10.0.0.9:48211"
SOON = 5  # seconds: one report is missing, two are not yet
ANSWERS, KNOWN, SILENT, GONE = ContactState.ANSWERS, ContactState.KNOWN, ContactState.SILENT, ContactState.GONE


@pytest.fixture
def house() -> House:
    """They talk and report; who then dies is noticed by his reports alone only after SOON."""
    house = House()
    house.talk()
    return house


def unreachable(house: House) -> set[str]:
    return set(house.wire.tracker._board.unreachable)


@pytest.mark.parametrize("how", [SILENT, GONE])
def test_a_phone_that_answered_and_then_does_not_is_lost(house: House, how: ContactState) -> None:
    house.contact(ANS_PHONE, ANSWERS, DESK)
    house.kill(AGENT)
    house.contact(ANS_PHONE, how, DESK)
    house.go_on(SOON)
    assert house.told() == ["ConnectionLost"]


@pytest.mark.parametrize("first", [[SILENT], [KNOWN, SILENT], [KNOWN, GONE], [GONE], [SILENT, KNOWN, SILENT, GONE]])
def test_a_trunk_that_never_answered_tells_nothing_by_not_answering(house: House, first: list[ContactState]) -> None:
    for state in first:
        house.contact(TRUNK, state)
    house.kill(CUSTOMER)
    house.go_on(SOON)
    assert (house.told(), unreachable(house)) == ([], set())


@pytest.mark.parametrize("other", [ANSWERS, KNOWN])
@pytest.mark.parametrize("how", [SILENT, GONE])
def test_of_two_phones_with_one_name_the_dead_one_does_not_speak_for_the_other(
    house: House, how: ContactState, other: ContactState
) -> None:
    house.contact(ANS_PHONE, ANSWERS, MOBILE)
    house.contact(ANS_PHONE, other, DESK)
    house.contact(ANS_PHONE, how, MOBILE)
    house.kill(AGENT)
    house.go_on(SOON)
    assert (house.told(), unreachable(house)) == ([], set())


def test_a_second_phone_that_never_answered_does_not_hide_that_the_first_one_is_dead(house: House) -> None:
    house.contact(ANS_PHONE, SILENT, MOBILE)
    house.contact(ANS_PHONE, ANSWERS, DESK)
    house.kill(AGENT)
    house.contact(ANS_PHONE, SILENT, DESK)
    house.go_on(SOON)
    assert house.told() == ["ConnectionLost"]


def test_a_phone_that_registers_again_and_again_goes_on_answering(house: House) -> None:
    for state in (ANSWERS, KNOWN, KNOWN):
        house.contact(ANS_PHONE, state, DESK)
    house.kill(AGENT)
    house.contact(ANS_PHONE, SILENT, DESK)
    house.go_on(SOON)
    assert house.told() == ["ConnectionLost"]


def test_a_phone_back_on_another_port_is_no_dead_one(house: House) -> None:
    for state, contact in ((ANSWERS, DESK), (KNOWN, MOBILE), (GONE, DESK), (ANSWERS, MOBILE)):
        house.contact(ANS_PHONE, state, contact)
    house.kill(AGENT)
    house.go_on(SOON)
    assert (house.told(), unreachable(house)) == ([], set())


@pytest.mark.parametrize("who", [(AGENT, ANS_PHONE), (CUSTOMER, TRUNK)])
@pytest.mark.parametrize("how", [SILENT, GONE])
def test_of_whoever_never_reports_and_only_listens_the_contact_alone_ends_no_call(
    who: tuple[str, str], how: ContactState
) -> None:
    """Muted, without sound and without reports, it looks like a dead one; one lost OPTIONS must not cut it."""
    house = House()
    house.never_reports |= {AGENT, CUSTOMER}
    house.talk()
    channel, endpoint = who
    house.contact(endpoint, ANSWERS)
    house.silent.add(channel)
    house.contact(endpoint, how)
    house.go_on(120)
    assert (house.told(), unreachable(house)) == ([], {endpoint})
