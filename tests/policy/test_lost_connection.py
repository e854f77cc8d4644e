"""When a lost call is hung up, by the settings of the moment, and who is told of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.call.events import CallAnswered, CallEnded, ConnectionLost, ConnectionRestored, ConnectionStillLost
from daemon.call.model import Call, CallState, ConnectionLoss, HangupReason, LostSide
from daemon.call.signals import ChannelId, UnixMs
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.policy.decision import AnnounceCall, Decision, HangUpCall, Reason
from daemon.policy.lost_connection import decide
from tests.factory import NOON, answered

PHONE = ChannelId("1795332859.1")
LOST = replace(answered(), lost=ConnectionLoss(PHONE, LostSide.AGENT, NOON, 400))


def rules(seconds: int) -> Rulebook:
    return Rulebook(CallSettings(disconnect_timeout_seconds=seconds))


def at(seconds: float) -> UnixMs:
    return UnixMs(NOON + round(1000 * seconds))


def still(seconds: float, n: int) -> list[Decision]:
    return decide(ConnectionStillLost(at(seconds), LOST, round(1000 * seconds)), rules(n), at(seconds))


@pytest.mark.parametrize(
    ("lost_for", "n", "hung_up"), [(9.999, 10, False), (10, 10, True), (5, 5, True), (999, 0, False)]
)
def test_a_call_is_hung_up_when_it_has_been_lost_for_n_seconds_and_never_with_0(
    lost_for: float, n: int, hung_up: bool
) -> None:
    expected = [HangUpCall(LOST, PHONE, Reason.CONNECTION_LOST)] if hung_up else []
    assert still(lost_for, n) == expected


def test_the_setting_of_this_moment_counts_for_a_call_that_is_lost_already() -> None:
    assert still(20, 60) == []
    assert still(20, 15) != []
    assert still(21, 0) == []


def test_what_waited_in_a_queue_of_ours_does_not_count_as_lost() -> None:
    assert decide(ConnectionStillLost(at(4), LOST, 4_000), rules(5), at(60)) == []


def test_a_loss_that_is_found_late_is_told_and_hung_up_at_once() -> None:
    told, hang_up = decide(ConnectionLost(at(7), LOST, 7_000), rules(5), at(7))
    assert isinstance(told, AnnounceCall)
    assert isinstance(hang_up, HangUpCall)


def told(decisions: list[Decision]) -> list[tuple[str | None, str]]:
    return [(d.connection and d.connection.value, d.about) for d in decisions if isinstance(d, AnnounceCall)]


def test_lost_restored_and_hung_up_are_told_each_once_and_by_its_own_key() -> None:
    assert told(decide(ConnectionLost(at(4), LOST, 4_000), rules(60), at(4))) == [("lost", f"lost:{at(4)}")]
    restored = ConnectionRestored(at(9), answered(), LOST.lost)  # type: ignore[arg-type]
    assert told(decide(restored, rules(60), at(9))) == [("restored", f"restored:{at(9)}")]
    assert told(decide(CallEnded(at(70), over(HangupReason.CONNECTION_LOST)), rules(60), at(70))) == [
        ("hung_up", "hung_up:")
    ]


def test_a_call_that_ended_by_itself_was_not_hung_up() -> None:
    assert decide(CallEnded(at(30), over(None)), rules(60), at(30)) == []
    assert decide(CallAnswered(NOON, answered()), rules(60), NOON) == []


def over(reason: HangupReason | None) -> Call:
    return replace(LOST, state=CallState.ENDED, ended_at=at(30), hangup_reason=reason)
