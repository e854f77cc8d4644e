"""Tickets of a commit: one per merge key, each call in at most one. It must never count a call twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from daemon.call.model import CallId, PbxName
from daemon.policy.decision import OpenTicket, Reason, TicketKind
from daemon.store.row import compact_json, ticket_of
from daemon.store.statement import each_of
from daemon.store.tables import ticket_calls, tickets
from daemon.store.ticket_events import ANOTHER_CALL, INSERT_EVENT, event_row
from daemon.store.ticket_numbers import LAST_GIVEN
from daemon.store.values import Ticket, TicketChange, TicketStatus, Unit
from daemon.store.work import Query, Work

CallKey = tuple[PbxName, CallId]

_TICKETS_OF_CALLS = select(ticket_calls.c.call_id, ticket_calls.c.ticket_id).where(
    ticket_calls.c.pbx == bindparam("pbx"), ticket_calls.c.call_id.in_(each_of("ids"))
)
_BY_MERGE_KEY = select(tickets).where(tickets.c.merge_key.in_(each_of("keys")))
_CALLS_OF_TICKETS = (
    select(ticket_calls.c.ticket_id, ticket_calls.c.call_id)
    .where(ticket_calls.c.ticket_id.in_(each_of("ids")))
    .order_by(ticket_calls.c.ticket_id, ticket_calls.c.position)
)
_INSERT = insert(tickets)
_UPDATE = (
    update(tickets)
    .where(tickets.c.ticket_id == bindparam("id"))
    .values(
        status=bindparam("new_status"),
        missed_count=bindparam("new_missed_count"),
        opened_at=bindparam("new_opened_at"),
        updated_at=bindparam("new_updated_at"),
        closed_at=bindparam("new_closed_at"),
        closed_reason=bindparam("new_closed_reason"),
        caught_up=bindparam("new_caught_up"),
        waiting_since=bindparam("new_waiting_since"),
        version=tickets.c.version + bindparam("merges"),
    )
)
_INSERT_CALL = insert(ticket_calls).on_conflict_do_nothing()


@dataclass(frozen=True, slots=True)
class Ticketing:
    """What a unit did to tickets, and the ticket its call belongs to after it."""

    ticket_id: str | None
    change: TicketChange | None


@dataclass(slots=True)
class _Book:
    """Units are entered in order. `tickets` and `of_call` are as of the last one entered."""

    of_call: dict[CallKey, str]
    tickets: dict[str, Ticket]
    last_id: int
    opened: dict[str, Reason] = field(default_factory=dict)
    merges: Counter[str] = field(default_factory=Counter)
    entered: list[dict[str, object]] = field(default_factory=list)
    reopened: list[dict[str, object]] = field(default_factory=list)

    def enter(self, unit: Unit) -> Ticketing:
        key = call_key(unit)
        wanted = opening(unit)
        change = None
        if wanted is not None and key not in self.of_call:
            change = self._take_in(unit, wanted)
            self.of_call[key] = change.ticket.ticket_id
        return Ticketing(self.of_call.get(key), change)

    def _take_in(self, unit: Unit, wanted: OpenTicket) -> TicketChange:
        before = self.tickets.get(wanted.merge_key)
        if before is None:
            self.last_id += 1
            self.opened[wanted.merge_key] = wanted.reason
            after = _opened(str(self.last_id), unit, wanted.kind)
        else:
            self.merges[wanted.merge_key] += 1
            after = _merged(before, unit, wanted.kind)
            if before.status is TicketStatus.CLOSED:
                self.reopened.append(_reopening(after, unit))
        self.tickets[wanted.merge_key] = after
        self.entered.append(_entry(after, unit))
        return TicketChange(after, created=before is None)

    def new_rows(self) -> list[dict[str, object]]:
        """The tickets opened, as they are after the last unit."""
        return [_new_row(key, self.tickets[key], reason, 1 + self.merges[key]) for key, reason in self.opened.items()]

    def changed_rows(self) -> list[dict[str, object]]:
        known = ((key, merges) for key, merges in self.merges.items() if key not in self.opened)
        return [_changed_row(self.tickets[key], merges) for key, merges in known]


def open_tickets(units: Sequence[Unit]) -> Work[list[Ticketing]]:
    """One answer per unit, in order. The calls themselves must be written before."""
    of_call = yield from _tickets_of_calls({call_key(unit) for unit in units})
    entering = _entering(units, of_call)
    if not entering:
        return [Ticketing(of_call.get(call_key(unit)), None) for unit in units]
    known = yield from _known_tickets(entering)
    # The writer is alone in its transaction, so the next ids are known without asking for each.
    last = 0 if len(known) == len(entering) else (yield Query(LAST_GIVEN))[0]["last"]
    book = _Book(of_call, known, last)
    answers = [book.enter(unit) for unit in units]
    yield Query(_INSERT, book.new_rows())
    yield Query(_UPDATE, book.changed_rows())
    yield Query(_INSERT_CALL, book.entered)
    yield Query(INSERT_EVENT, book.reopened)
    return answers


def opening(unit: Unit) -> OpenTicket | None:
    return next((decision for decision in unit.decisions if isinstance(decision, OpenTicket)), None)


def call_key(unit: Unit) -> CallKey:
    return unit.call.pbx, unit.call.call_id


def _entering(units: Iterable[Unit], of_call: dict[CallKey, str]) -> set[str]:
    """The merge keys that will take in a call."""
    taken = set(of_call)
    entering: set[str] = set()
    for unit in units:
        wanted = opening(unit)
        if wanted is not None and call_key(unit) not in taken:
            taken.add(call_key(unit))
            entering.add(wanted.merge_key)
    return entering


def _tickets_of_calls(keys: Iterable[CallKey]) -> Work[dict[CallKey, str]]:
    ids: dict[PbxName, list[CallId]] = {}
    for pbx, call_id in keys:
        ids.setdefault(pbx, []).append(call_id)
    found: dict[CallKey, str] = {}
    for pbx, call_ids in ids.items():
        rows = yield Query(_TICKETS_OF_CALLS, {"pbx": pbx, "ids": compact_json(call_ids)})
        found |= {(pbx, row["call_id"]): str(row["ticket_id"]) for row in rows}
    return found


def _known_tickets(keys: Iterable[str]) -> Work[dict[str, Ticket]]:
    rows = yield Query(_BY_MERGE_KEY, {"keys": compact_json(list(keys))})
    if not rows:
        return {}
    pairs = yield Query(_CALLS_OF_TICKETS, {"ids": compact_json([row["ticket_id"] for row in rows])})
    call_ids: dict[int, list[CallId]] = {row["ticket_id"]: [] for row in rows}
    for pair in pairs:
        call_ids[pair["ticket_id"]].append(pair["call_id"])
    return {row["merge_key"]: ticket_of(row, call_ids[row["ticket_id"]]) for row in rows}


def _opened(ticket_id: str, unit: Unit, kind: TicketKind) -> Ticket:
    call, missed = unit.call, _counts_as_missed(kind)
    return Ticket(
        ticket_id=ticket_id,
        kind=kind,
        status=TicketStatus.OPEN,
        customer_number=call.customer_number,
        hotline=call.hotline,
        queue=call.queue,
        assignee=None if missed else call.user_id,  # who talks to the customer works on the ticket
        note="",
        call_ids=(call.call_id,),
        missed_count=int(missed),
        opened_at=unit.at,
        updated_at=unit.at,
        closed_at=None,
        closed_reason=None,
        waiting_since=unit.at if missed else None,
        caught_up=call.caught_up,
    )


def _merged(ticket: Ticket, unit: Unit, kind: TicketKind) -> Ticket:
    """One more call in a ticket; a closed one is open again: a further missed call is never lost in it."""
    was_closed = ticket.status is TicketStatus.CLOSED
    waited = None if was_closed else ticket.waiting_since
    return replace(
        ticket,
        call_ids=(*ticket.call_ids, unit.call.call_id),
        status=TicketStatus.OPEN if was_closed else ticket.status,
        waiting_since=unit.at if waited is None else min(waited, unit.at),
        missed_count=ticket.missed_count + _counts_as_missed(kind),
        opened_at=min(ticket.opened_at, unit.at),  # a call read afterwards may be the first
        updated_at=max(ticket.updated_at, unit.at),
        closed_at=None,
        closed_reason=None,
        caught_up=ticket.caught_up or unit.call.caught_up,
        version=ticket.version + 1,
    )


def _counts_as_missed(kind: TicketKind) -> bool:
    return kind in (TicketKind.MISSED_INCOMING, TicketKind.MISSED_OUTGOING)


def _entry(ticket: Ticket, unit: Unit) -> dict[str, object]:
    return {
        "pbx": unit.call.pbx,
        "call_id": unit.call.call_id,
        "ticket_id": int(ticket.ticket_id),
        "position": len(ticket.call_ids) - 1,
    }


def _reopening(ticket: Ticket, unit: Unit) -> dict[str, object]:
    closed, now_open = TicketStatus.CLOSED.value, ticket.status.value
    event = event_row(ticket.ticket_id, ticket.version, "status", closed, now_open, unit.at)
    return {**event, "reason": ANOTHER_CALL}


def _new_row(merge_key: str, ticket: Ticket, reason: Reason, version: int) -> dict[str, object]:
    return {
        "ticket_id": int(ticket.ticket_id),
        "merge_key": merge_key,
        "kind": ticket.kind.value,
        "status": ticket.status.value,
        "customer_number": ticket.customer_number,
        "hotline": ticket.hotline,
        "queue": ticket.queue,
        "assignee": ticket.assignee,
        "missed_count": ticket.missed_count,
        "reason": reason.value,
        "opened_at": ticket.opened_at,
        "updated_at": ticket.updated_at,
        "waiting_since": ticket.waiting_since,
        "caught_up": ticket.caught_up,
        "version": version,
    }


def _changed_row(ticket: Ticket, merges: int) -> dict[str, object]:
    return {
        "id": int(ticket.ticket_id),
        "merges": merges,
        "new_status": ticket.status.value,
        "new_missed_count": ticket.missed_count,
        "new_opened_at": ticket.opened_at,
        "new_updated_at": ticket.updated_at,
        "new_closed_at": ticket.closed_at,
        "new_closed_reason": ticket.closed_reason,
        "new_waiting_since": ticket.waiting_since,
        "new_caught_up": ticket.caught_up,
    }
