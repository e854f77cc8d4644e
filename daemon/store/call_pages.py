"""Lists of calls, newest first. A page begins after a call, not after a count: new calls move nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, and_, bindparam, exists, func, or_, select, tuple_

from daemon.call.model import Call
from daemon.call.rendering import call_json
from daemon.call.signals import UnixMs
from daemon.store.reader import Reader
from daemon.store.row import call_of
from daemon.store.tables import calls, ticket_calls
from daemon.store.work import Row


@dataclass(frozen=True, slots=True)
class CallEntry:
    """A call and its ticket."""

    call: Call
    ticket_id: str | None

    def as_json(self) -> dict[str, object]:
        return call_json(self.call, self.ticket_id)

    def place(self) -> list[int | str]:
        """Where the next page begins."""
        return [self.call.started_at, self.call.pbx, self.call.call_id]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFilter:
    """None matches every call. `started_from` counts in, `started_before` does not."""

    pbx: str | None = None
    direction: str | None = None
    state: str | None = None
    outcome: str | None = None
    queue: str | None = None
    hotline: str | None = None
    user_id: str | None = None
    customer_number: str | None = None
    started_from: UnixMs | None = None
    started_before: UnixMs | None = None


_WITH_TICKET = select(calls, ticket_calls.c.ticket_id).select_from(
    calls.outerjoin(ticket_calls, and_(ticket_calls.c.pbx == calls.c.pbx, ticket_calls.c.call_id == calls.c.call_id))
)
_BY_ID = _WITH_TICKET.where(calls.c.call_id == bindparam("b_call_id")).order_by(calls.c.pbx)
_PLACE = (calls.c.started_at, calls.c.pbx, calls.c.call_id)


async def read_calls(
    reads: Reader, wanted: CallFilter, limit: int, after: Sequence[int | str] | None
) -> list[CallEntry]:
    statement = _filtered(_WITH_TICKET, wanted).order_by(*(column.desc() for column in _PLACE)).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*_PLACE) < tuple_(*after))
    return [_entry_of(row) for row in await reads.fetch(statement, {})]


async def find_call(reads: Reader, call_id: str) -> list[CallEntry]:
    """The calls of this id, by PBX: several PBXs may draw the same one."""
    return [_entry_of(row) for row in await reads.fetch(_BY_ID, {"b_call_id": call_id})]


def _filtered(statement: Select[tuple[object, ...]], wanted: CallFilter) -> Select[tuple[object, ...]]:
    for name in ("pbx", "direction", "state", "outcome", "queue", "hotline"):
        if (value := getattr(wanted, name)) is not None:
            statement = statement.where(calls.c[name] == value)
    if wanted.user_id is not None:
        statement = statement.where(_took_part(wanted.user_id))
    if wanted.customer_number is not None:
        statement = statement.where(calls.c.customer_number.in_(number_spellings(wanted.customer_number)))
    if wanted.started_from is not None:
        statement = statement.where(calls.c.started_at >= wanted.started_from)
    if wanted.started_before is not None:
        statement = statement.where(calls.c.started_at < wanted.started_before)
    return statement


def _took_part(user_id: str) -> ColumnElement[bool]:
    """Who answered last, or is in the list of those who talked."""
    members = func.json_each(calls.c.user_ids).table_valued("value")
    return or_(calls.c.user_id == user_id, exists(select(members.c.value).where(members.c.value == user_id)))


def number_spellings(number: str) -> list[str]:
    """As given, and as E.164: an unescaped + in a query arrives as a space."""
    bare = number.strip()
    return [bare, f"+{bare}"] if bare.isdigit() else [bare]


def _entry_of(row: Row) -> CallEntry:
    ticket_id = row["ticket_id"]
    return CallEntry(call_of(row), None if ticket_id is None else str(ticket_id))
