"""When a lost connection is noticed and how its time is counted: never too early, whatever phones and clocks do."""

from __future__ import annotations

import pytest

from daemon.call.events import ConnectionLost
from daemon.call.signals import ContactState, HoldChanged, PacketsCounted
from tests.call.lossy_house import AGENT, CUSTOMER, House, steady
from tests.call.wire import ANS_PHONE

N, SPARE = 10, 3
PHASES = [tenth / 10 for tenth in range(0, 50, 6)]
"""Of the five seconds between two reports, when something happens."""
HOUR_MS = 3_600_000


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.parametrize("channel", [CUSTOMER, AGENT])
@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_phone_is_cut_after_n_to_n_plus_three_seconds_whenever_it_died(
    house: House, channel: str, phase: float
) -> None:
    house.talk(20 + phase)
    died = house.kill(channel)  # type: ignore[arg-type]
    house.go_on(N + SPARE)
    cut = house.cut_after(died, N)
    assert cut is not None
    assert N <= cut <= N + SPARE - 0.4, "and the PBX needs a moment"


@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("phase", PHASES)
def test_a_phone_that_stumbles_just_before_it_dies_is_not_cut_early(house: House, phase: float, n: int) -> None:
    house.talk(20 + phase)
    house.silent.add(AGENT)
    house.go_on(2)
    house.silent.clear()
    house.go_on(0.5)
    died = house.kill(AGENT)
    house.go_on(n + 13)
    cut = house.cut_after(died, n)
    assert cut is not None
    assert cut >= n


@pytest.mark.parametrize("phase", PHASES)
def test_a_phone_that_sends_nothing_while_nobody_speaks_is_not_cut_early(house: House, phase: float) -> None:
    for _ in range(4):
        house.talk(4)
        house.silent.add(AGENT)
        house.talk(4)
        house.silent.clear()
    house.go_on(phase)
    died = house.kill(AGENT)
    house.go_on(N + 10)
    cut = house.cut_after(died, N)
    assert cut is not None
    assert cut >= N


@pytest.mark.parametrize("phase", PHASES)
def test_a_phone_that_is_muted_just_when_its_report_gets_lost_lives(house: House, phase: float) -> None:
    house.talk(20 + phase)
    house.silent.add(AGENT)
    house.mute_reports = 1
    house.go_on(60)
    assert house.told() == []


def test_with_its_contact_gone_too_one_report_is_enough(house: House) -> None:
    house.talk()
    died = house.kill(AGENT)
    house.go_on(4)
    house.fails(ANS_PHONE)
    house.go_on(4)
    assert house.told() == ["ConnectionLost"]
    house.go_on(10)
    cut = house.cut_after(died, 5)
    assert cut is not None
    assert 5 <= cut <= 8


@pytest.mark.parametrize("phase", PHASES)
def test_a_muted_phone_is_cut_sooner_when_its_contact_is_gone_and_never_early(house: House, phase: float) -> None:
    house.talk()
    house.silent.add(AGENT)
    house.talk(20 + phase)
    died = house.kill(AGENT)
    house.go_on(4.5)
    house.fails(ANS_PHONE)
    house.go_on(N + 4)
    cut = house.cut_after(died, N)
    assert cut is not None
    assert N <= cut <= N + 6.5


def test_one_report_lost_while_its_contact_stumbles_and_it_is_muted_is_taken_back_when_the_contact_answers(
    house: House,
) -> None:
    house.talk()
    house.silent.add(AGENT)
    house.mute_reports = 1
    house.go_on(4)
    house.fails(ANS_PHONE)
    house.go_on(3.7)
    house.contact(ANS_PHONE, ContactState.ANSWERS)
    house.go_on(30)
    assert house.told() in ([], ["ConnectionLost", "ConnectionRestored"])
    assert house.lost is None


# -- shortly after a change -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.5, 2, 4])
def test_a_phone_that_dies_right_after_its_answer_is_noticed_by_what_it_did_in_the_call_before(seconds: float) -> None:
    house = House()
    house.talk(20)
    house.again()
    house.go_on(seconds)
    died = house.kill(AGENT)
    house.go_on(30)
    assert house.told() == ["ConnectionLost"]
    cut = house.cut_after(died, N)
    assert cut is not None
    assert cut >= N


