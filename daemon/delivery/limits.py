"""How much the outbox does at once and holds in memory, and what it counts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from daemon.policy.retry import EVENT_SCHEDULE, POPUP_SCHEDULE, RetryReason, Schedule
from daemon.store.values import DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxLimits:
    """`held` is what is in memory: queued, under way, or answered and not yet recorded. Times in milliseconds."""

    per_target: int = 4
    in_all: int = 256
    held_per_target: int = 200
    held_in_all: int = 5_000
    unrecorded: int = 1_000
    page: int = 200
    record_within_ms: int = 20  # several results share a commit, and the commits of calls go first
    between_scans_ms: int = 100
    between_sweeps_ms: int = 60_000
    after_trouble_ms: int = 1_000
    sweep_grace_ms: int = 30_000  # longer than any request: what is on the wire has not expired
    longest_hold_back_ms: int = 60_000  # for a target that answers with Retry-After
    idle_targets: int = 256
    event_schedule: Schedule = EVENT_SCHEDULE
    popup_schedule: Schedule = POPUP_SCHEDULE


@dataclass(slots=True)
class OutboxCounters:
    """Since the start. `by_reason` counts what the attempts led to."""

    offered: int = 0
    left_in_store: int = 0
    read_back: int = 0
    attempts: int = 0
    delivered: int = 0
    retried: int = 0
    failed: int = 0
    expired: int = 0
    disabled: int = 0
    by_reason: Counter[RetryReason] = field(default_factory=Counter)

    def settled(self, status: DeliveryStatus) -> None:
        match status:
            case DeliveryStatus.DELIVERED:
                self.delivered += 1
            case DeliveryStatus.PENDING:
                self.retried += 1
            case DeliveryStatus.FAILED:
                self.failed += 1
            case DeliveryStatus.EXPIRED:
                self.expired += 1
