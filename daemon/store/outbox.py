"""The outbox on disk: what attempts came to, what is due, what is replayed. A finished delivery is never overwritten.

`attempt_count` counts since the last replay; the rows of `delivery_attempts` keep every attempt ever made.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import bindparam, false, func, insert, literal_column, or_, select, true, update

from daemon.call.model import CallId
from daemon.call.signals import UnixMs
from daemon.policy.retry import EVENT_LIFETIME_MS, POPUP_LIFETIME_MS
from daemon.store.audit import By, noted
from daemon.store.reader import Reader
from daemon.store.row import delivery_of
from daemon.store.statement import each_of
from daemon.store.tables import deliveries, delivery_attempts, webhooks
from daemon.store.values import Delivery, DeliveryStatus
from daemon.store.work import Query, Row, Work

Reads = Reader
"""The name under which the pages' reads know the reader."""

POPUP = "popup"
"""The event type of a screen pop's delivery."""

PENDING = DeliveryStatus.PENDING.value
FINISHED_WITHOUT_SUCCESS = (DeliveryStatus.FAILED.value, DeliveryStatus.EXPIRED.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One request that left the house, or tried to."""

    at: UnixMs
    status_code: int | None
    latency_ms: int
    error: str | None
    answer: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What an attempt at `url` came to. Without `attempt` its time ran out unsent; `disable` switches it off."""

    delivery_id: str
    webhook_id: str
    url: str
    at: UnixMs
    status: DeliveryStatus
    next_attempt_at: UnixMs | None
    error: str | None
    attempt: Attempt | None
    disable: str | None = None
    call_id: CallId | None = None
    """For the log alone."""


_COLUMNS = (
    deliveries.c.delivery_id,
    deliveries.c.webhook_id,
    deliveries.c.event_type,
    deliveries.c.method,
    deliveries.c.url,
    deliveries.c.body,
    deliveries.c.created_at,
    deliveries.c.expires_at,
    deliveries.c.attempt_count,
    deliveries.c.next_attempt_at,
    deliveries.c.pbx,
    deliveries.c.call_id,
    deliveries.c.user_id,
)

_NEXT_NUMBER = (
    select(func.coalesce(func.max(delivery_attempts.c.number), 0) + 1)
    .where(delivery_attempts.c.delivery_id == bindparam("b_id"))
    .scalar_subquery()
)

# Selected from `deliveries`, so that an attempt of a delivery cleaned away meanwhile is no error for the whole batch.
INSERT_ATTEMPT = insert(delivery_attempts).from_select(
    ["delivery_id", "number", "at", "status_code", "latency_ms", "error", "answer"],
    select(
        deliveries.c.delivery_id,
        _NEXT_NUMBER,
        bindparam("b_at", type_=delivery_attempts.c.at.type),
        bindparam("b_status_code", type_=delivery_attempts.c.status_code.type),
        bindparam("b_latency_ms", type_=delivery_attempts.c.latency_ms.type),
        bindparam("b_error", type_=delivery_attempts.c.error.type),
        bindparam("b_answer", type_=delivery_attempts.c.answer.type),
    ).where(deliveries.c.delivery_id == bindparam("b_id")),
)

SETTLE = (
    update(deliveries)
    .where(deliveries.c.delivery_id == bindparam("b_id"), deliveries.c.status == PENDING)
    .values(
        status=bindparam("b_status"),
        attempt_count=deliveries.c.attempt_count + bindparam("b_attempts"),
        next_attempt_at=bindparam("b_next_attempt_at"),
        finished_at=bindparam("b_finished_at"),
        last_status_code=bindparam("b_status_code"),
        last_error=bindparam("b_error"),
    )
)

DISABLE_WEBHOOK = (
    update(webhooks)
    .where(webhooks.c.webhook_id == bindparam("b_id"), webhooks.c.enabled == true())
    .values(enabled=false(), disabled_reason=bindparam("b_reason"), updated_at=bindparam("b_at"))
)

_COUNT_PENDING = select(func.count().label("pending")).select_from(deliveries).where(deliveries.c.status == PENDING)

SELECT_WEBHOOKS = select(webhooks.c.webhook_id, webhooks.c.url, webhooks.c.enabled).where(
    webhooks.c.webhook_id.in_(each_of("b_ids"))
)
READDRESS = (
    update(deliveries)
    .where(
        deliveries.c.status == PENDING,
        deliveries.c.webhook_id == bindparam("b_id"),
        deliveries.c.url != bindparam("b_url"),
    )
    .values(url=bindparam("b_url"), next_attempt_at=bindparam("b_now"))
)

# A webhook's present URL; of a popup, and of a webhook that was deleted, the one the delivery has.
_URL_NOW = func.coalesce(
    select(webhooks.c.url).where(webhooks.c.webhook_id == deliveries.c.webhook_id).scalar_subquery(), deliveries.c.url
)
SELECT_DELIVERY = select(*_COLUMNS, _URL_NOW.label("url_now")).where(deliveries.c.delivery_id == bindparam("b_id"))

REPLAY = (
    update(deliveries)
    .where(deliveries.c.delivery_id == bindparam("b_id"))
    .values(
        url=_URL_NOW,
        status=PENDING,
        attempt_count=0,
        next_attempt_at=bindparam("b_now"),
        expires_at=bindparam("b_expires_at"),
        finished_at=None,
    )
)

_FAILED_OF_WEBHOOK = (
    deliveries.c.webhook_id == bindparam("b_webhook_id"),
    deliveries.c.event_type != POPUP,  # a page opened hours later helps nobody
    deliveries.c.status.in_(FINISHED_WITHOUT_SUCCESS),
    deliveries.c.created_at >= bindparam("b_since"),
)
COUNT_FAILED = select(func.count().label("failed")).select_from(deliveries).where(*_FAILED_OF_WEBHOOK)
REPLAY_FAILED = (
    update(deliveries)
    .where(*_FAILED_OF_WEBHOOK)
    .values(
        url=_URL_NOW,
        status=PENDING,
        attempt_count=0,
        next_attempt_at=bindparam("b_now"),
        expires_at=bindparam("b_expires_at"),
        finished_at=None,
    )
)

_OVERDUE = (deliveries.c.status == PENDING, deliveries.c.expires_at <= bindparam("b_now"))
COUNT_OVERDUE = select(func.count().label("overdue")).select_from(deliveries).where(*_OVERDUE)
EXPIRE_OVERDUE = (
    update(deliveries)
    .where(*_OVERDUE)
    .values(
        status=DeliveryStatus.EXPIRED.value,
        next_attempt_at=None,
        finished_at=bindparam("b_at"),
        last_error=func.coalesce(deliveries.c.last_error, literal_column("'out_of_time'")),
    )
)

SELECT_DISABLED = select(webhooks.c.webhook_id).where(webhooks.c.enabled == false())


def record_settlements(batch: Sequence[Settlement]) -> Work[list[Settlement]]:
    """Attempts, states and switched-off endpoints of a batch; a delivery finished meanwhile keeps its state.

    Returned, in the same order, as they were kept: the refusal of an address that its webhook has left meanwhile
    switches nothing off, and the delivery goes to the new address.
    """
    kept = yield from _as_addressed_now(batch)
    attempts = [_attempt_values(one.delivery_id, one.attempt) for one in kept if one.attempt is not None]
    if attempts:
        yield Query(INSERT_ATTEMPT, attempts)
    yield Query(SETTLE, [_settle_values(one) for one in kept])
    for one in kept:
        if one.disable is not None and one.webhook_id:
            yield from disable_webhook(one.webhook_id, one.disable, one.at)
    return kept


def _as_addressed_now(batch: Sequence[Settlement]) -> Work[list[Settlement]]:
    refused = sorted({one.webhook_id for one in batch if _is_refused(one)})
    rows = (yield Query(SELECT_WEBHOOKS, {"b_ids": json.dumps(refused)})) if refused else []
    present = {row["webhook_id"]: row for row in rows}
    kept = [_as_addressed(one, present.get(one.webhook_id)) for one in batch]
    for webhook_id in {one.webhook_id for one, now in zip(batch, kept, strict=True) if now is not one}:
        yield from readdress(webhook_id, present[webhook_id]["url"], batch[-1].at)
    return kept


def _as_addressed(one: Settlement, webhook: Row | None) -> Settlement:
    if webhook is None or webhook["url"] == one.url or not _is_refused(one):
        return one
    disable = None if webhook["enabled"] else one.disable  # an endpoint switched off meanwhile stays so
    return replace(one, status=DeliveryStatus.PENDING, next_attempt_at=one.at, disable=disable)


def _is_refused(one: Settlement) -> bool:
    return bool(one.webhook_id) and one.attempt is not None and one.status is not DeliveryStatus.DELIVERED


def readdress(webhook_id: str, url: str, now: UnixMs) -> Work[None]:
    """What is pending for a webhook goes to this URL, and at once: the pauses were for another one's failures."""
    yield Query(READDRESS, {"b_id": webhook_id, "b_url": url, "b_now": now})


def disable_webhook(webhook_id: str, reason: str, now: UnixMs) -> Work[None]:
    """No more deliveries to this endpoint until somebody enables it again; the first reason stays."""
    yield Query(DISABLE_WEBHOOK, {"b_id": webhook_id, "b_reason": reason[:255], "b_at": now})


def replay(delivery_id: str, now: UnixMs) -> Work[Delivery | None]:
    """Pending again under the same id, with all its attempts and a new lifetime, addressed to the webhook's URL of now.

    None: there is no such delivery.
    """
    rows = yield Query(SELECT_DELIVERY, {"b_id": delivery_id})
    if not rows:
        return None
    lifetime = POPUP_LIFETIME_MS if rows[0]["event_type"] == POPUP else EVENT_LIFETIME_MS
    yield Query(REPLAY, {"b_id": delivery_id, "b_now": now, "b_expires_at": now + lifetime})
    fresh = {"url": rows[0]["url_now"], "attempt_count": 0, "next_attempt_at": now, "expires_at": now + lifetime}
    return delivery_of({**rows[0], **fresh})


def replay_failed(webhook_id: str, now: UnixMs, since: UnixMs | None = None) -> Work[int]:
    """Every failed or expired event of a webhook made at or after `since` is pending again; how many there were."""
    chosen = {"b_webhook_id": webhook_id, "b_since": since or 0}
    rows = yield Query(COUNT_FAILED, chosen)
    yield Query(REPLAY_FAILED, {**chosen, "b_now": now, "b_expires_at": now + EVENT_LIFETIME_MS})
    return int(rows[0]["failed"])


def replay_asked(delivery_id: str, by: By) -> Work[Delivery | None]:
    """`replay` by somebody, with its entry in the audit log."""
    return noted(by, "delivery.replay", f"delivery:{delivery_id}", lambda: replay(delivery_id, by.at))


def replay_failed_asked(webhook_id: str, by: By) -> Work[int]:
    """`replay_failed` by somebody, with its entry."""
    return noted(by, "webhook.replay_failed", f"webhook:{webhook_id}", lambda: replay_failed(webhook_id, by.at))


def expire_overdue(now: UnixMs, grace_ms: int = 0) -> Work[int]:
    """What ran out of time unsent says so. `grace_ms` spares what may be on the wire at this moment."""
    bound = {"b_now": now - grace_ms}
    rows = yield Query(COUNT_OVERDUE, bound)
    if rows[0]["overdue"]:
        yield Query(EXPIRE_OVERDUE, {**bound, "b_at": now})
    return int(rows[0]["overdue"])


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last delivery of a page: the next page begins after it."""

    next_attempt_at: int = -1
    delivery_id: str = ""


_PLACE = (deliveries.c.next_attempt_at, deliveries.c.delivery_id)
SELECT_DUE = (
    select(*_COLUMNS)
    .where(
        deliveries.c.status == PENDING,
        deliveries.c.next_attempt_at <= bindparam("b_now"),
        deliveries.c.next_attempt_at >= bindparam("b_after"),
        or_(
            deliveries.c.next_attempt_at > bindparam("b_after"),
            deliveries.c.delivery_id > bindparam("b_after_id"),
        ),
        deliveries.c.webhook_id.not_in(each_of("b_without")),
    )
    .order_by(*_PLACE)
    .limit(bindparam("b_limit"))
)
SELECT_NEXT_DUE = select(func.min(deliveries.c.next_attempt_at).label("due_at")).where(
    deliveries.c.status == PENDING, deliveries.c.next_attempt_at > bindparam("b_after")
)


async def read_due(
    reads: Reader, now: UnixMs, limit: int, after: Cursor, without: Collection[str] = ()
) -> list[Delivery]:
    """Pending deliveries due by `now`, oldest first, but none of the webhooks `without`."""
    place = {"b_after": after.next_attempt_at, "b_after_id": after.delivery_id}
    chosen = {"b_now": now, "b_limit": limit, "b_without": json.dumps(sorted(without)), **place}
    return [delivery_of(row) for row in await reads.fetch(SELECT_DUE, chosen)]


async def read_next_due_at(reads: Reader, after: UnixMs) -> UnixMs | None:
    """When the first delivery comes due that is not due yet."""
    rows = await reads.fetch(SELECT_NEXT_DUE, {"b_after": after})
    due_at = rows[0]["due_at"] if rows else None
    return None if due_at is None else UnixMs(int(due_at))


async def count_pending(reads: Reader) -> int:
    """How many deliveries are not done yet."""
    (row,) = await reads.fetch(_COUNT_PENDING)
    return int(row["pending"])


async def read_disabled_webhooks(reads: Reader) -> frozenset[str]:
    return frozenset(str(row["webhook_id"]) for row in await reads.fetch(SELECT_DISABLED))


def _attempt_values(delivery_id: str, attempt: Attempt) -> dict[str, object]:
    return {
        "b_id": delivery_id,
        "b_at": attempt.at,
        "b_status_code": attempt.status_code,
        "b_latency_ms": attempt.latency_ms,
        "b_error": attempt.error,
        "b_answer": attempt.answer,
    }


def _settle_values(one: Settlement) -> dict[str, object]:
    return {
        "b_id": one.delivery_id,
        "b_status": one.status.value,
        "b_attempts": 0 if one.attempt is None else 1,
        "b_next_attempt_at": one.next_attempt_at,
        "b_finished_at": None if one.status is DeliveryStatus.PENDING else one.at,
        "b_status_code": None if one.attempt is None else one.attempt.status_code,
        "b_error": one.error,
    }
