"""Lists of tickets, newest first, how many there are, and one. It never changes any."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, bindparam, exists, func, null, select

from daemon.call.model import CallId
from daemon.store.call_search import number_spellings
from daemon.store.number_search import NumberSearch
from daemon.store.reader import Reader
from daemon.store.row import ticket_of
from daemon.store.tables import ticket_calls, tickets
from daemon.store.values import Ticket
from daemon.store.work import Row


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
    number: NumberSearch | None = None
    tag: str | None = None


_ALL = select(tickets)
_ONE = select(tickets).where(tickets.c.ticket_id == bindparam("b_id"))
_CALLS_OF = (
    select(ticket_calls.c.ticket_id, ticket_calls.c.call_id)
    .where(ticket_calls.c.ticket_id == bindparam("b_id"))
    .order_by(ticket_calls.c.position)
)
_MOST_COUNTED = 1000


async def read_tickets(reads: Reader, wanted: TicketFilter, limit: int, after: int | None) -> list[Ticket]:
    """The order is that of opening, which never changes; `after` is a ticket id."""
    statement = _filtered(_ALL, wanted).order_by(tickets.c.ticket_id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(tickets.c.ticket_id < after)
    rows = await reads.fetch(statement, {})
    call_ids = await _call_ids(reads, [row["ticket_id"] for row in rows])
    return [ticket_of(row, call_ids[row["ticket_id"]]) for row in rows]


async def count_tickets(reads: Reader, wanted: TicketFilter) -> int:
    """At most a thousand: nobody needs to know it better, and it costs the same for ever."""
    found = _filtered(select(tickets.c.ticket_id), wanted).limit(_MOST_COUNTED).subquery()
    return int((await reads.fetch(select(func.count().label("count")).select_from(found), {}))[0]["count"])


async def read_ticket(reads: Reader, ticket_id: int) -> Ticket | None:
    rows = await reads.fetch(_ONE, {"b_id": ticket_id})
    if not rows:
        return None
    return ticket_of(rows[0], _ids(await reads.fetch(_CALLS_OF, {"b_id": ticket_id})))


def _filtered(statement: Select[Any], wanted: TicketFilter) -> Select[Any]:
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
    if wanted.number is not None:
        statement = statement.where(wanted.number.matches(tickets.c.customer_number))
    if wanted.tag is not None:
        labels = func.json_each(tickets.c.tags).table_valued("value")
        statement = statement.where(exists(select(labels.c.value).where(labels.c.value == wanted.tag)))
    return statement


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
