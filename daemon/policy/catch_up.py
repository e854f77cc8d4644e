"""What is decided about a call that was read afterwards: tickets by the same rules, nothing that was for its moment.

No popups, no notifications, no `call.ringing` and `call.answered`: systems take those as something that happens now.
"""

from __future__ import annotations

from dataclasses import replace

from daemon.call.events import CallAnswered, CallEnded
from daemon.call.model import Call, CallState, Direction, Outcome
from daemon.call.signals import UnixMs
from daemon.policy import announcement, called_back, ticket
from daemon.policy.call_settings import Rulebook
from daemon.policy.decision import DURABLE, Decision

Happened = CallAnswered | CallEnded


def happened(call: Call) -> list[Happened]:
    """What the call's life would have told that still matters, with the call as it was then."""
    assert call.ended_at is not None
    ended = CallEnded(call.ended_at, call)
    if call.outcome is not Outcome.ANSWERED or call.answered_at is None:
        return [ended]
    return [CallAnswered(call.answered_at, _when_answered(call)), ended]


def decide(event: Happened, rules: Rulebook, now: UnixMs) -> tuple[Decision, ...]:
    """The decisions that are kept."""
    found = [*ticket.decide(event, rules, now), *called_back.decide(event, rules, now)]
    if isinstance(event, CallEnded):
        found += announcement.decide(event, rules, now)
    return tuple(one for one in found if isinstance(one, DURABLE))


def _when_answered(call: Call) -> Call:
    """Later agents were not in it yet."""
    first = call.user_ids if call.direction is Direction.INTERNAL else call.user_ids[:1]
    return replace(
        call,
        state=CallState.ANSWERED,
        ended_at=None,
        ended_by=None,
        user_ids=first,
        user_id=first[-1] if first else None,
    )
