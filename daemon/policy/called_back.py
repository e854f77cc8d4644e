"""When missed calls are made good: an agent talks to the customer, so nobody has to call him back any more."""

from __future__ import annotations

from daemon.call.events import CallAnswered, CallEvent
from daemon.call.model import Call, Direction
from daemon.call.signals import UnixMs
from daemon.policy.call_settings import MissedCallMerge, Rulebook
from daemon.policy.decision import CloseMissed, Decision, Reason


def decide(event: CallEvent, rules: Rulebook, now: UnixMs) -> list[Decision]:  # noqa: ARG001 - a policy's signature
    """Close the customer's missed calls of before, whichever way he was reached.

    Where queues have tickets of their own, a customer who gets through to one queue has not reached the others; an
    agent who calls him has.
    """
    if not isinstance(event, CallAnswered) or event.call.direction is Direction.INTERNAL:
        return []
    call = event.call
    if call.customer_number is None:
        return []
    if call.direction is Direction.OUTGOING:
        return [CloseMissed(call, Reason.CALLED_BACK, every_queue=True)]
    return [CloseMissed(call, Reason.CUSTOMER_GOT_THROUGH, every_queue=not _queues_apart(call, rules))]


def _queues_apart(call: Call, rules: Rulebook) -> bool:
    return (
        rules.settings.missed_call_merge is MissedCallMerge.INCOMING_PER_QUEUE_AND_OUTGOING and call.queue is not None
    )
