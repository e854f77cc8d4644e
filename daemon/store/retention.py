"""What is older than the operator keeps it.

Never an open ticket or its calls, a living call, or what waits in the outbox.
Candidates are found by the reader; the writer looks at each again and deletes a few in a transaction.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, Table, bindparam, delete, exists, func, or_, select, true, tuple_, update

from daemon.call.model import CallState
from daemon.call.signals import UnixMs
from daemon.policy.call_settings import CallSettings
from daemon.store.audit import By, note
from daemon.store.outbox import PENDING
from daemon.store.reader import Reader
from daemon.store.statement import each_of
from daemon.store.tables import (
    call_agents,
    call_moments,
    calls,
    deliveries,
    delivery_attempts,
    screen_pops,
    ticket_calls,
    ticket_events,
    tickets,
)
from daemon.store.values import TicketStatus
from daemon.store.work import Query, Row, Work

BATCH: Final = 100
"""Rows of a transaction: a few milliseconds, in which no call is written."""

AT_ONCE: Final = 2_000
_DAY_MS: Final = 86_400_000
_CLOSED: Final = TicketStatus.CLOSED.value


class Keeping(StrEnum):
    """What has a period of its own, in the order in which it is cleaned."""

    DELIVERIES = "deliveries"
    NOTES = "notes"
    TICKETS = "tickets"
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class Period:
    """Of this kind goes what was over before this moment."""

    kind: Keeping
    days: int
    before: UnixMs


_OPEN_TICKET_OF_CALL = exists().where(
    ticket_calls.c.pbx == calls.c.pbx,
    ticket_calls.c.call_id == calls.c.call_id,
    tickets.c.ticket_id == ticket_calls.c.ticket_id,
    tickets.c.status != _CLOSED,
)
_LIVING_CALL_OF_DELIVERY = exists().where(
    calls.c.pbx == deliveries.c.pbx,
    calls.c.call_id == deliveries.c.call_id,
    calls.c.state != CallState.ENDED.value,
)
_NOTE_EVENT = exists().where(ticket_events.c.ticket_id == tickets.c.ticket_id, ticket_events.c.what == "note")
_BEFORE: Any = bindparam("b_before")
_CLOSED_LONG_AGO = (tickets.c.status == _CLOSED, tickets.c.updated_at < _BEFORE)
_OLD: Final[Mapping[Keeping, tuple[ColumnElement[bool], ...]]] = {
    Keeping.CALLS: (
        calls.c.started_at < _BEFORE,
        calls.c.ended_at < _BEFORE,
        calls.c.state == CallState.ENDED.value,
        ~_OPEN_TICKET_OF_CALL,
    ),
    Keeping.TICKETS: (
        *_CLOSED_LONG_AGO,
        # The last one stays: its number would be given again, and its deliveries be taken for those of the new one.
        tickets.c.ticket_id < select(func.max(tickets.c.ticket_id)).scalar_subquery().correlate(None),
    ),
    Keeping.NOTES: (*_CLOSED_LONG_AGO, or_(tickets.c.note != "", _NOTE_EVENT)),
    Keeping.DELIVERIES: (
        deliveries.c.created_at < _BEFORE,
        deliveries.c.status != PENDING,
        ~_LIVING_CALL_OF_DELIVERY,
    ),
}
_KEYS: Final[Mapping[Keeping, tuple[Any, ...]]] = {
    Keeping.CALLS: (calls.c.call_id, calls.c.pbx),
    Keeping.TICKETS: (tickets.c.ticket_id,),
    Keeping.NOTES: (tickets.c.ticket_id,),
    Keeping.DELIVERIES: (deliveries.c.delivery_id,),
}
_COUNT = {kind: select(func.count().label("n")).where(*_OLD[kind]) for kind in Keeping}
_FIND = {kind: select(*_KEYS[kind]).where(*_OLD[kind]).limit(AT_ONCE) for kind in Keeping}
_STILL = {kind: select(*_KEYS[kind]).where(*_OLD[kind], _KEYS[kind][0].in_(each_of("b_ids"))) for kind in Keeping}

_STILL[Keeping.CALLS] = _STILL[Keeping.CALLS].where(calls.c.pbx.in_(each_of("b_pbxs")))


def _of_call(table: Table) -> Any:
    return delete(table).where(table.c.pbx == bindparam("b_pbx"), table.c.call_id.in_(each_of("b_ids")))


def _of_ticket(table: Table) -> Any:
    return delete(table).where(table.c.ticket_id.in_(each_of("b_ids")))


def _agents_of_calls() -> Any:
    """By their whole key, which the calls tell: nothing else finds them without reading the table."""
    member = func.json_each(calls.c.user_ids).table_valued("value")
    keys = select(member.c.value, calls.c.started_at, calls.c.pbx, calls.c.call_id).select_from(
        calls.join(member, true())
    )
    those = keys.where(calls.c.pbx == bindparam("b_pbx"), calls.c.call_id.in_(each_of("b_ids")))
    mine = (call_agents.c.user_id, call_agents.c.started_at, call_agents.c.pbx, call_agents.c.call_id)
    return delete(call_agents).where(tuple_(*mine).in_(those))


_DELETE_CALLS = (
    _agents_of_calls(),
    *(_of_call(table) for table in (call_moments, screen_pops, ticket_calls, calls)),
)
_DELETE_TICKETS = tuple(_of_ticket(table) for table in (ticket_calls, ticket_events, tickets))
_DELETE_NOTES = (
    _of_ticket(ticket_events).where(ticket_events.c.what == "note"),
    update(tickets).where(tickets.c.ticket_id.in_(each_of("b_ids"))).values(note="", version=tickets.c.version + 1),
)
_DELETE_DELIVERIES = tuple(
    delete(table).where(table.c.delivery_id.in_(each_of("b_ids"))) for table in (delivery_attempts, deliveries)
)


def periods(settings: CallSettings, now: UnixMs) -> list[Period]:
    """Those that are set; none by default."""
    found = ((kind, getattr(settings, f"retention_days_{kind}")) for kind in Keeping)
    return [Period(kind, days, UnixMs(now - days * _DAY_MS)) for kind, days in found if days is not None]


async def count_old(reads: Reader, period: Period) -> int:
    (row,) = await reads.fetch(_COUNT[period.kind], {"b_before": period.before})
    return int(row["n"])


async def find_old(reads: Reader, period: Period) -> list[Row]:
    """At most AT_ONCE of them, to be deleted."""
    return await reads.fetch(_FIND[period.kind], {"b_before": period.before})


def delete_old(period: Period, found: Sequence[Row]) -> Work[int]:
    """Those of them that are still old; how many that were."""
    key = _KEYS[period.kind][0].name
    bound: dict[str, object] = {"b_before": period.before, "b_ids": json.dumps([row[key] for row in found])}
    if period.kind is Keeping.CALLS:  # both halves of their key, or each look would read the whole table
        bound["b_pbxs"] = json.dumps(sorted({row["pbx"] for row in found}))
    still = yield Query(_STILL[period.kind], bound)
    yield from _DELETE[period.kind](still)
    return len(still)


def note_cleaning(by: By, deleted: Mapping[Keeping, int]) -> Work[None]:
    return note(by, "retention.run", "retention", None, {kind.value: count for kind, count in deleted.items()})


def _delete_calls(found: Sequence[Row]) -> Work[None]:
    by_pbx = sorted(found, key=lambda row: str(row["pbx"]))
    for pbx, rows in groupby(by_pbx, lambda row: row["pbx"]):
        ids = json.dumps([row["call_id"] for row in rows])
        for statement in _DELETE_CALLS:
            yield Query(statement, {"b_pbx": pbx, "b_ids": ids})


def _delete_each(key: str, statements: Sequence[Any]) -> Callable[[Sequence[Row]], Work[None]]:
    def work(found: Sequence[Row]) -> Work[None]:
        ids = json.dumps([row[key] for row in found])
        for statement in statements:
            yield Query(statement, {"b_ids": ids})

    return work


_DELETE: Final[Mapping[Keeping, Callable[[Sequence[Row]], Work[None]]]] = {
    Keeping.CALLS: _delete_calls,
    Keeping.TICKETS: _delete_each("ticket_id", _DELETE_TICKETS),
    Keeping.NOTES: _delete_each("ticket_id", _DELETE_NOTES),
    Keeping.DELIVERIES: _delete_each("delivery_id", _DELETE_DELIVERIES),
}
