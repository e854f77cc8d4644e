"""Sends what is stored to be sent, and stores what came of it; holds up neither who offers nor one target for another.

At least once: a crash between the answer and its record means the same message again, under the same webhook-id.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import structlog

from daemon.call.signals import UnixMs
from daemon.delivery.http_sender import Answer
from daemon.delivery.limits import OutboxCounters, OutboxLimits
from daemon.delivery.recorder import Recorder, Writes
from daemon.delivery.refill import Refill
from daemon.delivery.settling import expired_unsent, settle
from daemon.delivery.shelf import Shelf
from daemon.delivery.signing import BadSecret, Secret, Secrets, signed_headers
from daemon.delivery.target import Target
from daemon.policy.retry import AttemptOutcome, Failure, Retry, RetryDecision, RetryReason
from daemon.store.outbox import POPUP, Settlement, read_disabled_webhooks
from daemon.store.reader import Reader
from daemon.store.values import Delivery, DeliveryStatus

log = structlog.get_logger(__name__)


class Sender(Protocol):
    """One request and what came of it; an HttpSender."""

    async def send(self, method: str, url: str, headers: Mapping[str, str], body: str) -> Answer: ...


def _ignore(_: Settlement) -> None:
    """Nobody listens."""


def _ignore_attempt(_: Delivery, __: Settlement) -> None:
    """Nobody counts."""


class Outbox:
    """`start`, then `offer` after every commit, then `stop`. All in one event loop."""

    def __init__(
        self,
        *,
        writes: Writes,
        reads: Reader,
        sender: Sender,
        secrets: Secrets,
        clock: Callable[[], UnixMs],
        jitter: Callable[[], float] = random.random,
        limits: OutboxLimits | None = None,
        on_settled: Callable[[Settlement], None] = _ignore,
        on_attempt: Callable[[Delivery, Settlement], None] = _ignore_attempt,
    ) -> None:
        """`on_settled` hears of every result once it is durable; its `disable` says that a webhook was switched off.

        `on_attempt` hears of it at once, and only counts.
        """
        self.limits = limits = limits or OutboxLimits()
        self._reads = reads
        self._sender = sender
        self._secrets = secrets
        self._clock = clock
        self._jitter = jitter
        self._on_settled = on_settled
        self._on_attempt = on_attempt
        self.counters = OutboxCounters()
        self.shelf = Shelf(limits)
        self.recorder = Recorder(
            writes, self._recorded, limit=limits.unrecorded, linger_s=limits.record_within_ms / 1000
        )
        self.refill = Refill(
            writes=writes,
            reads=reads,
            clock=clock,
            limits=limits,
            counters=self.counters,
            shelf=self.shelf,
            take=self._take,
            hold_over=self._end_pauses,
        )
        self._requests: dict[asyncio.Task[None], Target] = {}
        self._starved: dict[Target, None] = {}  # wait for a slot of all, in order
        self._services: list[asyncio.Task[None]] = []
        self._open = False
        secrets.on_moved(self.moved)

    async def start(self) -> None:
        """What expired while nobody was there says so; then everything pending is taken up, oldest first."""
        await self.refill.expire()
        self.shelf.paused.update(await read_disabled_webhooks(self._reads))
        self._open = True
        self.look_again()
        self._services = [
            asyncio.create_task(self.recorder.run(), name="outbox-recorder"),
            asyncio.create_task(self.refill.run(), name="outbox-refill"),
        ]

    def offer(self, deliveries: Iterable[Delivery]) -> None:
        """Deliveries that are durable and due. What does not fit is read back from the store when there is room."""
        for delivery in deliveries:
            self.counters.offered += 1
            if delivery.delivery_id not in self.shelf and not self._take(delivery):
                self.counters.left_in_store += 1

    def look_again(self) -> None:
        """Something became pending in the store by another way, as by a replay."""
        self.refill.not_later_than(self._clock())

    def pause(self, webhook_id: str) -> None:
        """The webhook was disabled or removed: what is pending stays in the store."""
        self.shelf.pause(webhook_id)

    def resume(self, webhook_id: str) -> None:
        """The webhook was enabled again."""
        self.shelf.paused.discard(webhook_id)
        self.look_again()

    def moved(self, webhook_id: str) -> None:
        """The webhook has another URL: what is queued is read back from the store, which has it, and goes there."""
        self.shelf.forget(webhook_id)
        self.look_again()

    async def watch(self) -> None:
        """Raises what ended a service of the outbox, which is always a bug; otherwise waits for `stop`."""
        if self._services:
            await asyncio.wait(self._services, return_when=asyncio.FIRST_COMPLETED)
        for service in self._services:
            if service.done() and not service.cancelled():
                service.result()

    async def stop(self, timeout_s: float = 3.0) -> None:
        """Requests under way may finish; what does not stays pending. What did finish is recorded."""
        self._open = False
        if self._requests:
            await asyncio.wait(list(self._requests), timeout=timeout_s)
        await _cancel(list(self._requests))
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.recorder.drained(), timeout_s)
        if self.recorder.unrecorded:
            log.error("attempts_not_recorded_at_stop", attempts=self.recorder.unrecorded)
        await _cancel(self._services)
        self._services = []

    def _take(self, delivery: Delivery) -> bool:
        target = self.shelf.put(delivery) if self._open else None
        if target is None:
            return False
        self._pump(target)
        return True

    def _pump(self, target: Target) -> None:
        """Start what may start."""
        while target.queue and self._open and target.not_before is None and target.running < self.limits.per_target:
            if len(self._requests) >= self.limits.in_all:
                self._starved[target] = None
                return
            task = asyncio.create_task(self._attempt_kept(target, target.queue.popleft()))
            self._requests[task] = target
            target.running += 1
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        target = self._requests.pop(task)
        target.running -= 1
        if self._starved and target.queue:
            self._starved[target] = None  # others were first
        while self._starved and len(self._requests) < self.limits.in_all:
            target = next(iter(self._starved))
            del self._starved[target]
            self._pump(target)
        self._pump(target)

    def _end_pauses(self) -> None:
        now = self._clock()
        for target in list(self.shelf.held_back()):
            if target.not_before is not None and target.not_before <= now:
                target.not_before = None
                self._pump(target)

    async def _attempt_kept(self, target: Target, delivery: Delivery) -> None:
        try:
            await self._attempt(target, delivery)
        except Exception:
            # Its id stays held: whatever is wrong with it, it is not sent again and again before the next start.
            named = {"delivery_id": delivery.delivery_id, "call_id": delivery.call_id}
            log.exception("delivery_attempt_crashed", target=target.key, **named)

    async def _attempt(self, target: Target, delivery: Delivery) -> None:
        at = self._clock()
        if at >= delivery.expires_at:
            self.counters.settled(DeliveryStatus.EXPIRED)
            expired = expired_unsent(delivery, at)
            self._on_attempt(delivery, expired)
            await self.recorder.put(expired)
            return
        answer = await self._send(delivery, at)
        schedule = self.limits.popup_schedule if delivery.event_type == POPUP else self.limits.event_schedule
        settlement, decision = settle(
            delivery, answer, at=at, now=self._clock(), jitter=self._jitter(), schedule=schedule
        )
        self._note(target, delivery, answer, settlement, decision)
        await self.recorder.put(settlement)

    async def _send(self, delivery: Delivery, at: UnixMs) -> Answer:
        body = "" if delivery.method == "GET" else delivery.body
        try:
            headers = signed_headers(self._secret_of(delivery), delivery.delivery_id, at, body)
        except BadSecret as error:
            outcome = AttemptOutcome(failure=Failure.NO_SECRET)
            return Answer(outcome=outcome, latency_ms=0, error=str(error), text=None)
        return await self._sender.send(delivery.method, delivery.url, headers, body)

    def _secret_of(self, delivery: Delivery) -> Secret:
        webhook_id = delivery.webhook_id
        secret = self._secrets.webhook_secret(webhook_id) if webhook_id else self._secrets.popup_secret()
        if secret is None:
            raise BadSecret("the webhook was removed")
        return secret

    def _note(
        self, target: Target, delivery: Delivery, answer: Answer, settlement: Settlement, decision: RetryDecision
    ) -> None:
        self.counters.attempts += 1
        self.counters.by_reason[decision.reason] += 1
        self.counters.settled(settlement.status)
        self._on_attempt(delivery, settlement)
        target.answered(answer.status_code, answer.latency_ms, settlement.status is DeliveryStatus.DELIVERED)
        if isinstance(decision, Retry) and decision.reason is RetryReason.RETRY_AFTER_HONOURED:
            target.hold_until(UnixMs(min(decision.at, settlement.at + self.limits.longest_hold_back_ms)))
            self.refill.wake()
        if settlement.disable is not None:
            self.pause(settlement.webhook_id)
        _log_attempt(delivery, answer, settlement, decision)

    def _recorded(self, put: Sequence[Settlement], kept: Sequence[Settlement]) -> None:
        for before, one in zip(put, kept, strict=True):
            self.shelf.release(one.delivery_id)
            self.refill.settled(one.delivery_id)
            if one.next_attempt_at is not None:
                self.refill.not_later_than(one.next_attempt_at)
            if one.disable is not None:
                self.counters.disabled += 1
                self.pause(one.webhook_id)
            elif before.disable is not None:  # said by an address that the webhook had left
                self.resume(one.webhook_id)
            self._on_settled(one)
        if self.shelf.wants_more:
            self.look_again()


def _log_attempt(delivery: Delivery, answer: Answer, settlement: Settlement, decision: RetryDecision) -> None:
    write = log.debug if settlement.status is DeliveryStatus.DELIVERED else log.warning
    write(
        "delivery_attempt",
        delivery_id=delivery.delivery_id,
        webhook_id=delivery.webhook_id,
        call_id=delivery.call_id,
        event_type=delivery.event_type,
        status=settlement.status.value,
        reason=decision.reason.value,
        status_code=answer.status_code,
        latency_ms=answer.latency_ms,
        attempt=delivery.attempt_count + 1,
    )


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    for task in tasks:
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
