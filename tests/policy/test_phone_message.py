"""Which ringing phone is told in writing who calls."""

from __future__ import annotations

import pytest

from daemon.call.events import AgentRinging, AgentRingingEnded, CallEvent
from daemon.call.model import Call, Direction, UserId
from daemon.call.number import NumberFormat
from daemon.call.signals import ChannelId, Endpoint
from daemon.policy import phone_message
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.policy.decision import MessagePhone, Reason, SkipPhoneMessage
from tests.factory import NOON, ringing

AN, CHANNEL, PHONE = UserId("an"), ChannelId("1795332859.1"), Endpoint("PJSIP/1001")
ON = CallSettings(notify_phone_message=True, number_format=NumberFormat.NATIONAL, language="en")


def rings(call: Call, endpoint: Endpoint | None = PHONE) -> CallEvent:
    return AgentRinging(NOON, call, AN, CHANNEL, endpoint)


def test_the_agents_own_phone_is_told_the_number_as_it_is_configured() -> None:
    assert phone_message.decide(rings(ringing()), Rulebook(ON), NOON) == [
        MessagePhone(ringing(), AN, PHONE, "0901701234", "en", Reason.PHONE_RINGS)
    ]
    withheld = ringing(number=None)
    (decision,) = phone_message.decide(rings(withheld), Rulebook(ON), NOON)
    assert isinstance(decision, MessagePhone)
    assert decision.number is None


@pytest.mark.parametrize(
    ("event", "settings", "reason"),
    [
        (rings(ringing()), CallSettings(), Reason.PHONE_MESSAGE_SWITCH_OFF),
        (
            rings(ringing()),
            CallSettings(notify_incoming_calls=False, notify_phone_message=True),
            Reason.NOTIFICATION_SWITCH_OFF,
        ),
        (rings(ringing(), None), ON, Reason.PHONE_ELSEWHERE),
        (rings(ringing(direction=Direction.OUTGOING)), ON, Reason.NOT_INCOMING),
        (rings(ringing(direction=Direction.INTERNAL)), ON, Reason.NOT_INCOMING),
    ],
)
def test_no_other_phone_is_and_the_reason_is_named(event: CallEvent, settings: CallSettings, reason: Reason) -> None:
    (decision,) = phone_message.decide(event, Rulebook(settings), NOON)
    assert isinstance(decision, SkipPhoneMessage)
    assert decision.reason is reason


def test_a_phone_that_stops_ringing_is_told_nothing() -> None:
    assert phone_message.decide(AgentRingingEnded(NOON, ringing(), AN, CHANNEL), Rulebook(ON), NOON) == []
