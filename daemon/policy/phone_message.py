"""Whether a phone that rings is told in writing who calls, on its own display."""

from __future__ import annotations

from daemon.call.events import AgentRinging, CallEvent
from daemon.call.model import Call, Direction
from daemon.call.number import write_number
from daemon.call.signals import Endpoint, UnixMs
from daemon.policy.call_settings import CallSettings, Rulebook
from daemon.policy.decision import Decision, MessagePhone, Reason, SkipPhoneMessage


def decide(event: CallEvent, rules: Rulebook, now: UnixMs) -> list[Decision]:  # noqa: ARG001 - a policy's signature
    """Only while the agent's own phone rings for a customer. Each new ring asks again: whoever sends tells once."""
    if not isinstance(event, AgentRinging):
        return []
    call, settings, endpoint = event.call, rules.settings, event.endpoint
    skipped = _reason_to_skip(call, settings, endpoint)
    if skipped is not None or endpoint is None:
        return [SkipPhoneMessage(call, event.user_id, skipped or Reason.PHONE_ELSEWHERE)]
    number = None
    if call.customer_number is not None:
        number = write_number(call.customer_number, call.customer_number_raw, settings.number_format, settings.country)
    return [MessagePhone(call, event.user_id, endpoint, number or None, settings.language, Reason.PHONE_RINGS)]


def _reason_to_skip(call: Call, settings: CallSettings, endpoint: Endpoint | None) -> Reason | None:
    if call.direction is not Direction.INCOMING:
        return Reason.NOT_INCOMING
    if not settings.notify_incoming_calls:
        return Reason.NOTIFICATION_SWITCH_OFF
    if not settings.notify_phone_message:
        return Reason.PHONE_MESSAGE_SWITCH_OFF
    return Reason.PHONE_ELSEWHERE if endpoint is None else None
