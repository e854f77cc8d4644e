"""Who is told that a phone rings: the agent whose phone it is, and nobody else."""

from __future__ import annotations

from daemon.call.events import AgentRinging, AgentRingingEnded, CallEvent
from daemon.call.model import Direction
from daemon.call.signals import UnixMs
from daemon.policy.call_settings import Rulebook
from daemon.policy.decision import Decision, NotifyAgent, Reason, SkipNotification, StopNotifying


def decide(event: CallEvent, rules: Rulebook, now: UnixMs) -> list[Decision]:  # noqa: ARG001 - a policy's signature
    """Tell the agent while the phone rings for a customer; take it back the moment it stops."""
    match event:
        case AgentRinging(call=call, user_id=user_id) if call.direction is not Direction.INCOMING:
            return [SkipNotification(call, user_id, Reason.NOT_INCOMING)]
        case AgentRinging(call=call, user_id=user_id) if not rules.settings.notify_incoming_calls:
            return [SkipNotification(call, user_id, Reason.NOTIFICATION_SWITCH_OFF)]
        case AgentRinging(call=call, user_id=user_id, channel=channel):
            return [NotifyAgent(call, user_id, channel, Reason.PHONE_RINGS)]
        case AgentRingingEnded(call=call, user_id=user_id, channel=channel):
            # Also when the switch was turned off meanwhile: stopping twice is harmless, ringing on is not.
            return [StopNotifying(call, user_id, channel, Reason.PHONE_STOPPED)]
        case _:
            return []
