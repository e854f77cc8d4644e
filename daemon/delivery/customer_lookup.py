"""Asks the company's own system who a customer is: a few at once, each only once, and never in anybody's way.

It keeps what it was told in memory for a while. Whatever the other side does is counted and logged, never raised.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol
from uuid import uuid4

import structlog

from daemon.call.signals import UnixMs
from daemon.delivery.customer_answer import Trouble, Unfit, read_answer
from daemon.delivery.http_sender import Document, HttpSender
from daemon.delivery.signing import BadSecret, Secret, signed_headers
from daemon.delivery.target_guard import TargetGuard
from daemon.policy.customer_lookup import Customer
from daemon.policy.decision import LookUpCustomer
from daemon.policy.retry import Failure

LOOKUP_TIMEOUT_S: Final = 2.0
_SAID_AGAIN_AFTER_S: Final = 60.0

_log = structlog.get_logger(__name__)

About = tuple[str, str, str]


class Fetcher(Protocol):
    """Gets one document and keeps to its own time limit."""

    async def fetch(self, url: str, headers: Mapping[str, str]) -> Document: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpLimits:
    """`waiting` are those beyond `at_once` that are not dropped at once; none waits longer than `wait_s`."""

    at_once: int = 8
    waiting: int = 32
    wait_s: float = LOOKUP_TIMEOUT_S
    kept: int = 10_000
    known_for_s: float = 600.0
    unknown_for_s: float = 30.0  # also after a failure: a customer may be entered while he is on the line


@dataclass(slots=True)
class LookUpCounters:
    """Since the start."""

    asked: int = 0
    from_memory: int = 0
    shared: int = 0
    known: int = 0
    unknown: int = 0
    failed: Counter[Trouble] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """One answer. `trouble` is why there is none that is of use; `error` is it in the system's words."""

    customer: Customer | None = None
    trouble: Trouble | None = None
    status_code: int | None = None
    latency_ms: int = 0
    error: str | None = None


class CustomerLookup:
    """`secret` is the popup's; `clock` the time of day for signatures, `steady` a clock that nobody sets."""

    def __init__(
        self,
        fetcher: Fetcher,
        secret: Callable[[], Secret | None],
        clock: Callable[[], UnixMs],
        *,
        limits: LookUpLimits | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.counters = LookUpCounters()
        self._limits = limits or LookUpLimits()
        self._fetcher = fetcher
        self._secret = secret
        self._clock = clock
        self._steady = steady
        self._turns = asyncio.Semaphore(self._limits.at_once)
        self._running: dict[About, asyncio.Task[LookedUp]] = {}
        self._kept: OrderedDict[About, tuple[float, Customer | None]] = OrderedDict()
        self._said: dict[Trouble, float] = {}

    def remembered(self, wanted: LookUpCustomer) -> tuple[Customer | None] | None:
        """What was answered a while ago, without waiting; None: it has to be asked for."""
        kept = self._kept.get(wanted.about)
        if kept is None or kept[0] <= self._steady():
            return None
        self.counters.from_memory += 1
        return (kept[1],)

    async def find(self, wanted: LookUpCustomer) -> Customer | None:
        """None: nothing is known, or nothing came of asking."""
        if (kept := self.remembered(wanted)) is not None:
            return kept[0]
        task = self._running.get(wanted.about)
        if task is not None:
            self.counters.shared += 1
        elif len(self._running) >= self._limits.at_once + self._limits.waiting:
            self._failed(wanted, LookedUp(trouble=Unfit.TOO_MANY))
            return None
        else:
            task = self._running[wanted.about] = asyncio.create_task(self._ask(wanted), name="customer look-up")
        return (await asyncio.shield(task)).customer  # others may wait for it too

    async def try_out(self, url: str) -> LookedUp:
        """One question now, for the settings page: not from memory, and not kept."""
        return await self._request(url)

    async def close(self) -> None:
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _ask(self, wanted: LookUpCustomer) -> LookedUp:
        try:
            answer = await self._in_turn(wanted.url)
            if answer.trouble is not None:
                self._failed(wanted, answer)
            elif answer.customer is None:
                self.counters.unknown += 1
            else:
                self.counters.known += 1
            if answer.trouble is not Unfit.TOO_MANY:  # nobody was asked
                self._keep(wanted.about, answer.customer)
            return answer
        finally:
            del self._running[wanted.about]

    async def _in_turn(self, url: str) -> LookedUp:
        try:
            async with asyncio.timeout(self._limits.wait_s):
                await self._turns.acquire()
        except TimeoutError:
            return LookedUp(trouble=Unfit.TOO_MANY)
        try:
            return await self._request(url)
        finally:
            self._turns.release()

    async def _request(self, url: str) -> LookedUp:
        secret = self._secret()
        if secret is None:
            return LookedUp(trouble=Failure.NO_SECRET)
        try:
            headers = signed_headers(secret, f"lkp_{uuid4().hex}", self._clock(), "")
        except BadSecret as error:
            return LookedUp(trouble=Failure.NO_SECRET, error=error.message)
        self.counters.asked += 1
        answer = await self._fetcher.fetch(url, headers)
        read = read_answer(answer)
        customer, trouble = (read, None) if read is None or isinstance(read, Customer) else (None, read)
        return LookedUp(
            customer=customer,
            trouble=trouble,
            status_code=answer.status_code,
            latency_ms=answer.latency_ms,
            error=answer.error,
        )

    def _keep(self, about: About, customer: Customer | None) -> None:
        lasting = self._limits.unknown_for_s if customer is None else self._limits.known_for_s
        self._kept[about] = (self._steady() + lasting, customer)
        self._kept.move_to_end(about)
        if len(self._kept) > self._limits.kept:
            self._kept.popitem(last=False)

    def _failed(self, wanted: LookUpCustomer, answer: LookedUp) -> None:
        """Counted always; a system that is down is said once a minute, not with every call."""
        trouble, now = answer.trouble, self._steady()
        assert trouble is not None
        self.counters.failed[trouble] += 1
        is_news = now - self._said.get(trouble, -_SAID_AGAIN_AFTER_S) >= _SAID_AGAIN_AFTER_S
        if is_news:
            self._said[trouble] = now
        write = _log.warning if is_news else _log.debug
        write(
            "customer_not_looked_up",
            call_id=wanted.call.call_id,
            reason=trouble.value,
            status=answer.status_code,
            error=answer.error,
            latency_ms=answer.latency_ms,
            times=self.counters.failed[trouble],
        )


@asynccontextmanager
async def asking(
    guard: TargetGuard, user_agent: str, secret: Callable[[], Secret | None], clock: Callable[[], UnixMs]
) -> AsyncIterator[CustomerLookup]:
    """One with connections and name look-ups of its own: a system that hangs takes none from popups and webhooks."""
    async with HttpSender(guard, user_agent, timeout_s=LOOKUP_TIMEOUT_S) as sender:
        lookup = CustomerLookup(sender, secret, clock)
        try:
            yield lookup
        finally:
            await lookup.close()
