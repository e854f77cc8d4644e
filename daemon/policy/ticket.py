"""Which calls get a ticket, and which missed calls share one.

The merge key *is* the rule: calls with the same key share a ticket, and the store keeps the key unique.
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from daemon.call.events import CallAnswered, CallEnded, CallEvent
from daemon.call.model import Call, Direction, Outcome
from daemon.call.signals import UnixMs
from daemon.policy.call_settings import CallSettings, MissedCallMerge, Rulebook
from daemon.policy.decision import Decision, OpenTicket, Reason, SkipTicket, TicketKind

_KINDS = {
    (Direction.INCOMING, Outcome.ANSWERED): TicketKind.INCOMING,
    (Direction.OUTGOING, Outcome.ANSWERED): TicketKind.OUTGOING,
    (Direction.INCOMING, Outcome.MISSED): TicketKind.MISSED_INCOMING,
    (Direction.OUTGOING, Outcome.MISSED): TicketKind.MISSED_OUTGOING,
}

_MERGED_KINDS = {
    MissedCallMerge.INCOMING: {TicketKind.MISSED_INCOMING},
    MissedCallMerge.NONE: set[TicketKind](),
    MissedCallMerge.INCOMING_AND_OUTGOING: {TicketKind.MISSED_INCOMING, TicketKind.MISSED_OUTGOING},
    MissedCallMerge.INCOMING_PER_QUEUE_AND_OUTGOING: {TicketKind.MISSED_INCOMING, TicketKind.MISSED_OUTGOING},
}


def decide(event: CallEvent, rules: Rulebook, now: UnixMs) -> list[Decision]:  # noqa: ARG001 - a policy's signature
    """Open an answered call's ticket at the moment of answer, a missed call's when it ends."""
    match event:
        case CallAnswered(call=call):
            return [_for_call(call, rules)]
        case CallEnded(call=call) if call.outcome is Outcome.ANSWERED and call.direction is not Direction.INTERNAL:
            return [SkipTicket(call, Reason.TICKET_MADE_AT_ANSWER)]
        case CallEnded(call=call):
            return [_for_call(call, rules)]
        case _:
            return []


def _for_call(call: Call, rules: Rulebook) -> Decision:
    refused = _refusal(call, rules)
    if refused is not None:
        return SkipTicket(call, refused)
    assert call.outcome is not None
    kind = _KINDS[call.direction, call.outcome]
    key, reason = _merge_key(call, kind, rules.settings)
    return OpenTicket(call, kind, key, reason)


def _refusal(call: Call, rules: Rulebook) -> Reason | None:
    if call.direction is Direction.INTERNAL:
        return Reason.INTERNAL_CALL
    if call.outcome is None:
        return Reason.CUSTOMER_NEVER_REACHED
    if not rules.settings.auto_create_tickets:
        return Reason.GLOBAL_SWITCH_OFF
    through_queue = call.direction is Direction.INCOMING and call.queue is not None
    if through_queue and call.queue is not None and not rules.queue_creates_tickets(call.queue):
        return Reason.QUEUE_SWITCH_OFF
    return None


def _merge_key(call: Call, kind: TicketKind, settings: CallSettings) -> tuple[str, Reason]:
    alone = f"call|{call.pbx}|{call.call_id}|{kind.value}"
    if call.outcome is Outcome.ANSWERED:
        return alone, Reason.CALL_ANSWERED
    if call.customer_number is None:
        return alone, Reason.MISSED_ANONYMOUS
    mode = settings.missed_call_merge
    if kind not in _MERGED_KINDS[mode]:
        return alone, Reason.MISSED_NOT_MERGED_BY_MODE
    shared = f"{kind.value}|{_day(call.started_at, settings.time_zone)}|{call.customer_number}"
    if mode is MissedCallMerge.INCOMING_PER_QUEUE_AND_OUTGOING and kind is TicketKind.MISSED_INCOMING:
        # A queue's group and that of calls through no queue must differ even from a queue with an empty name.
        group = "no queue" if call.queue is None else f"queue|{call.queue}"
        return f"{shared}|{group}", Reason.MISSED_MERGED_BY_QUEUE
    return shared, Reason.MISSED_MERGED_BY_CUSTOMER


def _day(started_at: UnixMs, time_zone: str) -> str:
    """Find the calendar day on the wall clock of the operator, whatever daylight saving did."""
    return datetime.fromtimestamp(started_at / 1000, UTC).astimezone(ZoneInfo(time_zone)).date().isoformat()
