"""Tickets of a commit: one per merge key, each call in at most one. It must never count a call twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.sqlite import insert

from daemon.call.model import CallId, PbxName
from daemon.policy.decision import OpenTicket, TicketKind
from daemon.store.row import compact_json, ticket_of
from daemon.store.statement import each_of
from daemon.store.tables import ticket_calls, tickets
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
_INSERT = insert(tickets).returning(tickets.c.merge_key, tickets.c.ticket_id)
_UPDATE = (
    update(tickets)
    .where(tickets.c.ticket_id == bindparam("id"))
    .values(
        status=bindparam("new_status"),
        missed_count=bindparam("new_missed_count"),
        updated_at=bindparam("new_updated_at"),
        closed_at=bindparam("new_closed_at"),
        closed_reason=bindparam("new_closed_reason"),
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
    fresh: set[str]
    merges: Counter[str] = field(default_factory=Counter)
    entered: list[dict[str, object]] = field(default_factory=list)

    def enter(self, unit: Unit) -> Ticketing:
        key = call_key(unit)
        wanted = opening(unit)
        change = None
        if wanted is not None and key not in self.of_call:
            change = self._take_in(unit, wanted)
            self.of_call[key] = change.ticket.ticket_id
        return Ticketing(self.of_call.get(key), change)

    def _take_in(self, unit: Unit, wanted: OpenTicket) -> TicketChange:
        before = self.tickets[wanted.merge_key]
        created = wanted.merge_key in self.fresh
        self.fresh.discard(wanted.merge_key)
        after = _joined(before, unit) if created else _merged(before, unit, wanted.kind)
        self.tickets[wanted.merge_key] = after
        self.merges[wanted.merge_key] += not created
        self.entered.append(
            {
                "pbx": unit.call.pbx,
                "call_id": unit.call.call_id,
                "ticket_id": int(after.ticket_id),
                "position": len(before.call_ids),
            }
        )
        return TicketChange(after, created)


def open_tickets(units: Sequence[Unit]) -> Work[list[Ticketing]]:
    """One answer per unit, in order. The calls themselves must be written before."""
    of_call = yield from _tickets_of_calls({call_key(unit) for unit in units})
    entering = _entering(units, of_call)
    if not entering:
        return [Ticketing(of_call.get(call_key(unit)), None) for unit in units]
    known = yield from _known_tickets(entering)
    fresh = yield from _insert_tickets({key: unit for key, unit in entering.items() if key not in known})
    book = _Book(of_call, known | fresh, set(fresh))
    answers = [book.enter(unit) for unit in units]
    yield Query(_UPDATE, [_changes(book.tickets[key], merges) for key, merges in book.merges.items() if merges])
    yield Query(_INSERT_CALL, book.entered)
    return answers


def opening(unit: Unit) -> OpenTicket | None:
    return next((decision for decision in unit.decisions if isinstance(decision, OpenTicket)), None)


def call_key(unit: Unit) -> CallKey:
    return unit.call.pbx, unit.call.call_id


def _entering(units: Iterable[Unit], of_call: dict[CallKey, str]) -> dict[str, Unit]:
    """Merge keys that will take in a call, each with the first unit that asks for it."""
    taken = set(of_call)
    entering: dict[str, Unit] = {}
    for unit in units:
        wanted = opening(unit)
        if wanted is not None and call_key(unit) not in taken:
            taken.add(call_key(unit))
            entering.setdefault(wanted.merge_key, unit)
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


def _insert_tickets(first_units: dict[str, Unit]) -> Work[dict[str, Ticket]]:
    """The new tickets, still without calls, by merge key."""
    if not first_units:
        return {}
    rows = {key: _new_row(unit) for key, unit in first_units.items()}
    ids = yield Query(_INSERT, list(rows.values()))
    defaults = {"note": "", "closed_at": None, "closed_reason": None}
    return {
        row["merge_key"]: ticket_of({**rows[row["merge_key"]], **defaults, "ticket_id": row["ticket_id"]}, ())
        for row in ids
    }


def _new_row(unit: Unit) -> dict[str, object]:
    wanted, call = opening(unit), unit.call
    assert wanted is not None
    missed = _counts_as_missed(wanted.kind)
    return {
        "merge_key": wanted.merge_key,
        "kind": wanted.kind.value,
        "status": TicketStatus.OPEN.value,
        "customer_number": call.customer_number,
        "hotline": call.hotline,
        "queue": call.queue,
        "assignee": None if missed else call.user_id,  # who talks to the customer works on the ticket
        "missed_count": int(missed),
        "reason": wanted.reason.value,
        "opened_at": unit.at,
        "updated_at": unit.at,
    }


def _joined(ticket: Ticket, unit: Unit) -> Ticket:
    return replace(ticket, call_ids=(*ticket.call_ids, unit.call.call_id))


def _merged(ticket: Ticket, unit: Unit, kind: TicketKind) -> Ticket:
    """One more call in a ticket; a closed one is open again: a further missed call is never lost in it."""
    reopened = TicketStatus.OPEN if ticket.status is TicketStatus.CLOSED else ticket.status
    return replace(
        _joined(ticket, unit),
        status=reopened,
        missed_count=ticket.missed_count + _counts_as_missed(kind),
        updated_at=max(ticket.updated_at, unit.at),
        closed_at=None,
        closed_reason=None,
    )


def _counts_as_missed(kind: TicketKind) -> bool:
    return kind in (TicketKind.MISSED_INCOMING, TicketKind.MISSED_OUTGOING)


def _changes(ticket: Ticket, merges: int) -> dict[str, object]:
    return {
        "merges": merges,
        "id": int(ticket.ticket_id),
        "new_status": ticket.status.value,
        "new_missed_count": ticket.missed_count,
        "new_updated_at": ticket.updated_at,
        "new_closed_at": ticket.closed_at,
        "new_closed_reason": ticket.closed_reason,
    }
