"""What people change of tickets, one or many at a time. Closing one tells the subscribers; nothing goes unnoted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select, update

from daemon.errors import CallwardenError
from daemon.policy.decision import EventType
from daemon.store.announcing import announce_ticket
from daemon.store.audit import By
from daemon.store.row import compact_json, ticket_of
from daemon.store.tables import ticket_calls, tickets
from daemon.store.ticket_events import note_change
from daemon.store.values import Delivery, Ticket, TicketStatus
from daemon.store.work import Query, Row, Work

CLOSED_BY_HAND = "manual"
ADD_TAGS = "add_tags"


class TicketChanged(CallwardenError):
    """Somebody else changed the ticket meanwhile; read it again."""

    def __init__(self, ticket: Ticket) -> None:
        super().__init__()
        self.ticket = ticket


@dataclass(frozen=True, slots=True)
class ChangedTicket:
    """What a change came to. `deliveries` are new in the outbox."""

    ticket: Ticket
    changed: bool
    closed: bool
    deliveries: tuple[Delivery, ...]


_ONE = select(tickets).where(tickets.c.ticket_id == bindparam("b_id"))
_CALLS_OF = (
    select(ticket_calls.c.call_id)
    .where(ticket_calls.c.ticket_id == bindparam("b_id"))
    .order_by(ticket_calls.c.position)
)
_NAMES = ("status", "assignee", "note", "tags", "updated_at", "closed_at", "closed_reason", "version")
_UPDATE = (
    update(tickets)
    .where(tickets.c.ticket_id == bindparam("b_id"))
    .values({tickets.c[name]: bindparam(f"b_{name}") for name in _NAMES})
)


def change_ticket(
    ticket_id: int, values: Mapping[str, object], by: By, expected: int | None = None
) -> Work[ChangedTicket | None]:
    """Only the given ones of `status`, `assignee`, `note`, `tags` or `add_tags`. None: there is no such ticket.

    No change writes nothing. `expected` is the version the change was made on: raises TicketChanged when it is not the
    present one, unless nothing would change, as when somebody asks again because the answer was lost.
    """
    rows = yield Query(_ONE, {"b_id": ticket_id})
    if not rows:
        return None
    call_ids = [row["call_id"] for row in (yield Query(_CALLS_OF, {"b_id": ticket_id}))]
    before = rows[0]
    row = _changed(before, values, by)
    if row == before:
        return ChangedTicket(ticket_of(row, call_ids), changed=False, closed=False, deliveries=())
    if expected is not None and expected != before["version"]:
        raise TicketChanged(ticket_of(before, call_ids))
    yield Query(_UPDATE, {"b_id": ticket_id, **{f"b_{name}": row[name] for name in _NAMES}})
    yield from note_change(by, before, row)
    ticket, closed = ticket_of(row, call_ids), row["closed_at"] is not None and before["closed_at"] is None
    deliveries: tuple[Delivery, ...] = ()
    if closed:
        deliveries = yield from announce_ticket(EventType.TICKET_CLOSED, ticket, str(row["version"]), by.at)
    return ChangedTicket(ticket, True, closed, deliveries)


def change_tickets(ticket_ids: Sequence[int], values: Mapping[str, object], by: By) -> Work[list[ChangedTicket]]:
    """The same change for several, all or none; those that do not exist are left out."""
    changed = []
    for ticket_id in dict.fromkeys(ticket_ids):
        one = yield from change_ticket(ticket_id, values, by)
        if one is not None:
            changed.append(one)
    return changed


def _changed(row: Row, values: Mapping[str, object], by: By) -> Row:
    """The row afterwards; the very same when the values are what it has already."""
    kept = {name: value for name, value in values.items() if name not in ("tags", ADD_TAGS)}
    if "tags" in values or ADD_TAGS in values:
        kept["tags"] = compact_json(_tags(row, values))
    if all(row[name] == value for name, value in kept.items()):
        return row
    after = {**row, **kept, "updated_at": by.at, "version": row["version"] + 1}
    if after["status"] != TicketStatus.CLOSED.value:
        after |= {"closed_at": None, "closed_reason": None}
    elif row["status"] != TicketStatus.CLOSED.value:
        after |= {"closed_at": by.at, "closed_reason": CLOSED_BY_HAND}
    return after


def _tags(row: Row, values: Mapping[str, object]) -> list[str]:
    """Each once, whatever its capitals, in the order in which they came."""
    given, added = values.get("tags"), values.get(ADD_TAGS)
    first = given if isinstance(given, Sequence) else ticket_of(row, ()).tags
    more = added if isinstance(added, Sequence) else ()
    found: dict[str, str] = {}
    for tag in (*first, *more):
        found.setdefault(str(tag).casefold(), str(tag))
    return list(found.values())
