"""Missed tickets that a later talk with the customer has made good. It must never close over a newer missed call."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, null, select, update

from daemon.call.signals import UnixMs
from daemon.policy.decision import CloseMissed, EventType, TicketKind
from daemon.store.announcing import Announcement
from daemon.store.row import compact_json, ticket_of
from daemon.store.statement import each_of
from daemon.store.tables import calls, ticket_calls, tickets
from daemon.store.ticket_events import INSERT_EVENT, event_row
from daemon.store.values import Ticket, TicketStatus, Unit
from daemon.store.work import Query, Row, Work

_WHOLE_SECOND_MS = 1000  # records have no finer times; who calls again in the same second did so after the first call
_MISSED = (TicketKind.MISSED_INCOMING.value, TicketKind.MISSED_OUTGOING.value)

_WAITING = select(tickets).where(
    tickets.c.customer_number.in_(each_of("numbers")),
    tickets.c.kind.in_(_MISSED),
    tickets.c.status != TicketStatus.CLOSED.value,
)
_CALLS_OF = (
    select(ticket_calls.c.ticket_id, ticket_calls.c.call_id, calls.c.ended_at)
    .join(calls, (calls.c.pbx == ticket_calls.c.pbx) & (calls.c.call_id == ticket_calls.c.call_id))
    .where(ticket_calls.c.ticket_id.in_(each_of("ids")))
    .order_by(ticket_calls.c.ticket_id, ticket_calls.c.position)
)
_CLOSE = (
    update(tickets)
    .where(tickets.c.ticket_id == bindparam("b_id"))
    .values(
        status=TicketStatus.CLOSED.value,
        updated_at=bindparam("b_updated_at"),
        closed_at=bindparam("b_at"),
        closed_reason=bindparam("b_reason"),
        waiting_since=null(),
        reached_at=bindparam("b_reached_at"),
        call_back_seconds=bindparam("b_call_back_seconds"),
        version=tickets.c.version + 1,
    )
)


@dataclass(frozen=True, slots=True)
class ClosedTicket:
    """`before` is its status until then."""

    ticket: Ticket
    before: str
    at: UnixMs

    def announcement(self, unit: Unit) -> Announcement:
        event, ticket = EventType.TICKET_CLOSED, self.ticket
        key = f"{event.value}:{ticket.ticket_id}:{ticket.version}"
        return Announcement(key, event, self.at, unit.call, ticket.ticket_id, None, ticket.as_json)


def close_missed(units: Sequence[Unit]) -> Work[list[list[ClosedTicket]]]:
    """What each unit closed, in order. The units' own tickets must be written before."""
    wanted = [closing(unit) for unit in units]
    numbers = sorted({one.call.customer_number for one in wanted if one and one.call.customer_number})
    waiting = (yield Query(_WAITING, {"numbers": compact_json(numbers)})) if numbers else []
    if not waiting:
        return [[] for _ in units]
    pairs = yield Query(_CALLS_OF, {"ids": compact_json([row["ticket_id"] for row in waiting])})
    open_ = {row["ticket_id"]: row for row in waiting}
    answers = [_closed(unit, one, open_, pairs) for unit, one in zip(units, wanted, strict=True)]
    yield Query(_CLOSE, [_row(closed) for unit in answers for closed in unit])
    yield Query(INSERT_EVENT, [_event(closed) for unit in answers for closed in unit])
    return answers


def closing(unit: Unit) -> CloseMissed | None:
    return next((decision for decision in unit.decisions if isinstance(decision, CloseMissed)), None)


def _closed(unit: Unit, wanted: CloseMissed | None, open_: dict[int, Row], pairs: Sequence[Row]) -> list[ClosedTicket]:
    """Takes what it closes out of `open_`."""
    if wanted is None:
        return []
    due = [row for row in open_.values() if _is_due(row, wanted, unit.at, pairs)]
    for row in due:
        del open_[row["ticket_id"]]
    return [_close(row, unit.at, wanted.reason.value, pairs) for row in due]


def _is_due(row: Row, wanted: CloseMissed, at: UnixMs, pairs: Iterable[Row]) -> bool:
    """By the PBX's own times: a call missed since the talk began is another one to call back."""
    if row["customer_number"] != wanted.call.customer_number:
        return False
    was_called = row["kind"] == TicketKind.MISSED_OUTGOING.value  # by us, through no queue
    if not wanted.every_queue and not was_called and row["queue"] != wanted.call.queue:
        return False
    until = at + _WHOLE_SECOND_MS if wanted.call.caught_up else at
    return all(pair["ended_at"] is not None and pair["ended_at"] < until for pair in _of(row, pairs))


def _close(row: Row, at: UnixMs, reason: str, pairs: Iterable[Row]) -> ClosedTicket:
    ticket = ticket_of(row, [pair["call_id"] for pair in _of(row, pairs)])
    closed = replace(
        ticket,
        status=TicketStatus.CLOSED,
        updated_at=max(ticket.updated_at, at),
        closed_at=at,
        closed_reason=reason,
        version=row["version"] + 1,
        waiting_since=None,
    )
    if ticket.waiting_since is not None:  # else somebody opened it again by hand: nothing new was made good
        closed = replace(closed, reached_at=at, call_back_seconds=max(0, at - ticket.waiting_since) // 1000)
    return ClosedTicket(closed, row["status"], at)


def _of(row: Mapping[str, object], pairs: Iterable[Row]) -> list[Row]:
    return [pair for pair in pairs if pair["ticket_id"] == row["ticket_id"]]


def _row(closed: ClosedTicket) -> dict[str, object]:
    ticket = closed.ticket
    return {
        "b_id": int(ticket.ticket_id),
        "b_at": closed.at,
        "b_updated_at": ticket.updated_at,
        "b_reason": ticket.closed_reason,
        "b_reached_at": ticket.reached_at,
        "b_call_back_seconds": ticket.call_back_seconds,
    }


def _event(closed: ClosedTicket) -> dict[str, object]:
    ticket = closed.ticket
    event = event_row(ticket.ticket_id, ticket.version, "status", closed.before, ticket.status.value, closed.at)
    waited = ticket.call_back_seconds if ticket.reached_at == closed.at else None
    return {**event, "reason": ticket.closed_reason, "call_back_seconds": waited}
