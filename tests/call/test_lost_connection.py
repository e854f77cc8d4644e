"""When the far end of a call is gone, and every way in which a living one only looks so."""

from __future__ import annotations

import pytest

from daemon.call.events import CallEnded, ConnectionRestored, ConnectionStillLost
from daemon.call.model import CallId, ConnectionLoss, EndedBy, HangupReason, LostSide
from daemon.call.signals import (
    BridgeEntered,
    ChannelEnded,
    ChannelId,
    ContactChanged,
    ContactState,
    HangUpOrdered,
    HoldChanged,
    LinkDown,
    LinkUp,
    PacketsCounted,
    ReportReceived,
)
from tests.call.lossy_house import AGENT, CUSTOMER, House, steady
from tests.call.wire import ANS_PHONE, BINHS_PHONE, TRUNK, Wire


@pytest.fixture
def house() -> House:
    return House()


@pytest.mark.parametrize(("channel", "side"), [(CUSTOMER, LostSide.CUSTOMER), (AGENT, LostSide.AGENT)])
def test_a_dead_phone_is_lost_after_two_reports_that_did_not_come_and_since_about_the_moment_it_died(
    house: House, channel: ChannelId, side: LostSide
) -> None:
    house.talk()
    died = house.kill(channel)
    house.go_on(8)
    assert house.told() == ["ConnectionLost"]
    assert house.lost is not None
    assert (house.lost.channel, house.lost.side) == (channel, side)
    assert 0 <= house.lost.since - died <= 2_000
    assert set(house.asked) == {channel}


def test_where_the_pbx_does_not_tell_when_packets_stopped_the_loss_counts_from_the_first_look(house: House) -> None:
    house.go_on(4)  # the PBX reported once
    died = house.kill(AGENT)
    house.fails(ANS_PHONE)
    house.go_on(8)
    assert house.lost is not None
    assert house.lost.since >= died


def test_a_registration_that_is_gone_brings_the_look_forward_and_decides_nothing_itself(house: House) -> None:
    house.talk()
    house.fails(ANS_PHONE, ContactState.GONE)
    house.go_on(60)
    assert house.told() == []
    assert 0 < len(house.asked) < 30, "asked less and less while it goes on talking"


def test_a_phone_that_sends_no_sound_and_reports_on_is_never_lost_nor_looked_at(house: House) -> None:
    house.talk()
    house.silent.add(AGENT)
    house.talk(120)
    assert house.told() == []


def test_a_muted_phone_that_dies_is_lost_after_three_reports_that_did_not_come(house: House) -> None:
    house.talk()
    house.silent.add(AGENT)
    house.talk(20)
    died = house.kill(AGENT)
    house.go_on(10)
    assert house.told() == []
    house.go_on(12)
    assert house.lost is not None
    assert house.lost.since >= died


def test_a_phone_that_never_reported_is_never_taken_for_lost(house: House) -> None:
    house.never_reports.add(AGENT)
    house.talk()
    house.kill(AGENT)
    house.go_on(60)
    assert house.told() == []
    house.fails(ANS_PHONE)
    house.go_on(60)
    assert house.told() == []


def test_a_phone_on_hold_that_never_reported_is_never_lost(house: House) -> None:
    house.never_reports.add(AGENT)
    house.talk()
    house.at(HoldChanged, AGENT, True)
    house.silent.add(AGENT)
    house.fails(ANS_PHONE, ContactState.GONE)
    house.go_on(300)
    assert house.told() == []
    assert len(house.asked) < 120, "asked ever more seldom"


def test_the_pbx_itself_says_who_holds_where_the_daemon_did_not_hear_it(house: House) -> None:
    house.never_reports.add(AGENT)
    house.talk()
    house.fails(ANS_PHONE)
    for _ in range(10):
        house.wire.now += 1_000
        house.tell(PacketsCounted(steady(house.wire.now), AGENT, 7, held=True))
    assert house.told() == []


def test_a_phone_that_stops_to_report_when_it_holds_lives(house: House) -> None:
    house.talk()
    house.at(HoldChanged, AGENT, True)
    house.silent.add(AGENT)
    house.never_reports.add(AGENT)
    house.go_on(120)
    assert house.told() == []


def test_a_phone_that_dies_on_hold_is_lost(house: House) -> None:
    house.talk()
    house.at(HoldChanged, AGENT, True)
    house.silent.add(AGENT)
    house.talk(12)
    house.kill(AGENT)
    house.fails(ANS_PHONE)
    house.go_on(9)
    assert house.told() == ["ConnectionLost"]


def test_media_that_goes_past_the_pbx_is_never_lost(house: House) -> None:
    house.talk()
    house.direct |= {AGENT, CUSTOMER}
    house.fails(ANS_PHONE)
    house.fails(TRUNK)
    house.go_on(120)
    assert house.told() == []
    assert house.asked


def test_a_channel_of_which_no_packets_are_counted_is_never_lost(house: House) -> None:
    house.talk()
    for _ in range(30):
        house.wire.now += 1_000
        house.tell(PacketsCounted(steady(house.wire.now), AGENT, None))
    assert house.told() == []


