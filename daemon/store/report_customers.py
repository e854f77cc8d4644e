"""Customers who called in vain and were not served since: whom nobody talked to in a call that began later."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Subquery, exists, func, literal_column, null, select

from daemon.call.model import Direction, Outcome
from daemon.call.signals import UnixMs
from daemon.store.reader import Reader
from daemon.store.report_calls import Asked, conditions
from daemon.store.tables import calls

_CUSTOMER: Final[ColumnElement[str]] = literal_column("+calls.customer_number")
"""Says the same to SQLite, but leads into no index: the missed calls of the stretch come in the order of time."""

_LATER: Final = calls.alias("later")


@dataclass(frozen=True, slots=True, kw_only=True)
class NotServed:
    """`missed` of his calls in the stretch, the last one of them at `last_at`."""

    customer_number: str
    missed: int
    last_at: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """`customers` were missed in the stretch, `not_served` of them still are; anonymous calls have no customer."""

    customers: int
    not_served: int
    anonymous_calls: int


async def read_missed(reads: Reader, asked: Asked) -> Missed:
    all_, still = missed_statement(asked).subquery(), not_served_statement(asked)
    nobody = select(func.count()).where(*conditions(asked), *_is_missed(), calls.c.customer_number == null())
    rows = await reads.fetch_slowly(
        select(
            select(func.count()).select_from(all_).scalar_subquery().label("customers"),
            select(func.count()).select_from(still.subquery()).scalar_subquery().label("not_served"),
            nobody.scalar_subquery().label("anonymous_calls"),
        )
    )
    return Missed(**rows[0])


async def read_not_served(reads: Reader, asked: Asked, limit: int, after: int = 0) -> list[NotServed]:
    """Who called last comes first; `after` so many of them."""
    one = not_served_statement(asked).subquery()
    ordered = select(one).order_by(one.c.last_at.desc(), one.c.customer_number).limit(limit).offset(after)
    return [NotServed(**row) for row in await reads.fetch_slowly(ordered)]


def _is_missed() -> Iterator[ColumnElement[bool]]:
    yield calls.c.direction == Direction.INCOMING.value
    yield calls.c.outcome == Outcome.MISSED.value


def missed_statement(asked: Asked) -> Select[*tuple[Any, ...]]:
    return (
        select(
            _CUSTOMER.label("customer_number"),
            func.count().label("missed"),
            func.max(calls.c.started_at).label("last_at"),
        )
        .where(*conditions(asked), *_is_missed(), calls.c.customer_number != null())
        .group_by(_CUSTOMER)
    )


def not_served_statement(asked: Asked) -> Select[tuple[Any, ...]]:
    one: Subquery = missed_statement(asked).subquery("missed")
    served = (
        select(_LATER.c.call_id)
        .where(
            _LATER.c.customer_number == one.c.customer_number,
            _LATER.c.started_at > one.c.last_at,
            _LATER.c.outcome == Outcome.ANSWERED.value,
        )
        .correlate(one)
    )
    return select(one).where(~exists(served))
