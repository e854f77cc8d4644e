"""From an answer to what is kept of it. Pure: clock and randomness come in."""

from __future__ import annotations

from typing import assert_never

from daemon.call.signals import UnixMs
from daemon.delivery.http_sender import Answer
from daemon.policy.retry import (
    Delivered,
    Disable,
    GiveUp,
    OutOfTime,
    Retry,
    RetryDecision,
    RetryReason,
    Schedule,
    decide_retry,
)
from daemon.store.outbox import Attempt, Settlement
from daemon.store.values import Delivery, DeliveryStatus


def settle(
    delivery: Delivery, answer: Answer, *, at: UnixMs, now: UnixMs, jitter: float, schedule: Schedule
) -> tuple[Settlement, RetryDecision]:
    """`at` is when the attempt began, `now` when it was over."""
    decision = decide_retry(
        answer.outcome,
        delivery.attempt_count + 1,
        expires_at=delivery.expires_at,
        now=now,
        jitter=jitter,
        schedule=schedule,
    )
    attempt = Attempt(
        at=at, status_code=answer.status_code, latency_ms=answer.latency_ms, error=answer.error, answer=answer.text
    )
    settlement = Settlement(
        delivery_id=delivery.delivery_id,
        webhook_id=delivery.webhook_id,
        url=delivery.url,
        at=now,
        status=_status_after(decision),
        next_attempt_at=decision.at if isinstance(decision, Retry) else None,
        error=None if isinstance(decision, Delivered) else decision.reason.value,
        attempt=attempt,
        disable=decision.reason.value if isinstance(decision, Disable) and delivery.webhook_id else None,
        call_id=delivery.call_id,
    )
    return settlement, decision


def expired_unsent(delivery: Delivery, now: UnixMs) -> Settlement:
    """Its turn came after its time."""
    return Settlement(
        delivery_id=delivery.delivery_id,
        webhook_id=delivery.webhook_id,
        url=delivery.url,
        at=now,
        status=DeliveryStatus.EXPIRED,
        next_attempt_at=None,
        error=RetryReason.OUT_OF_TIME.value,
        attempt=None,
        call_id=delivery.call_id,
    )


def _status_after(decision: RetryDecision) -> DeliveryStatus:
    match decision:
        case Delivered():
            return DeliveryStatus.DELIVERED
        case Retry():
            return DeliveryStatus.PENDING
        case OutOfTime():
            return DeliveryStatus.EXPIRED
        case GiveUp() | Disable():
            return DeliveryStatus.FAILED
        case _:
            assert_never(decision)
