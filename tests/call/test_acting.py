"""Calls that we order ourselves, who is who in a call, and how numbers are dialled."""

from __future__ import annotations

import pytest

from daemon.call.dialling import dialable, is_digits, ways_to_dial
from daemon.call.model import CallId, Direction, Outcome
from daemon.call.parties import Parties
from daemon.call.signals import CallerIdChanged, CallOrdered, ChannelId, Endpoint, MemberPaused, UnixMs
from tests.call.wire import AN, ANS_PHONE, BINH, BINHS_PHONE, HOTLINE, TRUNK, Wire

ANS, BINHS = Endpoint(ANS_PHONE), Endpoint(BINHS_PHONE)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def parties(wire: Wire, call: str, user: str) -> Parties | None:
    return wire.tracker.parties(CallId(call), user)  # type: ignore[arg-type]


def ordered(wire: Wire, number: str) -> None:
    wire.feed(CallOrdered, "a1", number, HOTLINE)
    wire.channel("a1", ANS_PHONE, number="1001")
    wire.feed(CallerIdChanged, "a1", HOTLINE, None)


def test_a_call_we_ordered_has_its_customer_and_hotline_before_anybody_rings(wire: Wire) -> None:
    ordered(wire, "0901234567")
    call = wire.calls()[CallId("a1")]
    assert (call.direction, call.customer_number, call.hotline, call.user_id) == (
        *(Direction.OUTGOING, "+84901234567"),
        *(HOTLINE, AN),
    )


def test_the_hotline_of_a_call_we_ordered_is_never_taken_for_its_customer(wire: Wire) -> None:
    """HOTLINE is the caller id of the agent's channel from the beginning, and a telephone number."""
    ordered(wire, "1002")
    assert wire.calls() == {}
    wire.up("a1")
    wire.rings("a1", "b1", BINHS_PHONE)
    wire.answers("a1", "b1", "room")
    call = wire.calls()[CallId("a1")]
    assert (call.direction, call.customer_number, call.user_ids) == (Direction.INTERNAL, None, (AN, BINH))


def test_an_order_whose_phone_is_not_taken_is_no_missed_call(wire: Wire) -> None:
    ordered(wire, "0901234567")
    wire.end("a1")
    call = wire.calls()[CallId("a1")]
    assert (call.ended_at is not None, call.outcome, call.customer_dialled) == (True, None, False)


def test_orders_whose_channel_never_comes_are_forgotten_in_the_end(wire: Wire) -> None:
    for number in range(3_000):
        wire.feed(CallOrdered, f"x{number}", "0901234567", None)
    assert len(wire.tracker._board.orders) == 1_000


def test_what_the_dialplan_really_shows_is_the_hotline(wire: Wire) -> None:
    ordered(wire, "0901234567")
    wire.up("a1")
    wire.channel("t1", TRUNK, linked="a1")
    wire.dials("a1", "t1", "0901234567", shown="19001234")
    wire.answers("a1", "t1", "room")
    call = wire.calls()[CallId("a1")]
    assert (call.hotline, call.outcome) == ("19001234", Outcome.ANSWERED)


def test_the_agents_own_channel_and_whom_he_hears(wire: Wire) -> None:
    wire.incoming("c1")
    wire.rings("c1", "a1", ANS_PHONE)
    assert parties(wire, "c1", AN) == Parties(ChannelId("a1"), None, up=False, endpoint=ANS, rings=True)
    assert parties(wire, "c1", BINH) is None
    wire.answers("c1", "a1", "room")
    assert parties(wire, "c1", AN) == Parties(ChannelId("a1"), ChannelId("c1"), up=True, endpoint=ANS)
    wire.rings("c1", "b1", BINHS_PHONE)
    assert parties(wire, "c1", BINH) == Parties(ChannelId("b1"), None, up=False, endpoint=BINHS, rings=True)
    wire.enter("room", "b1")
    of_an = parties(wire, "c1", AN)
    assert of_an == Parties(ChannelId("a1"), ChannelId("c1"), up=True, endpoint=ANS)  # the customer, not Bình
    wire.end("a1")
    assert parties(wire, "c1", AN) is None
    assert parties(wire, "nothing", AN) is None


def test_a_pause_in_a_queue_is_no_calls_business(wire: Wire) -> None:
    assert wire.tracker.feed(MemberPaused(UnixMs(1), "support", "PJSIP/1001", True, "lunch")) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0901 234.567", "0901234567"),
        ("(028) 7300-1234", "02873001234"),
        ("+84 901", "+84901"),
        ("113", "113"),
        ("*97", None),
        ("#31#0901", None),
        ("0901,1", None),
        ("0901\n", "0901"),  # a line end is a blank, and goes
        ("\u0660\u0661\u0662", None),
        ("+", None),
        ("", None),
    ],
)
def test_a_number_to_dial_is_digits_and_nothing_else(text: str, number: str | None) -> None:
    assert dialable(text) == number


def test_a_number_is_dialled_as_at_home_then_with_plus_then_with_00() -> None:
    assert ways_to_dial("+84901234567", "VN") == ("0901234567", "+84901234567", "0084901234567")
    assert ways_to_dial("+33142685300", "VN") == ("+33142685300", "0033142685300")
    assert ways_to_dial("1002", "VN") == ("1002",)


def test_keys_of_a_telephone() -> None:
    assert is_digits("0123456789*#ABCD")
    assert not any(map(is_digits, ("", "E", "1,2", "1\r", "0" * 33)))
