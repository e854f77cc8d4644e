"""What is kept of a call's way: rings, holds and handovers, whole, once, and never more than a bounded number."""

from __future__ import annotations

from dataclasses import replace

from daemon.call.events import (
    AgentConnected,
    AgentRinging,
    AgentRingingEnded,
    CallAnswered,
    CallChanged,
    CallEnded,
    CallEvent,
    CallHeld,
    CallResumed,
    CallStarted,
    ConnectionRestored,
)
from daemon.call.model import ConnectionLoss, LostSide, UserId
from daemon.call.signals import ChannelId, Endpoint, UnixMs
from daemon.call.timeline import MOST_OF_A_CALL, Moment, Timeline, What
from tests.call.recorded import new_tracker, recordings, track
from tests.factory import NOON, answered, ringing

AN, BINH = UserId("an"), UserId("binh")
PHONE, OTHER = ChannelId("1.1"), ChannelId("1.2")


def at(seconds: float) -> UnixMs:
    return UnixMs(int(NOON + seconds * 1000))


def test_a_ring_waits_for_the_next_change_and_comes_with_its_end() -> None:
    timeline, call = Timeline(), ringing()
    events: list[CallEvent] = [
        CallStarted(at(0), call),
        AgentRinging(at(1), call, AN, PHONE, Endpoint("PJSIP/1001")),
        AgentRinging(at(1), call, BINH, OTHER),
        AgentRingingEnded(at(4), call, AN, PHONE),
    ]
    for event in events:
        timeline.note(event)
        assert timeline.take(event) == ()
    change = CallChanged(at(5), replace(call, queue="support"))
    timeline.note(change)
    assert timeline.take(change) == (
        Moment(at(1), What.RANG, AN, "PJSIP/1001", at(4)),
        Moment(at(5), What.QUEUED, None, "support"),
    )
    end = CallEnded(at(9), replace(change.call, ended_at=at(9)))
    timeline.note(end)
    assert timeline.take(end) == (Moment(at(1), What.RANG, BINH, "", at(9)),)
    assert timeline.take(end) == ()


def test_holds_handovers_and_a_connection_that_came_back_are_told() -> None:
    timeline, call = Timeline(), answered()
    loss = ConnectionLoss(PHONE, LostSide.CUSTOMER, at(20), 7)
    for event in (
        CallStarted(at(0), call),
        AgentConnected(at(3), call, AN, at(3)),
        CallHeld(at(5), call, AN, PHONE),
        CallResumed(at(9), call, AN, PHONE),
        ConnectionRestored(at(24), call, loss),
    ):
        timeline.note(event)
    last = AgentConnected(at(30), call, BINH, at(28))
    timeline.note(last)
    assert timeline.take(last) == (
        Moment(at(3), What.CONNECTED, AN),
        Moment(at(5), What.HELD, AN, "", at(9)),
        Moment(at(20), What.LOST, None, "customer", at(24)),
        Moment(at(30), What.CONNECTED, BINH),
    )


def test_a_call_that_never_ends_ringing_is_bounded_and_says_so() -> None:
    timeline, call = Timeline(), ringing()
    timeline.note(CallStarted(at(0), call))
    for number in range(MOST_OF_A_CALL * 3):
        timeline.note(AgentRinging(at(number), call, AN, PHONE))
        timeline.note(AgentRingingEnded(at(number + 0.5), call, AN, PHONE))
    end = CallEnded(at(999), replace(call, ended_at=at(999)))
    timeline.note(end)
    kept = timeline.take(end)
    assert len(kept) == MOST_OF_A_CALL
    assert [moment.what for moment in kept].count(What.MORE) == 1
    assert kept[-1].what is What.MORE


def test_what_comes_after_the_end_begins_no_new_story() -> None:
    timeline, over = Timeline(), replace(answered(), ended_at=at(60))
    timeline.note(CallEnded(at(60), over))
    timeline.take(CallEnded(at(60), over))
    late = CallAnswered(at(61), over)
    timeline.note(late)
    assert timeline.take(late) == ()


def test_the_wait_of_a_call_without_a_queue_counts_from_its_ring_and_with_one_from_there() -> None:
    call = replace(answered(), answered_at=at(20), rung_at=at(12))
    assert call.wait_seconds == 8
    assert replace(call, queued_at=at(5)).wait_seconds == 15
    assert replace(call, rung_at=None).wait_seconds == 20


def test_of_recorded_calls_every_answer_was_rung_for_and_every_story_ends_with_its_call() -> None:
    chosen = [one for one in recordings() if one.name.startswith("asterisk-22/in_") or "transfer" in one.name][:40]
    assert chosen
    rung = 0
    for recording in chosen:
        timeline = Timeline()
        kept: list[Moment] = []
        events, calls = track(new_tracker(recording), recording.signals())
        for event in events:
            timeline.note(event)
            kept += timeline.take(event)
        assert all(moment.until is None or moment.until >= moment.at for moment in kept), recording.name
        assert len(kept) == len(set(kept)), recording.name
        for call in calls:
            rung += call.rung_at is not None
            if call.rung_at is not None:
                assert call.started_at <= call.rung_at <= (call.answered_at or call.ended_at or call.rung_at)
    assert rung