@pytest.mark.parametrize("sign", ["report", "packets"])
def test_it_is_restored_when_reports_or_packets_come_again(house: House, sign: str) -> None:
    house.talk()
    house.kill(AGENT)
    house.go_on(9)
    if sign == "report":
        house.at(ReportReceived, AGENT)
    else:
        house.at(PacketsCounted, AGENT, house.packets[AGENT] + 1)
    assert house.told() == ["ConnectionLost", "ConnectionRestored"]
    assert house.lost is None
    restored = house.wire.events[-1]
    assert isinstance(restored, ConnectionRestored)
    assert restored.lost.channel == AGENT


def test_a_phone_that_only_registers_again_stays_lost(house: House) -> None:
    house.talk()
    house.kill(AGENT)
    house.fails(ANS_PHONE)
    house.go_on(8)
    house.contact(ANS_PHONE, ContactState.ANSWERS)
    house.go_on(20)
    assert house.told() == ["ConnectionLost"]
    assert isinstance(house.wire.events[-1], ConnectionStillLost)


def test_a_call_that_rings_or_waits_is_not_watched() -> None:
    wire = Wire()
    wire.feed(LinkUp)
    wire.incoming("c1")
    wire.up("c1")
    wire.queue("c1", "support")
    wire.feed(ReportReceived, "c1")
    wire.now += 5_000
    wire.feed(ReportReceived, "c1")
    wire.feed(ContactChanged, TRUNK, "sip:trunk", ContactState.ANSWERS)
    wire.feed(ContactChanged, TRUNK, "sip:trunk", ContactState.SILENT)
    wire.now += 60_000
    assert wire.tracker.suspects(steady(wire.now), anybody=True) == []


def test_a_parked_call_is_not_watched(house: House) -> None:
    house.talk()
    house.wire.leave("room", CUSTOMER, AGENT)
    house.wire.end(AGENT)
    house.at(BridgeEntered, "lot", CUSTOMER, False)
    house.dead.add(CUSTOMER)
    house.fails(TRUNK)
    house.go_on(60)
    assert house.told() == []


def test_one_who_goes_to_another_bridge_must_be_heard_to_report_there(house: House) -> None:
    house.talk()
    house.never_reports.add(AGENT)
    house.silent.add(AGENT)
    house.wire.leave("room", AGENT)
    house.wire.enter("hall", AGENT, CUSTOMER)
    house.go_on(60)
    assert house.told() == []


def test_with_the_setting_off_nobody_is_suspected_and_who_is_lost_is_followed(house: House) -> None:
    house.talk()
    house.kill(AGENT)
    house.go_on(9)
    house.kill(CUSTOMER)
    house.wire.now += 20_000
    assert house.wire.tracker.suspects(steady(house.wire.now), anybody=False) == [AGENT]


def test_both_sides_lost_are_told_once_and_restored_only_when_both_are_heard(house: House) -> None:
    house.talk()
    house.kill(AGENT)
    house.kill(CUSTOMER)
    house.go_on(9)
    assert house.told() == ["ConnectionLost"]
    assert house.lost is not None
    first, second = house.lost.channel, CUSTOMER if house.lost.channel == AGENT else AGENT
    house.at(ReportReceived, first)
    assert house.told() == ["ConnectionLost", "ConnectionRestored", "ConnectionLost"]
    assert house.lost is not None
    assert house.lost.channel == second
    house.at(ReportReceived, second)
    assert house.lost is None


# -- the end ----------------------------------------------------------------------------------------------------------


def lost_call(house: House) -> ConnectionLoss:
    house.talk()
    house.kill(AGENT)
    house.go_on(9)
    assert house.lost is not None
    return house.lost


def hang_up(house: House, first: ChannelId = AGENT) -> None:
    house.at(HangUpOrdered, AGENT)
    house.at(ChannelEnded, first, 38 if first == AGENT else 16)
    house.at(ChannelEnded, *((CUSTOMER, 16) if first == AGENT else (AGENT, 38)))  # 16: the dialplan's own Hangup()


def ended(house: House) -> CallEnded:
    [event] = [event for event in house.wire.events if isinstance(event, CallEnded)]
    return event


@pytest.mark.parametrize("first", [AGENT, CUSTOMER])
def test_a_call_we_hung_up_says_so_and_what_was_lost(house: House, first: ChannelId) -> None:
    """Either of its two channels may end first, as seen on a real PBX."""
    loss = lost_call(house)
    hang_up(house, first)
    call = ended(house).call
    assert call.hangup_reason is HangupReason.CONNECTION_LOST
    assert (call.ended_by, call.lost) == (EndedBy.SYSTEM, loss)
    assert house.told() == ["ConnectionLost"]


def test_a_lost_call_that_its_other_side_hangs_up_was_not_hung_up_by_us(house: House) -> None:
    lost_call(house)
    house.wire.hang_up(CUSTOMER)
    call = ended(house).call
    assert (call.ended_by, call.hangup_reason) == (EndedBy.CUSTOMER, None)
    assert call.lost is not None


