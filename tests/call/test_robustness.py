"""No order, loss or repetition of signals may raise, double an effect, or lose one that the truth still shows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from itertools import chain, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from daemon.ami.signal_reader import SignalReader
from daemon.call.directory import Directory
from daemon.call.events import AgentConnected, CallAnswered, CallEnded, CallEvent, CallStarted
from daemon.call.model import Direction
from daemon.call.signals import LinkDown, LinkUp, Signal, Snapshot
from tests.call.recorded import Recording, new_tracker, recordings, track
from tests.drawn import examples

RECORDINGS = recordings()
BY_NAME = {recording.name: recording for recording in RECORDINGS}


def once_each(events: Iterable[CallEvent]) -> None:
    """Started, answered and ended come once per call (answered once more if it turned outgoing), agents join once."""
    counts: Counter[object] = Counter()
    for event in events:
        match event:
            case CallStarted(call=call):
                counts["started", call.call_id, call.direction] += 1
            case CallAnswered(call=call):
                counts["answered", call.call_id, call.direction] += 1
            case CallEnded(call=call):
                counts["ended", call.call_id] += 1
            case AgentConnected(call=call, user_id=user_id):
                counts["connected", call.call_id, user_id, call.direction] += 1
            case _:
                pass
    assert [key for key, count in counts.items() if count > 1] == []


def customer_effects(events: Iterable[CallEvent]) -> set[tuple[object, ...]]:
    """The facts that tickets and pops are made of."""
    effects: set[tuple[object, ...]] = set()
    for event in events:
        if event.call.direction is Direction.INTERNAL:
            continue
        if isinstance(event, CallEnded):
            effects.add(("ended", event.call.call_id, event.call.outcome, event.call.customer_number))
        elif isinstance(event, AgentConnected):
            effects.add(("connected", event.call.call_id, event.user_id))
    return effects


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_every_signal_twice_changes_nothing(recording: Recording) -> None:
    signals = list(recording.signals())
    once, _ = track(new_tracker(recording), signals)
    twice, _ = track(new_tracker(recording), chain.from_iterable((s, s) for s in signals))
    once_each(twice)
    assert customer_effects(twice) == customer_effects(once)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_a_recording_played_twice_brings_no_call_back(recording: Recording) -> None:
    signals = [s for s in recording.signals() if not isinstance(s, Snapshot)]
    once, _ = track(new_tracker(recording), signals)
    twice, _ = track(new_tracker(recording), [*signals, *signals])
    once_each(twice)
    assert customer_effects(twice) == customer_effects(once)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_a_lost_and_regained_link_between_any_two_signals_loses_nothing(recording: Recording) -> None:
    signals = list(recording.signals())
    once, _ = track(new_tracker(recording), signals)
    for cut in range(1, len(signals), 7):
        at = signals[cut - 1].at
        events, _ = track(new_tracker(recording), [*signals[:cut], LinkDown(at), LinkUp(at), *signals[cut:]])
        once_each(events)
        assert customer_effects(events) == customer_effects(once)


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_a_stream_cut_anywhere_is_followed_as_far_as_it_goes(recording: Recording) -> None:
    signals = list(recording.signals())
    full, _ = track(new_tracker(recording), signals)
    for cut in range(0, len(signals), 5):
        tracker = new_tracker(recording)
        events, _ = track(tracker, signals[:cut])
        once_each(events)
        assert events == full[: len(events)]


@pytest.mark.parametrize("recording", RECORDINGS, ids=lambda recording: recording.name)
def test_when_everything_has_vanished_every_call_is_closed_with_an_honest_outcome(recording: Recording) -> None:
    signals = list(recording.signals())
    for cut in range(0, len(signals), 5):
        tracker = new_tracker(recording)
        before, _ = track(tracker, signals[:cut])
        at = signals[cut].at
        after, _ = track(tracker, [LinkDown(at), LinkUp(at), Snapshot(at, ())])
        once_each([*before, *after])
        assert tracker.calls() == []
        for event in after:
            if isinstance(event, CallEnded) and event.call.missed_reason is not None:
                assert event.call.answered_at is None


@settings(max_examples=examples(150), deadline=None, suppress_health_check=list(HealthCheck))
@given(
    names=st.lists(st.sampled_from(sorted(BY_NAME)), min_size=1, max_size=3, unique=True),
    seed=st.integers(0, 2**32 - 1),
    loss=st.sampled_from([0.0, 0.05, 0.3]),
    swap=st.sampled_from([0.0, 0.1, 1.0]),
)
def test_lost_swapped_and_mixed_up_signals_never_raise_or_double(
    names: list[str], seed: int, loss: float, swap: float
) -> None:
    chance = random.Random(seed)
    signals: list[Signal] = list(chain.from_iterable(BY_NAME[name].signals() for name in names))
    kept = [signal for signal in signals if chance.random() >= loss]
    if swap == 1.0:
        chance.shuffle(kept)
    else:
        for index in range(len(kept) - 1):
            if chance.random() < swap:
                kept[index], kept[index + 1] = kept[index + 1], kept[index]
    events, _ = track(new_tracker(BY_NAME[names[0]]), kept)
    once_each(events)


@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.sampled_from(sorted(BY_NAME)), cuts=st.lists(st.integers(0, 200_000), max_size=12))
def test_bytes_split_anywhere_give_the_same_events(name: str, cuts: list[int]) -> None:
    recording = BY_NAME[name]
    data = recording.parts[0].read_bytes()
    whole = SignalReader(live=False).feed(data)
    reader, pieces = SignalReader(live=False), []
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    for start, stop in pairwise(places):
        pieces += reader.feed(data[start:stop])
    assert pieces == whole


def test_without_any_agent_every_call_is_between_outsiders_and_nothing_pops() -> None:
    for recording in RECORDINGS:
        tracker = new_tracker(recording)
        tracker.directory = Directory()
        events, _ = track(tracker, recording.signals())
        once_each(events)
        assert not [event for event in events if isinstance(event, AgentConnected)]
