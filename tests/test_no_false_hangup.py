"""No recorded call is hung up that should live, in the worst case: nobody's packets ever move when they are counted.

Then only the evidence of the events stands between a living call and the least N that can be set.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from daemon.call.signals import PacketsCounted, Signal, SteadyMs, UnixMs
from daemon.call.tracker import Tracker
from daemon.dispatch import decide
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.policy.decision import HangUpCall
from tests.call.recorded import Recording, new_tracker, recordings

STRICTEST = Rulebook(CallSettings(disconnect_timeout_seconds=5))
LOOK_MS = 250
DEAD = {
    "agent_phone_dies",
    "agent_phone_dies_hung_up_by_manager",
    "21_agent_phone_killed",
    "22_agent_phone_killed_returns",
}


@pytest.mark.parametrize("recording", recordings(), ids=lambda recording: recording.name)
def test_no_living_call_of_a_recording_is_hung_up(recording: Recording) -> None:
    tracker = new_tracker(recording)
    cut = [call for signal in with_looks(tracker, recording.signals()) for call in hung_up(tracker, signal)]
    assert bool(cut) <= (recording.name.rpartition("/")[2] in DEAD), cut


@pytest.mark.parametrize("name", ["21_agent_phone_killed", "22_agent_phone_killed_returns"])
def test_a_dead_phone_of_a_recording_is_found_and_no_other_side_is_blamed(name: str) -> None:
    [recording] = [one for one in recordings() if one.name == f"asterisk-22-first/{name}"]
    tracker = new_tracker(recording)
    looked = with_looks(tracker, recording.signals(), moving={"PJSIP/trunk"})
    cut = [decision for signal in looked for decision in hung_up(tracker, signal)]
    assert {decision.call.lost.side.value for decision in cut if decision.call.lost} == {"agent"}


def with_looks(tracker: Tracker, signals: Iterator[Signal], moving: set[str] = frozenset()) -> Iterator[Signal]:  # type: ignore[assignment]
    """The signals of a recording, and between them the looks that the daemon would have had."""
    now = 0
    endpoints: dict[str, str] = {}
    for signal in signals:
        for at in range(now + LOOK_MS, signal.at, LOOK_MS) if now else ():
            for channel in tracker.suspects(SteadyMs(UnixMs(at)), anybody=True):
                lives = endpoints.get(channel) in moving
                yield PacketsCounted(SteadyMs(UnixMs(at)), channel, at if lives else 400)
        now = max(now, signal.at)
        if hasattr(signal, "endpoint") and hasattr(signal, "channel"):
            endpoints[signal.channel] = signal.endpoint
        yield signal


def hung_up(tracker: Tracker, signal: Signal) -> list[HangUpCall]:
    decisions = [one for event in tracker.feed(signal) for one in decide(event, STRICTEST, event.at)]
    return [decision for decision in decisions if isinstance(decision, HangUpCall)]
