"""Lists of deliveries, newest first, and every attempt of one. Nothing here holds a secret: headers are not kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, and_, bindparam, func, or_, select, tuple_

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.store.outbox import COUNT_FAILED, FINISHED_WITHOUT_SUCCESS, PENDING
from daemon.store.reader import Reader
from daemon.store.tables import deliveries, delivery_attempts
from daemon.store.work import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """None matches every delivery; `webhook_id` '' the popups. `failed`: only what ended without success."""

    status: str | None = None
    failed: bool = False
    webhook_id: str | None = None
    event_type: str | None = None
    call_id: str | None = None


_PLACE = (deliveries.c.created_at, deliveries.c.delivery_id)
_ALL = select(deliveries).order_by(*(column.desc() for column in _PLACE))
_ONE = select(deliveries).where(deliveries.c.delivery_id == bindparam("b_id"))
_ATTEMPTS = (
    select(delivery_attempts)
    .where(delivery_attempts.c.delivery_id == bindparam("b_id"))
    .order_by(delivery_attempts.c.number.desc())
    .limit(100)
)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Of one target: how many deliveries wait, and how many were given up."""

    waiting: int = 0
    failed: int = 0


# By the index on `status`: what was delivered, nearly all of it, is not looked at.
_UNFINISHED = (
    select(deliveries.c.webhook_id, deliveries.c.status, func.count().label("count"))
    .where(deliveries.c.status.in_((PENDING, *FINISHED_WITHOUT_SUCCESS)))
    .group_by(deliveries.c.webhook_id, deliveries.c.status)
)


async def read_unfinished(reads: Reader) -> Mapping[str, Unfinished]:
    """By webhook id; '' are the popups."""
    found: dict[str, Unfinished] = {}
    for row in await reads.fetch(_UNFINISHED, {}):
        known, count = found.get(row["webhook_id"], Unfinished()), int(row["count"])
        if row["status"] == PENDING:
            found[row["webhook_id"]] = Unfinished(known.waiting + count, known.failed)
        else:
            found[row["webhook_id"]] = Unfinished(known.waiting, known.failed + count)
    return found


@dataclass(frozen=True, slots=True)
class Backlog:
    """Of one target: how many messages have waited for long, how many were given up lately, and why the last ones."""

    late: int = 0
    failed: int = 0
    error: str | None = None


_BACKLOG = (
    select(
        deliveries.c.webhook_id,
        deliveries.c.status,
        func.count().label("count"),
        func.max(deliveries.c.last_error).label("error"),
    )
    .where(
        or_(
            and_(deliveries.c.status == PENDING, deliveries.c.created_at < bindparam("b_late")),
            and_(deliveries.c.status.in_(FINISHED_WITHOUT_SUCCESS), deliveries.c.created_at >= bindparam("b_since")),
        )
    )
    .group_by(deliveries.c.webhook_id, deliveries.c.status)
)


async def read_backlog(reads: Reader, late: UnixMs, since: UnixMs) -> Mapping[str, Backlog]:
    """By webhook id, '' are the popups: what is older than `late` and waits, what was made from `since` and failed."""
    found: dict[str, Backlog] = {}
    for row in await reads.fetch(_BACKLOG, {"b_late": late, "b_since": since}):
        known, count = found.get(row["webhook_id"], Backlog()), int(row["count"])
        error = row["error"] or known.error
        if row["status"] == PENDING:
            found[row["webhook_id"]] = Backlog(known.late + count, known.failed, error)
        else:
            found[row["webhook_id"]] = Backlog(known.late, known.failed + count, error)
    return found


async def count_replayable(reads: Reader, webhook_id: str) -> int:
    """How many `replay_failed` would send again."""
    rows = await reads.fetch(COUNT_FAILED, {"b_webhook_id": webhook_id, "b_since": 0})
    return int(rows[0]["failed"])


async def read_deliveries(
    reads: Reader, wanted: DeliveryFilter, limit: int, after: Sequence[int | str] | None
) -> list[Row]:
    return list(await reads.fetch(deliveries_statement(wanted, limit, after), {}))


def deliveries_statement(wanted: DeliveryFilter, limit: int, after: Sequence[int | str] | None) -> Select[Any]:
    """Newest first."""
    statement = _ALL.limit(limit)
    for name in ("status", "webhook_id", "event_type", "call_id"):
        if (value := getattr(wanted, name)) is not None:
            statement = statement.where(deliveries.c[name] == value)
    if wanted.failed:
        statement = statement.where(deliveries.c.status.in_(FINISHED_WITHOUT_SUCCESS))
    if after is not None:
        statement = statement.where(tuple_(*_PLACE) < tuple_(*after))
    return statement


async def read_delivery(reads: Reader, delivery_id: str) -> Row | None:
    rows = await reads.fetch(_ONE, {"b_id": delivery_id})
    return rows[0] if rows else None


async def read_attempt_rows(reads: Reader, delivery_id: str) -> list[Row]:
    """The last hundred, oldest first."""
    rows = await reads.fetch(_ATTEMPTS, {"b_id": delivery_id})
    return list(reversed(rows))


async def read_attempts(reads: Reader, delivery_id: str) -> list[dict[str, object]]:
    """The same as the API shows them."""
    return [
        {
            "number": row["number"],
            "at": iso_utc(row["at"]),
            "status_code": row["status_code"],
            "latency_ms": row["latency_ms"],
            "error": row["error"],
            "answer": row["answer"],
        }
        for row in await read_attempt_rows(reads, delivery_id)
    ]


def delivery_json(row: Row) -> dict[str, object]:
    """The delivery object of the API. `webhook_id` is null for a popup; `body` is what was signed, byte for byte."""
    return {
        "delivery_id": row["delivery_id"],
        "webhook_id": row["webhook_id"] or None,
        "event_type": row["event_type"],
        "method": row["method"],
        "url": row["url"],
        "body": row["body"],
        "pbx": row["pbx"],
        "call_id": row["call_id"],
        "ticket_id": None if row["ticket_id"] is None else str(row["ticket_id"]),
        "user_id": row["user_id"],
        "status": row["status"],
        "attempt_count": row["attempt_count"],
        "next_attempt_at": iso_utc(row["next_attempt_at"]),
        "expires_at": iso_utc(row["expires_at"]),
        "created_at": iso_utc(row["created_at"]),
        "finished_at": iso_utc(row["finished_at"]),
        "last_status_code": row["last_status_code"],
        "last_error": row["last_error"],
    }


def delivery_place(row: Row) -> list[int | str]:
    """Where the next page begins."""
    return [row["created_at"], row["delivery_id"]]
