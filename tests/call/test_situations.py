"""Situations found by attacking the tracker: each was understood wrongly once, or easily could be."""

from __future__ import annotations

import pytest

from daemon.call.events import AgentReturned
from daemon.call.model import CallId, Direction, MissedReason, Outcome
from daemon.call.signals import (
    AttendedTransferred,
    BlindTransferred,
    CallerIdChanged,
    ChannelKind,
    ChannelState,
    DialStatus,
    LinkUp,
    LocalPaired,
)
from tests.call.wire import AN, ANS_PHONE, BINH, BINHS_PHONE, HOTLINE, TRUNK, Wire


@pytest.fixture
def wire() -> Wire:
    return Wire()


def call(wire: Wire, name: str):  # type: ignore[no-untyped-def]
    return wire.calls()[CallId(name)]


def colleagues_talk(wire: Wire) -> None:
    wire.channel("a1", ANS_PHONE, placed=True, number="1001", exten="1002")
    wire.rings("a1", "b1", BINHS_PHONE)
    wire.answers("a1", "b1", "room")


def test_after_a_restart_a_customer_under_an_older_ended_calls_linkedid_talks_on(wire: Wire) -> None:
    colleagues_talk(wire)
    wire.incoming("c1")
    wire.rings("c1", "a2", ANS_PHONE)
    wire.answers("c1", "a2", "room")
    wire.end("a1")
    assert wire.ended() == ["a1"]
    wire.restart()
    wire.feed(LinkUp)
    wire.listed(
        wire.seen("c1", TRUNK, "a1", bridge="room"),
        wire.seen("a2", ANS_PHONE, "a1", bridge="room"),
        wire.seen("b1", BINHS_PHONE, "a1", bridge="room"),
    )
    assert wire.ended() == ["a1"]
    wire.hang_up("c1")
    assert wire.ended() == ["a1", "c1"]


def test_a_leg_that_outlives_its_call_does_not_begin_it_again_after_a_restart(wire: Wire) -> None:
    wire.channel("a1", ANS_PHONE, placed=True, number="1001", exten="0901234567")
    wire.channel("t1", TRUNK, linked="a1")
    wire.dials("a1", "t1", "0901234567")
    wire.answers("a1", "t1", "room")
    wire.hang_up("t1")
    wire.restart()
    wire.feed(LinkUp)
    wire.listed(wire.seen("a1", ANS_PHONE, "a1"))
    wire.end("a1")
    assert wire.ended() == ["a1"]


def test_an_agents_leg_that_goes_on_to_a_second_customer_makes_a_second_call(wire: Wire) -> None:
    wire.channel("a1", ANS_PHONE, placed=True, number="1001", exten="0901234567")
    for trunk, number in (("t1", "0901234567"), ("t2", "0912345678")):
        wire.channel(trunk, TRUNK, linked="a1")
        wire.dials("a1", trunk, number)
        wire.answers("a1", trunk, f"room {trunk}")
        wire.leave(f"room {trunk}", "a1", trunk)
        wire.hang_up(trunk)
    customers = [c.customer_number for c in wire.calls().values() if c.direction is Direction.OUTGOING]
    assert customers == ["+84901234567", "+84912345678"]


def test_a_click_to_call_that_shows_the_hotline_first_is_still_about_the_customer(wire: Wire) -> None:
    wire.channel("a1", ANS_PHONE, number="1001")
    wire.feed(CallerIdChanged, "a1", HOTLINE, None)
    wire.dials(None, "a1")
    wire.up("a1")
    wire.channel("t1", TRUNK, linked="a1")
    wire.dials("a1", "t1", "0901234567")
    assert call(wire, "a1").customer_number == "+84901234567"
    assert call(wire, "a1").hotline == HOTLINE


