"""Which call events integrators are told of, each once."""

from __future__ import annotations

from daemon.call.events import AgentRinging, CallAnswered, CallEnded, CallEvent, CallStarted
from daemon.call.model import Call, Direction, Outcome, UserId
from daemon.call.signals import UnixMs
from daemon.policy.call_settings import Rulebook
from daemon.policy.decision import AnnounceCall, Decision, EventType, Reason


def decide(event: CallEvent, rules: Rulebook, now: UnixMs) -> list[Decision]:  # noqa: ARG001 - a policy's signature
    """Ringing once per agent (outgoing: once, for the customer's phone), answered, ended; missed for customers only."""
    match event:
        case CallStarted(call=call) if call.direction is Direction.OUTGOING:
            return [_tell(EventType.CALL_RINGING, call, call.user_id, "customer")]
        case AgentRinging(call=call, user_id=user_id) if call.direction is not Direction.OUTGOING:
            return [_tell(EventType.CALL_RINGING, call, user_id, user_id)]
        case CallAnswered(call=call):
            return [_tell(EventType.CALL_ANSWERED, call, call.user_id, call.direction.value)]
        case CallEnded(call=call) if is_missed(call):
            ended = _tell(EventType.CALL_ENDED, call, call.user_id, "")
            return [ended, _tell(EventType.CALL_MISSED, call, call.user_id, "")]
        case CallEnded(call=call):
            return [_tell(EventType.CALL_ENDED, call, call.user_id, "")]
        case _:
            return []


def is_missed(call: Call) -> bool:
    """A customer was missed; colleagues who do not answer each other are nobody's missed call."""
    return call.outcome is Outcome.MISSED and call.direction is not Direction.INTERNAL


def _tell(event_type: EventType, call: Call, user_id: UserId | None, about: str) -> AnnounceCall:
    return AnnounceCall(event_type, call, user_id, about, Reason.SUBSCRIBED)
