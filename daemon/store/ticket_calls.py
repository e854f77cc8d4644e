"""The calls of tickets: all of one, and the last of each of many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sqlalchemy import bindparam, select

from daemon.call.model import Call
from daemon.store.reader import Reader
from daemon.store.row import call_of, compact_json
from daemon.store.statement import each_of
from daemon.store.tables import calls, ticket_calls

_JOINED = select(calls, ticket_calls.c.ticket_id).join(
    ticket_calls, (ticket_calls.c.pbx == calls.c.pbx) & (ticket_calls.c.call_id == calls.c.call_id)
)
_OF_ONE = _JOINED.where(ticket_calls.c.ticket_id == bindparam("b_id")).order_by(ticket_calls.c.position)
_OF_MANY = _JOINED.where(ticket_calls.c.ticket_id.in_(each_of("ids"))).order_by(
    ticket_calls.c.ticket_id, ticket_calls.c.position
)


async def read_ticket_calls(reads: Reader, ticket_id: int) -> list[Call]:
    """In the order in which the ticket took them in."""
    return [call_of(row) for row in await reads.fetch(_OF_ONE, {"b_id": ticket_id})]


async def read_last_calls(reads: Reader, ticket_ids: Iterable[str]) -> Mapping[str, Call]:
    """By ticket."""
    ids = [int(ticket_id) for ticket_id in ticket_ids]
    rows = await reads.fetch(_OF_MANY, {"ids": compact_json(ids)}) if ids else []
    return {str(row["ticket_id"]): call_of(row) for row in rows}