@pytest.mark.parametrize("taken_by", ["ivr", "queue", "conference"])
def test_what_the_pbx_itself_takes_is_no_missed_outgoing_call(wire: Wire, taken_by: str) -> None:
    wire.channel("a1", ANS_PHONE, placed=True, number="1001", exten=HOTLINE)
    if taken_by == "queue":
        wire.queue("a1", "support")
    else:
        wire.up("a1")
    wire.hang_up("a1")
    assert wire.calls() == {}


def test_an_agent_who_dials_out_while_no_line_is_free_has_a_failed_outgoing_call(wire: Wire) -> None:
    wire.channel("a1", ANS_PHONE, placed=True, number="1001", exten="0901234567")
    wire.end("a1")
    failed = call(wire, "a1")
    assert (failed.direction, failed.outcome, failed.user_id) == (Direction.OUTGOING, Outcome.MISSED, AN)
    assert failed.missed_reason is MissedReason.FAILED


def test_a_colleague_called_on_his_mobile_is_a_colleague(wire: Wire) -> None:
    wire.channel("a1", ANS_PHONE, placed=True, number="1001", exten="0909999999")
    wire.channel("t1", TRUNK, linked="a1")
    wire.dials("a1", "t1", "0909999999")
    wire.fails("a1", "t1", DialStatus.NO_ANSWER)
    wire.end("a1")
    assert call(wire, "a1").direction is Direction.INTERNAL


def test_when_the_dialplan_tries_a_second_number_the_customer_is_who_answers(wire: Wire) -> None:
    wire.channel("a1", ANS_PHONE, placed=True, number="1001", exten="0901111111")
    wire.channel("t1", TRUNK, linked="a1")
    wire.dials("a1", "t1", "0901111111")
    wire.fails("a1", "t1", DialStatus.BUSY)
    wire.channel("t2", TRUNK, linked="a1")
    wire.dials("a1", "t2", "0902222222")
    wire.answers("a1", "t2", "room")
    assert call(wire, "a1").customer_number == "+84902222222"
    assert wire.connected() == [("a1", AN)]


def test_a_second_trunk_for_the_same_number_changes_nothing(wire: Wire) -> None:
    wire.channel("a1", ANS_PHONE, placed=True, number="1001", exten="0901111111")
    for trunk in ("t1", "t2"):
        wire.channel(trunk, TRUNK, linked="a1")
        wire.dials("a1", trunk, "0901111111")
        wire.fails("a1", trunk, DialStatus.CONGESTION)
    wire.end("a1")
    assert call(wire, "a1").missed_reason is MissedReason.FAILED
    assert wire.ended() == ["a1"]


def test_a_phone_that_rings_after_linkedids_merged_rings_for_its_own_caller(wire: Wire) -> None:
    for name, number in (("c1", "0901234567"), ("c2", "0912345678")):
        wire.incoming(name, number)
        wire.up(name)
        wire.enter("conference", name)
    wire.leave("conference", "c2")
    wire.queue("c2", "support")
    wire.rings("c2", "b1", BINHS_PHONE, linked="c1")
    assert wire.rang() == [("c2", BINH)]
    wire.answers("c2", "b1", "room")
    assert wire.connected() == [("c2", BINH)]


def test_a_list_older_than_an_answer_does_not_ring_the_phone_again(wire: Wire) -> None:
    wire.incoming("c1")
    wire.rings("c1", "a1", ANS_PHONE)
    old = (wire.seen("c1", TRUNK, "c1"), wire.seen("a1", ANS_PHONE, "c1", state=ChannelState.RINGING))
    wire.answers("c1", "a1", "room")
    wire.feed(LinkUp)
    wire.listed(*old)
    assert wire.rang() == [("c1", AN)]


def test_a_list_older_than_a_bridge_does_not_take_anybody_out_of_it(wire: Wire) -> None:
    wire.feed(LinkUp)
    wire.incoming("c1")
    wire.rings("c1", "a1", ANS_PHONE)
    wire.answers("c1", "a1", "room")
    wire.listed(wire.seen("c1", TRUNK, "c1"), wire.seen("a1", ANS_PHONE, "c1"))
    wire.channel("b1", BINHS_PHONE, placed=True, number="1002", exten="*8")
    wire.up("b1")
    wire.enter("room", "b1")
    assert wire.connected() == [("c1", AN), ("c1", BINH)]


