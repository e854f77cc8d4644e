"""How a call ended: why it was missed and who ended it, from what was seen of its legs."""

from __future__ import annotations

from daemon.call.live import LiveCall, Role
from daemon.call.model import Direction, EndedBy, MissedReason, Outcome
from daemon.call.signals import DialStatus

_REFUSED = 21  # Q.850: call rejected
_BUSY = 17  # Q.850: user busy

_FROM_DIAL = {
    DialStatus.BUSY: MissedReason.BUSY,
    DialStatus.NO_ANSWER: MissedReason.NO_ANSWER,
    DialStatus.CANCEL: MissedReason.CANCELLED,
    DialStatus.CONGESTION: MissedReason.FAILED,
    DialStatus.UNAVAILABLE: MissedReason.UNREACHABLE,
}

_BY_ROLE = {Role.AGENT: EndedBy.AGENT, Role.CUSTOMER: EndedBy.CUSTOMER}


def outcome_of(call: LiveCall) -> Outcome | None:
    """None where there was nothing to miss: a call between agents, or a click-to-call that never left the house."""
    if call.answered_at is not None:
        return Outcome.ANSWERED
    if call.direction is Direction.INCOMING:
        return Outcome.MISSED
    if call.direction is Direction.OUTGOING:
        never_reached = call.originated and not call.customer_dialled
        return None if never_reached else Outcome.MISSED
    return Outcome.MISSED if call.announced and not call.originated else None


def missed_reason_of(call: LiveCall) -> MissedReason:
    """The most telling reason; call only for a missed call whose end was seen."""
    if call.direction is Direction.INCOMING:
        return _incoming_reason(call)
    if call.direction is Direction.OUTGOING:
        return _outgoing_reason(call)
    return _FROM_DIAL.get(call.last_agent_dial or DialStatus.OTHER, MissedReason.NO_ANSWER)


def _incoming_reason(call: LiveCall) -> MissedReason:
    if call.forwarded:
        return MissedReason.FORWARDED
    if call.abandoned:
        return MissedReason.ABANDONED
    if call.queue is not None:
        return MissedReason.QUEUE_TIMEOUT
    if call.last_agent_dial is not None and call.last_agent_dial is not DialStatus.CANCEL:
        return _FROM_DIAL.get(call.last_agent_dial, MissedReason.UNREACHABLE)
    return MissedReason.NO_ANSWER if call.agent_rang else MissedReason.LEFT_IN_IVR


def _outgoing_reason(call: LiveCall) -> MissedReason:
    if call.hangup_cause == _REFUSED:
        return MissedReason.REJECTED
    if call.last_customer_dial is None:
        return MissedReason.CANCELLED if call.hung_up_by is Role.AGENT else MissedReason.FAILED
    return _FROM_DIAL.get(call.last_customer_dial, MissedReason.FAILED)


def ended_by_of(call: LiveCall) -> EndedBy:
    """Who hung up: the phone that asked for it; a refusal is the customer's; else the PBX."""
    if call.hangup_reason is not None:
        return EndedBy.SYSTEM
    asked = _BY_ROLE.get(call.hung_up_by) if call.hung_up_by else None
    if asked is not None:
        return asked
    refused = call.direction is Direction.OUTGOING and call.outcome is Outcome.MISSED
    if refused and (call.last_customer_dial is DialStatus.BUSY or call.hangup_cause in {_BUSY, _REFUSED}):
        return EndedBy.CUSTOMER
    return EndedBy.SYSTEM