def test_a_hangup_that_the_pbx_refused_is_no_reason(house: House) -> None:
    lost_call(house)
    house.at(HangUpOrdered, AGENT)
    house.at(HangUpOrdered, AGENT, True)
    house.wire.end(AGENT, CUSTOMER)
    assert ended(house).call.hangup_reason is None


def test_a_customer_who_hangs_up_in_the_same_moment_is_who_ended_it(house: House) -> None:
    lost_call(house)
    house.at(HangUpOrdered, AGENT)
    house.wire.hang_up(CUSTOMER)
    call = ended(house).call
    assert (call.ended_by, call.hangup_reason) == (EndedBy.CUSTOMER, None)


def test_a_call_that_goes_on_with_another_agent_is_not_lost_any_more(house: House) -> None:
    lost_call(house)
    house.at(HangUpOrdered, AGENT)
    house.wire.leave("room", AGENT)
    house.at(ChannelEnded, AGENT, 38)
    house.wire.leave("room", CUSTOMER)
    house.wire.rings(CUSTOMER, "b1", BINHS_PHONE)
    house.wire.answers(CUSTOMER, "b1", "hall")
    assert house.told() == ["ConnectionLost", "ConnectionRestored"]
    house.wire.hang_up(CUSTOMER)
    call = ended(house).call
    assert (call.lost, call.hangup_reason, call.ended_by) == (None, None, EndedBy.CUSTOMER)


# -- a new connection, a new daemon -----------------------------------------------------------------------------------


def listed(house: House) -> None:
    wire = house.wire
    rows = (wire.seen(CUSTOMER, TRUNK, CUSTOMER, bridge="room"), wire.seen(AGENT, ANS_PHONE, CUSTOMER, bridge="room"))
    wire.listed(*rows)


def come_back(house: House, after: float, *, restart: bool) -> None:
    house.at(LinkDown)
    house.go_on(after, looks=False)
    if restart:
        house.wire.restart()
    house.at(LinkUp)
    listed(house)


@pytest.mark.parametrize("restart", [False, True])
def test_the_clock_of_a_loss_goes_on_over_a_gap_once_it_is_seen_anew(house: House, restart: bool) -> None:
    loss = lost_call(house)
    come_back(house, 4, restart=restart)
    before = len(house.wire.events)
    house.go_on(6)
    assert len(house.wire.events) == before, "nothing is decided before it is seen anew"
    assert house.lost == loss
    house.go_on(4)
    assert isinstance(house.wire.events[-1], ConnectionStillLost)
    assert house.lost == loss
    assert house.told() == ["ConnectionLost"]


@pytest.mark.parametrize("restart", [False, True])
def test_a_loss_that_was_over_in_the_gap_is_over_though_packets_stand_still_again(house: House, restart: bool) -> None:
    lost_call(house)
    house.packets[AGENT] += 400
    come_back(house, 4, restart=restart)
    back = house.wire.now
    house.go_on(30)
    assert house.told()[:2] == ["ConnectionLost", "ConnectionRestored"]
    assert house.lost is None or house.lost.since >= back, "lost again, and counted anew"


@pytest.mark.parametrize("restart", [False, True])
def test_a_gap_makes_nobody_a_suspect(house: House, restart: bool) -> None:
    house.talk()
    come_back(house, 60, restart=restart)
    house.go_on(60)
    assert house.told() == []
    assert house.asked == []


def test_a_lost_leg_that_vanished_in_the_gap_is_lost_no_more(house: House) -> None:
    lost_call(house)
    house.at(LinkDown)
    house.wire.restart()
    house.at(LinkUp)
    wire = house.wire
    seen = (wire.seen(CUSTOMER, TRUNK, CUSTOMER, bridge="hall"), wire.seen("b1", BINHS_PHONE, CUSTOMER, bridge="hall"))
    wire.listed(*seen)
    assert house.wire.calls()[CallId(CUSTOMER)].lost is None


def test_a_phone_that_keeps_quiet_on_hold_and_misses_one_question_of_the_registrar_was_lost_only_then(
    house: House,
) -> None:
    house.talk()
    house.at(HoldChanged, AGENT, True)
    house.silent.add(AGENT)
    house.never_reports.add(AGENT)
    house.go_on(20)
    failed = house.wire.now
    house.fails(ANS_PHONE)
    house.go_on(3)
    assert house.lost is None or house.lost.since >= failed
    house.contact(ANS_PHONE, ContactState.ANSWERS)
    house.go_on(2)
    assert house.lost is None


def test_what_a_phone_did_before_a_reconnect_is_no_evidence_after_it(house: House) -> None:
    house.talk()
    house.at(LinkDown)
    house.silent.add(AGENT)
    house.never_reports.add(AGENT)
    house.wire.now += 3_000
    house.at(LinkUp)
    house.go_on(60)
    assert house.told() == []
