"""Who holds whom, as the phones knew it."""

from __future__ import annotations

import pytest

from daemon.call.events import CallEnded, CallHeld, CallResumed
from daemon.call.parties import Parties
from daemon.call.signals import ChannelId, Endpoint, HoldChanged
from tests.call.recorded import Recording, new_tracker, recordings, track
from tests.call.wire import AN, ANS_PHONE, BINHS_PHONE, TRUNK, Wire

RECORDINGS = {one.name: one for one in recordings()}
MOMENT_S = 0.3


def holds(recording: Recording) -> list[tuple[str, str, float]]:
    """Each change: what, whose phone, how many seconds after the scenario began."""
    events, _ = track(new_tracker(recording), recording.signals())
    begin = recording.truth["started_at"]
    kept = [event for event in events if isinstance(event, CallHeld | CallResumed)]
    return [(type(event).__name__, event.user_id, event.at / 1000 - begin) for event in kept]


@pytest.mark.parametrize("version", ["asterisk-16", "asterisk-22"])
def test_a_phones_hold_is_told_when_its_owner_pressed_the_key_and_again_when_he_took_the_call_back(
    version: str,
) -> None:
    recording = RECORDINGS[f"{version}/in_hold_unhold"]
    pressed = {word: one["t"] for one in recording.truth["log"] for word in ("holds", "back") if word in one["what"]}
    (held, resumed) = holds(recording)
    assert (held[:2], resumed[:2]) == (("CallHeld", "1001"), ("CallResumed", "1001"))
    assert abs(held[2] - pressed["holds"]) < MOMENT_S
    assert abs(resumed[2] - pressed["back"]) < MOMENT_S


@pytest.mark.parametrize("name", RECORDINGS)
def test_whoever_is_held_is_let_go_by_the_end(name: str) -> None:
    events, calls = track(new_tracker(RECORDINGS[name]), RECORDINGS[name].signals())
    if any(call.ended_at is None for call in calls):
        return
    held: set[str] = set()
    for event in events:
        if isinstance(event, CallHeld):
            assert event.channel not in held
            held.add(event.channel)
        elif isinstance(event, CallResumed):
            held.remove(event.channel)
    assert held == set()


def talking() -> Wire:
    wire = Wire()
    wire.incoming("c1")
    wire.rings("c1", "a1", ANS_PHONE)
    wire.answers("c1", "a1", "room")
    return wire


def told(wire: Wire) -> list[type]:
    return [type(event) for event in wire.events if isinstance(event, CallHeld | CallResumed | CallEnded)]


def test_a_hold_that_is_told_twice_is_one_and_stands_among_the_parties() -> None:
    wire = talking()
    for _ in range(2):
        wire.feed(HoldChanged, "a1", True)
    assert told(wire) == [CallHeld]
    parties = wire.tracker.parties(next(iter(wire.calls())), AN)
    assert parties == Parties(ChannelId("a1"), ChannelId("c1"), up=True, endpoint=Endpoint(ANS_PHONE), held=True)
    wire.feed(HoldChanged, "a1", False)
    wire.feed(HoldChanged, "a1", False)
    assert told(wire) == [CallHeld, CallResumed]


def test_a_held_customer_who_goes_and_a_phone_that_goes_end_the_hold() -> None:
    wire = talking()
    wire.feed(HoldChanged, "a1", True)
    wire.hang_up("c1")
    assert told(wire) == [CallHeld, CallResumed, CallEnded]
    wire = talking()
    wire.feed(HoldChanged, "a1", True)
    wire.rings("c1", "b1", BINHS_PHONE)  # handed over
    wire.enter("other", "c1", "b1")
    wire.end("a1")
    assert told(wire) == [CallHeld, CallResumed]


def test_a_hold_by_the_customer_or_of_an_unknown_channel_is_nobodys_hold() -> None:
    wire = talking()
    wire.feed(HoldChanged, "c1", True)
    wire.feed(HoldChanged, "nothing", True)
    assert told(wire) == []


def test_an_agents_mobile_behind_the_trunk_is_no_phone_of_ours() -> None:
    wire = Wire()
    wire.incoming("c1")
    wire.channel("m1", TRUNK, linked="c1")
    wire.dials("c1", "m1", "0909999999")
    parties = wire.tracker.parties(next(iter(wire.calls())), wire.directory.numbers["+84909999999"])
    assert parties is not None
    assert parties.endpoint is None
