"""Lists of tickets, newest first, and the changes people make to one. Closing a ticket tells the subscribers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, null, select, update

from daemon.call.model import CallId
from daemon.call.signals import UnixMs
from daemon.policy.decision import EventType
from daemon.store.announcing import announce_ticket
from daemon.store.call_pages import number_spellings
from daemon.store.reader import Reader
from daemon.store.row import ticket_of
from daemon.store.tables import ticket_calls, tickets
from daemon.store.values import Delivery, Ticket, TicketStatus
from daemon.store.work import Query, Row, Work

CLOSED_BY_HAND = "manual"


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketFilter:
    """None matches every ticket; of `statuses` and `kinds` any one."""

    status: str | None = None
    kind: str | None = None
    queue: str | None = None
    hotline: str | None = None
    assignee: str | None = None
    customer_number: str | None = None
    statuses: tuple[str, ...] | None = None
    kinds: tuple[str, ...] | None = None
    unassigned: bool = False


@dataclass(frozen=True, slots=True)
class ChangedTicket:
    """What a change came to. `deliveries` are new in the outbox."""

    ticket: Ticket
    closed: bool
    deliveries: tuple[Delivery, ...]


_ALL = select(tickets)
_ONE = select(tickets).where(tickets.c.ticket_id == bindparam("b_id"))
_CALLS_OF = (
    select(ticket_calls.c.ticket_id, ticket_calls.c.call_id)
    .where(ticket_calls.c.ticket_id == bindparam("b_id"))
    .order_by(ticket_calls.c.position)
)
_UPDATE = (
    update(tickets)
    .where(tickets.c.ticket_id == bindparam("b_id"))
    .values(
        status=bindparam("b_status"),
        assignee=bindparam("b_assignee"),
        note=bindparam("b_note"),
        updated_at=bindparam("b_updated_at"),
        closed_at=bindparam("b_closed_at"),
        closed_reason=bindparam("b_closed_reason"),
        version=bindparam("b_version"),
    )
)


async def read_tickets(reads: Reader, wanted: TicketFilter, limit: int, after: int | None) -> list[Ticket]:
    """The order is that of opening, which never changes; `after` is a ticket id."""
    statement = _ALL.order_by(tickets.c.ticket_id.desc()).limit(limit)
    for name in ("status", "kind", "queue", "hotline", "assignee"):
        if (value := getattr(wanted, name)) is not None:
            statement = statement.where(tickets.c[name] == value)
    if wanted.statuses is not None:
        statement = statement.where(tickets.c.status.in_(wanted.statuses))
    if wanted.kinds is not None:
        statement = statement.where(tickets.c.kind.in_(wanted.kinds))
    if wanted.unassigned:
        statement = statement.where(tickets.c.assignee == null())
    if wanted.customer_number is not None:
        statement = statement.where(tickets.c.customer_number.in_(number_spellings(wanted.customer_number)))
    if after is not None:
        statement = statement.where(tickets.c.ticket_id < after)
    rows = await reads.fetch(statement, {})
    call_ids = await _call_ids(reads, [row["ticket_id"] for row in rows])
    return [ticket_of(row, call_ids[row["ticket_id"]]) for row in rows]


async def read_ticket(reads: Reader, ticket_id: int) -> Ticket | None:
    rows = await reads.fetch(_ONE, {"b_id": ticket_id})
    if not rows:
        return None
    return ticket_of(rows[0], _ids(await reads.fetch(_CALLS_OF, {"b_id": ticket_id})))


def change_ticket(ticket_id: int, values: Mapping[str, object], now: UnixMs) -> Work[ChangedTicket | None]:
    """Only the given ones of `status`, `assignee`, `note`. None: there is no such ticket. No change writes nothing."""
    rows = yield Query(_ONE, {"b_id": ticket_id})
    if not rows:
        return None
    call_ids = _ids((yield Query(_CALLS_OF, {"b_id": ticket_id})))
    row = _changed(rows[0], values, now)
    if row == rows[0]:
        return ChangedTicket(ticket_of(row, call_ids), closed=False, deliveries=())
    yield Query(_UPDATE, _update_values(row))
    ticket, closed = ticket_of(row, call_ids), row["closed_at"] is not None and rows[0]["closed_at"] is None
    deliveries: tuple[Delivery, ...] = ()
    if closed:
        deliveries = yield from announce_ticket(EventType.TICKET_CLOSED, ticket, str(row["version"]), now)
    return ChangedTicket(ticket, closed, deliveries)


def _changed(row: Row, values: Mapping[str, object], now: UnixMs) -> Row:
    """The row afterwards; the very same when the values are what it has already."""
    if all(row[name] == value for name, value in values.items()):
        return row
    after = {**row, **values, "updated_at": now, "version": row["version"] + 1}
    if after["status"] != TicketStatus.CLOSED.value:
        after |= {"closed_at": None, "closed_reason": None}
    elif row["status"] != TicketStatus.CLOSED.value:
        after |= {"closed_at": now, "closed_reason": CLOSED_BY_HAND}
    return after


def _update_values(row: Row) -> dict[str, object]:
    names = ("status", "assignee", "note", "updated_at", "closed_at", "closed_reason", "version")
    return {"b_id": row["ticket_id"], **{f"b_{name}": row[name] for name in names}}


async def _call_ids(reads: Reader, ticket_ids: Sequence[int]) -> Mapping[int, list[CallId]]:
    found: dict[int, list[CallId]] = defaultdict(list)
    if ticket_ids:
        columns = select(ticket_calls.c.ticket_id, ticket_calls.c.call_id)
        chosen = columns.where(ticket_calls.c.ticket_id.in_(ticket_ids)).order_by(ticket_calls.c.position)
        for row in await reads.fetch(chosen, {}):
            found[row["ticket_id"]].append(row["call_id"])
    return found


def _ids(rows: Iterable[Row]) -> list[CallId]:
    return [row["call_id"] for row in rows]
