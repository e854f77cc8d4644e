"""Who is told that a phone rings, and which events integrators hear of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from daemon.call.events import (
    AgentConnected,
    AgentRinging,
    AgentRingingEnded,
    CallAnswered,
    CallChanged,
    CallEnded,
    CallEvent,
    CallStarted,
)
from daemon.call.model import Direction, UserId
from daemon.call.signals import ChannelId
from daemon.policy import announcement, notification
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.policy.decision import AnnounceCall, NotifyAgent, Reason, SkipNotification, StopNotifying
from tests.factory import NOON, answered, missed, ringing

AN, PHONE = UserId("an"), ChannelId("1795332859.1")
ON, OFF = Rulebook(), Rulebook(CallSettings(notify_incoming_calls=False))
OUTGOING = ringing(direction=Direction.OUTGOING)


def test_the_agent_whose_phone_rings_is_told_and_told_when_it_stops() -> None:
    assert notification.decide(AgentRinging(NOON, ringing(), AN, PHONE), ON, NOON) == [
        NotifyAgent(ringing(), AN, PHONE, Reason.PHONE_RINGS)
    ]
    assert notification.decide(AgentRingingEnded(NOON, ringing(), AN, PHONE), ON, NOON) == [
        StopNotifying(ringing(), AN, PHONE, Reason.PHONE_STOPPED)
    ]


@pytest.mark.parametrize(
    ("call", "rules", "reason"),
    [(ringing(), OFF, Reason.NOTIFICATION_SWITCH_OFF), (OUTGOING, ON, Reason.NOT_INCOMING)],
)
def test_nobody_is_told_when_switched_off_or_of_calls_that_are_not_incoming(
    call: object, rules: Rulebook, reason: Reason
) -> None:
    (decision,) = notification.decide(AgentRinging(NOON, call, AN, PHONE), rules, NOON)  # type: ignore[arg-type]
    assert isinstance(decision, SkipNotification)
    assert decision.reason is reason


def test_ringing_stops_even_when_the_switch_was_turned_off_meanwhile() -> None:
    (decision,) = notification.decide(AgentRingingEnded(NOON, ringing(), AN, PHONE), OFF, NOON)
    assert isinstance(decision, StopNotifying)


def told(event: CallEvent) -> list[tuple[str, str]]:
    decisions = announcement.decide(event, ON, NOON)
    assert all(isinstance(decision, AnnounceCall) for decision in decisions)
    return [(d.event_type.value, d.about) for d in decisions if isinstance(d, AnnounceCall)]


INTERNAL = Direction.INTERNAL


@pytest.mark.parametrize(
    ("event", "announced"),
    [
        (CallStarted(NOON, ringing()), []),
        (CallStarted(NOON, OUTGOING), [("call.ringing", "customer")]),
        (AgentRinging(NOON, ringing(), AN, PHONE), [("call.ringing", "an")]),
        (AgentRinging(NOON, OUTGOING, AN, PHONE), []),  # a click-to-call rings its own agent
        (AgentRingingEnded(NOON, ringing(), AN, PHONE), []),
        (CallChanged(NOON, ringing()), []),
        (AgentConnected(NOON, answered(), AN, NOON), []),
        (CallAnswered(NOON, answered()), [("call.answered", "incoming")]),
        (CallEnded(NOON, answered()), [("call.ended", "")]),
        (CallEnded(NOON, missed()), [("call.ended", ""), ("call.missed", "")]),
        (CallEnded(NOON, missed(direction=INTERNAL)), [("call.ended", "")]),
        (CallEnded(NOON, replace(missed(direction=Direction.OUTGOING), outcome=None)), [("call.ended", "")]),
    ],
)
def test_integrators_hear_of_each_thing_once(event: CallEvent, announced: list[tuple[str, str]]) -> None:
    assert told(event) == announced
