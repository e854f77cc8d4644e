"""Phones that calls from outside make ring and that nobody entered are remembered, within bounds."""

from __future__ import annotations

import pytest

from daemon.call import board
from daemon.call.signals import ChannelKind
from tests.call.wire import ANS_PHONE, TRUNK, Wire

FORGOTTEN = "PJSIP/1009"


def test_a_phone_of_nobody_that_a_customer_makes_ring_is_remembered_with_the_moment() -> None:
    wire = Wire()
    wire.incoming("c1")
    wire.rings("c1", "x1", FORGOTTEN)
    assert wire.tracker.rung_strangers == {FORGOTTEN: wire.now - 1000}
    wire.rings("c1", "a1", ANS_PHONE)
    assert set(wire.tracker.rung_strangers) == {FORGOTTEN}


def test_outgoing_calls_local_channels_and_agents_mobiles_are_no_strangers() -> None:
    wire = Wire()
    wire.channel("a1", ANS_PHONE, placed=True, number="1001", exten="0901234567")
    wire.channel("t1", TRUNK, linked="a1")
    wire.dials("a1", "t1", "0901234567")
    wire.incoming("c1")
    wire.channel("l1", "Local/1009@x", linked="c1", kind=ChannelKind.LOCAL)
    wire.dials("c1", "l1", "1009")
    wire.channel("m1", TRUNK, linked="c1")
    wire.dials("c1", "m1", "0909999999")  # Bình's mobile
    assert wire.tracker.rung_strangers == {}


def test_of_strangers_without_end_the_latest_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "_STRANGERS", 3)
    wire = Wire()
    wire.incoming("c1")
    for number in (1, 2, 3, 1, 4):
        wire.rings("c1", f"x{wire.now}", f"DAHDI/{number}")
    assert list(wire.tracker.rung_strangers) == ["DAHDI/3", "DAHDI/1", "DAHDI/4"]
