"""One target as the outbox sees it: what waits for it, how many requests are under way, how it has been answering."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from yarl import URL

from daemon.call.signals import UnixMs
from daemon.store.values import Delivery


def target_key(delivery: Delivery) -> str:
    """A webhook is a target; popups to one scheme, host and port share one (placeholders may make many URLs)."""
    if delivery.webhook_id:
        return delivery.webhook_id
    try:
        return f"popup {URL(delivery.url).origin()}"
    except ValueError:
        return "popup"  # the sender will say what is wrong with the URL


@dataclass(slots=True, eq=False)
class Target:
    """`held` are the deliveries in memory: queued, under way, or answered and not yet recorded."""

    key: str
    webhook_id: str
    queue: deque[Delivery] = field(default_factory=deque)
    held: set[str] = field(default_factory=set)
    running: int = 0
    not_before: UnixMs | None = None  # it asked to be left alone until then
    failures_in_a_row: int = 0
    last_status_code: int | None = None
    last_latency_ms: int | None = None

    def take(self, delivery: Delivery) -> None:
        self.queue.append(delivery)
        self.held.add(delivery.delivery_id)

    def emptied(self) -> list[Delivery]:
        """What waited, and waits here no more."""
        waiting = list(self.queue)
        self.queue.clear()
        return waiting

    def answered(self, status_code: int | None, latency_ms: int, delivered: bool) -> None:
        self.last_status_code, self.last_latency_ms = status_code, latency_ms
        self.failures_in_a_row = 0 if delivered else self.failures_in_a_row + 1

    def hold_until(self, at: UnixMs) -> None:
        self.not_before = at if self.not_before is None else max(self.not_before, at)

    @property
    def idle(self) -> bool:
        return not self.held and not self.running