def test_helpers_of_the_pbx_are_nobodys_call(wire: Wire) -> None:
    wire.feed(LinkUp)
    wire.listed(wire.seen("m1", "Message/ast_msg_queue", "m1", kind=ChannelKind.PSEUDO))
    assert wire.tracker.calls() == []


def test_ended_channels_are_remembered_only_so_many(wire: Wire) -> None:
    for number in range(25_000):
        wire.end(f"x{number}")
    assert len(wire.tracker._board.gone) == 20_000


def test_a_call_sent_out_to_a_customer_by_a_colleague_is_of_the_one_who_stays(wire: Wire) -> None:
    colleagues_talk(wire)
    wire.feed(BlindTransferred, "b1", "a1")
    wire.leave("room", "a1", "b1")
    wire.end("b1")
    wire.channel("t1", TRUNK, linked="a1")
    wire.dials("a1", "t1", "0901234567")
    wire.fails("a1", "t1", DialStatus.NO_ANSWER)
    wire.end("a1")
    missed = call(wire, "a1")
    assert (missed.direction, missed.outcome, missed.user_id) == (Direction.OUTGOING, Outcome.MISSED, AN)


def test_a_customer_who_is_given_on_and_comes_back_is_told_of_and_opens_nothing_again(wire: Wire) -> None:
    wire.incoming("c1")
    for number, (phone, user) in enumerate(((ANS_PHONE, AN), (BINHS_PHONE, BINH), (ANS_PHONE, AN))):
        wire.rings("c1", f"a{number}", phone)
        wire.answers("c1", f"a{number}", f"room {number}")
        assert call(wire, "c1").user_id == user
        wire.feed(BlindTransferred, "c1", f"a{number}")
        wire.leave(f"room {number}", f"a{number}", "c1")
        wire.end(f"a{number}")
    assert wire.connected() == [("c1", AN), ("c1", BINH)]
    assert [(e.call.call_id, e.user_id) for e in wire.events if isinstance(e, AgentReturned)] == [("c1", AN)]


def test_two_customers_joined_stay_two_calls_and_each_ends_with_its_own(wire: Wire) -> None:
    wire.incoming("c1")
    wire.rings("c1", "a1", ANS_PHONE)
    wire.answers("c1", "a1", "one")
    wire.incoming("c2", "0912345678")
    wire.rings("c2", "a2", ANS_PHONE)
    wire.answers("c2", "a2", "two")
    wire.leave("two", "a2")
    wire.enter("two", "c1")
    wire.feed(AttendedTransferred, "a1", "a2", "c1", "c2")
    wire.end("a1", "a2")
    wire.hang_up("c1")
    assert wire.ended() == ["c1"]
    wire.end("c2")
    assert wire.ended() == ["c1", "c2"]


def test_a_callback_that_rings_the_customer_first_pops_the_agent_who_then_answers(wire: Wire) -> None:
    wire.channel("t1", TRUNK)
    wire.dials(None, "t1", "0901234567")
    wire.up("t1")
    wire.queue("t1", "support")
    wire.rings("t1", "a1", ANS_PHONE)
    wire.answers("t1", "a1", "room")
    assert call(wire, "t1").direction is Direction.OUTGOING
    assert wire.connected() == [("t1", AN)]


def test_a_wire_paired_anew_leaves_no_ghost(wire: Wire) -> None:
    wire.incoming("c1")
    for half in ("l1", "l2", "l3"):
        wire.channel(half, "Local/1@x", linked="c1", kind=ChannelKind.LOCAL)
    wire.feed(LocalPaired, "l1", "l2")
    wire.feed(LocalPaired, "l2", "l3")
    wire.end("l1", "l2", "l3")
    wire.hang_up("c1")
    assert wire.tracker.calls() == []