def test_a_phone_never_heard_to_report_is_not_expected_to(house: House) -> None:
    house.go_on(2)
    house.silent.add(AGENT)
    house.never_reports.add(AGENT)
    house.go_on(120)
    assert house.told() == []


def test_another_phone_with_the_same_name_that_never_reports_is_soon_known(house: House) -> None:
    house.talk(20)
    house.again()
    house.never_reports.add(AGENT)
    house.go_on(30)
    house.silent.add(AGENT)
    house.go_on(120)
    assert house.told() == []


@pytest.mark.parametrize("seconds", [0.5, 2, 4])
def test_a_phone_that_dies_right_after_it_takes_the_customer_back_is_noticed(house: House, seconds: float) -> None:
    house.talk()
    house.at(HoldChanged, AGENT, True)
    house.silent.add(AGENT)
    house.go_on(20)
    house.at(HoldChanged, AGENT, False)
    house.silent.clear()
    house.go_on(seconds)
    died = house.kill(AGENT)
    house.go_on(30)
    assert house.told() == ["ConnectionLost"]
    cut = house.cut_after(died, N)
    assert cut is not None
    assert cut >= N


@pytest.mark.parametrize("seconds", [0.5, 2, 4])
def test_a_phone_that_dies_right_after_it_holds_is_noticed_if_it_was_heard_on_hold_before(
    house: House, seconds: float
) -> None:
    for _ in range(2):
        house.talk(12)
        house.at(HoldChanged, AGENT, True)
        house.talk(12)
        house.at(HoldChanged, AGENT, False)
    house.talk(12)
    house.at(HoldChanged, AGENT, True)
    house.silent.add(AGENT)
    house.go_on(seconds)
    died = house.kill(AGENT)
    house.go_on(30)
    assert house.told() == ["ConnectionLost"]
    cut = house.cut_after(died, N)
    assert cut is not None
    assert cut >= N


def test_the_customer_needs_not_be_heard_anew_because_the_agent_held_and_took_back(house: House) -> None:
    house.talk()
    house.at(HoldChanged, AGENT, True)
    house.go_on(2)
    house.at(HoldChanged, AGENT, False)
    house.kill(CUSTOMER)
    house.go_on(30)
    assert house.lost is not None
    assert house.lost.channel == CUSTOMER


# -- a slow phone -----------------------------------------------------------------------------------------------------


def test_a_phone_that_reports_seldom_is_given_the_time_it_needs(house: House) -> None:
    house.report_every = 200
    house.go_on(61)
    house.silent.add(AGENT)
    house.mute_reports = 1
    house.go_on(200)
    assert house.told() == []
    house.kill(AGENT)
    house.go_on(70)
    assert house.told() == ["ConnectionLost"]


# -- clocks that are set ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("step", [HOUR_MS, -HOUR_MS])
def test_a_clock_that_is_set_makes_nobody_lost(house: House, step: int) -> None:
    house.talk()
    house.stepped = step
    house.talk(60)
    assert house.told() == []


@pytest.mark.parametrize("step", [HOUR_MS, -HOUR_MS])
@pytest.mark.parametrize("before", [2, 8, 12])
def test_a_clock_that_is_set_in_the_middle_of_a_loss_neither_hastens_nor_delays_the_end(
    house: House, step: int, before: float
) -> None:
    house.talk()
    died = house.kill(AGENT)
    house.go_on(before)
    house.stepped = step
    house.go_on(N + SPARE + 1 - before)
    last = house.wire.events[-1]
    assert N * 1000 <= last.lasting <= (N + SPARE + 1) * 1000  # type: ignore[union-attr]
    assert 0 <= house.wire.now + step - last.at <= 200, "people get the date"
    assert house.wire.now - died == (N + SPARE + 1) * 1000


def test_people_are_told_the_date_of_their_clock(house: House) -> None:
    house.stepped = HOUR_MS
    house.talk()
    house.tell(PacketsCounted(steady(house.wire.now), CUSTOMER, 1, date=house.date))
    died = house.kill(AGENT)
    house.go_on(9)
    [lost] = [event for event in house.wire.events if isinstance(event, ConnectionLost)]
    assert lost.call.lost is not None
    assert 0 <= lost.call.lost.since - HOUR_MS - died <= 2_000
