"""A daemon restarted, or reconnected, at any moment of any recorded call comes to the same end."""

from __future__ import annotations

import copy

import pytest

from daemon.call.events import CallAnswered, CallEnded, CallEvent
from daemon.call.model import Call, CallId, CallState, Direction
from daemon.call.signals import ChannelCreated, LinkDown, LinkUp, Snapshot
from tests.call.recorded import Recording, new_tracker, recordings, track
from tests.call.snapshots import ChannelList
from tests.call.test_robustness import customer_effects, once_each

RECORDINGS = [recording for recording in recordings() if len(recording.parts) == 1]
EVERY = 3  # signals between two places where the daemon is killed


def living(events: list[CallEvent]) -> list[Call]:
    """What the store would know as living."""
    last: dict[CallId, Call] = {event.call.call_id: event.call for event in events}
    return [call for call in last.values() if call.state is not CallState.ENDED]


def forgotten_none(events: list[CallEvent], now: list[Call]) -> None:
    """Whatever was told of has ended or still lives."""
    assert {call.call_id for call in living(events)} <= {call.call_id for call in now}


def ends(events: list[CallEvent]) -> dict[str, tuple[object, ...]]:
    return {
        event.call.call_id: (event.call.direction, event.call.outcome, event.call.customer_number, event.call.hotline)
        for event in events
        if isinstance(event, CallEnded) and event.call.direction is not Direction.INTERNAL
    }


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_a_daemon_killed_at_any_moment_and_started_again_knows_every_customer_call(recording: Recording) -> None:
    signals = list(recording.signals())
    whole, left = track(new_tracker(recording), signals)
    list_of_channels = ChannelList()
    for cut, signal in enumerate(signals, start=1):
        list_of_channels.note(signal)
        if cut % EVERY:
            continue
        before, _ = track(new_tracker(recording), signals[:cut])
        restarted = new_tracker(recording)
        ended = [event.call.call_id for event in before if isinstance(event, CallEnded)]
        restarted.restore(living(before), signal.at, ended)
        after, _ = track(restarted, [LinkUp(signal.at), list_of_channels.at(signal.at), *signals[cut:]])
        once_each([*before, *after])
        forgotten_none([*before, *after], restarted.calls())
        told = {name: end for name, end in ends([*before, *after]).items() if name in ends(whole)}
        assert told == ends(whole), cut
        assert len(restarted.calls()) <= sum(call.state is not CallState.ENDED for call in left), cut


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_a_reconnect_with_nothing_missed_changes_nothing(recording: Recording) -> None:
    signals = list(recording.signals())
    whole, _ = track(new_tracker(recording), signals)
    list_of_channels = ChannelList()
    for cut, signal in enumerate(signals, start=1):
        list_of_channels.note(signal)
        if cut % EVERY:
            continue
        at = signal.at
        there: list[LinkDown | LinkUp | Snapshot] = [LinkDown(at), LinkUp(at), list_of_channels.at(at)]
        events, _ = track(new_tracker(recording), [*signals[:cut], *there, *signals[cut:]])
        once_each(events)
        assert customer_effects(events) == customer_effects(whole), cut


@pytest.mark.parametrize("lost", [1, 4])
@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_what_a_broken_link_swallows_is_made_up_for_by_the_list(recording: Recording, lost: int) -> None:
    signals = list(recording.signals())
    whole, _ = track(new_tracker(recording), signals)
    channels = ChannelList()
    for cut in range(len(signals) - lost):
        channels.note(signals[cut])
        if cut % EVERY:
            continue
        later = copy.deepcopy(channels)
        for signal in signals[cut + 1 : cut + 1 + lost]:
            later.note(signal)
        at = signals[cut + lost].at
        there: list[LinkDown | LinkUp | Snapshot] = [LinkDown(signals[cut].at), LinkUp(at), later.at(at)]
        tracker = new_tracker(recording)
        events, _ = track(tracker, [*signals[: cut + 1], *there, *signals[cut + 1 + lost :]])
        once_each(events)
        forgotten_none(events, tracker.calls())
        before, _ = track(new_tracker(recording), signals[: cut + 1])
        assert outcomes(events).items() >= seen_to_begin(whole, before).items(), cut


def outcomes(events: list[CallEvent]) -> dict[str, object]:
    return {event.call.call_id: event.call.outcome for event in events if isinstance(event, CallEnded)}


def seen_to_begin(whole: list[CallEvent], before: list[CallEvent]) -> dict[str, object]:
    """How the customers' calls ended that had begun before the link broke; an answer may have gone unseen."""
    begun = {e.call.call_id for e in before if e.call.direction is not Direction.INTERNAL}
    seen = {e.call.call_id for e in before if isinstance(e, CallAnswered)}
    unseen = {e.call.call_id for e in whole if isinstance(e, CallAnswered)} - seen
    return {name: outcome for name, outcome in outcomes(whole).items() if name in begun - unseen}


@pytest.mark.parametrize("name", ["in_queue_answered_customer_hangs_up", "in_direct_answered", "in_queue_abandoned"])
@pytest.mark.parametrize("later", [1, 3, 6])
def test_a_call_whose_first_event_was_missed_keeps_its_name_and_is_put_right_by_the_list(name: str, later: int) -> None:
    recording = next(one for one in RECORDINGS if one.name == f"asterisk-22/{name}")
    signals = list(recording.signals())
    whole, _ = track(new_tracker(recording), signals)
    first = next(n for n, signal in enumerate(signals) if isinstance(signal, ChannelCreated))
    second = next(n for n, signal in enumerate(signals) if n > first and isinstance(signal, ChannelCreated))
    channels = ChannelList()
    for signal in signals[: second + later]:
        channels.note(signal)
    listed = channels.at(signals[second + later - 1].at)
    heard = [*signals[:first], *signals[first + 1 : second + later], listed, *signals[second + later :]]
    events, left = track(new_tracker(recording), heard)
    assert customer_effects(events) == customer_effects(whole)
    assert ends(events) == ends(whole)
    assert len(left) == 1
