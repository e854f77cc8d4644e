"""A real store with an outbox on it: what the outbox tests stand on. Delays are short, chance is none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from daemon.call.model import CallId, PbxName, UserId
from daemon.call.signals import UnixMs
from daemon.delivery.http_sender import HttpSender
from daemon.delivery.limits import OutboxLimits
from daemon.delivery.outbox import Outbox
from daemon.delivery.signing import Secret
from daemon.delivery.target_guard import TargetGuard
from daemon.policy.retry import EVENT_LIFETIME_MS, POPUP_LIFETIME_MS, Schedule
from daemon.store.outbox import POPUP, Settlement
from daemon.store.row import delivery_row
from daemon.store.store import Store
from daemon.store.tables import deliveries, delivery_attempts, webhooks
from daemon.store.values import Delivery
from daemon.store.work import Query, Work
from tests.database import database_in
from tests.delivery.receiver import unix_ms

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
QUICK = Schedule(shortest_ms=20, first_ms=40, longest_ms=200, last_chance_ms=200)
LIMITS = OutboxLimits(event_schedule=QUICK, popup_schedule=QUICK, between_scans_ms=5, record_within_ms=2)
INSERT_DELIVERY = insert(deliveries)
INSERT_WEBHOOK = insert(webhooks)


@dataclass
class FixedSecrets:
    secret: Secret | None = field(default_factory=lambda: Secret(SECRET))
    tell_moved: Callable[[str], None] = print

    def on_moved(self, tell: Callable[[str], None]) -> None:
        self.tell_moved = tell

    def webhook_secret(self, webhook_id: str) -> Secret | None:
        return self.secret

    def popup_secret(self) -> Secret | None:
        return self.secret


def now() -> UnixMs:
    return UnixMs(unix_ms())


def event(number: int, url: str, webhook_id: str = "wh_1", created_at: UnixMs | None = None) -> Delivery:
    at = now() if created_at is None else created_at
    return Delivery(
        delivery_id=f"dlv_{number:05d}",
        webhook_id=webhook_id,
        event_type="call.answered",
        method="POST",
        url=url,
        body=f'{{"type":"call.answered","number":{number}}}',
        created_at=at,
        expires_at=UnixMs(at + EVENT_LIFETIME_MS),
        attempt_count=0,
        next_attempt_at=at,
        pbx=PbxName("main"),
        call_id=CallId(f"1790000000.{number}"),
        user_id=None,
    )


def popup(number: int, url: str, created_at: UnixMs | None = None, lifetime_ms: int = POPUP_LIFETIME_MS) -> Delivery:
    at = now() if created_at is None else created_at
    return Delivery(
        delivery_id=f"pop_{number:05d}",
        webhook_id="",
        event_type=POPUP,
        method="GET",
        url=url,
        body="",
        created_at=at,
        expires_at=UnixMs(at + lifetime_ms),
        attempt_count=0,
        next_attempt_at=at,
        pbx=PbxName("main"),
        call_id=CallId(f"1790000000.{number}"),
        user_id=UserId("an"),
    )


class House:
    """A store, a sender, an outbox. `keep` makes deliveries durable, `give` also offers them, as after a commit."""

    def __init__(self, store: Store, sender: HttpSender, limits: OutboxLimits, clock: Callable[[], UnixMs]) -> None:
        self.store = store
        self.secrets = FixedSecrets()
        self.settled: list[Settlement] = []
        self.outbox = Outbox(
            writes=store.writer,
            reads=store.reader,
            sender=sender,
            secrets=self.secrets,
            clock=clock,
            jitter=lambda: 0.5,
            limits=limits,
            on_settled=self.settled.append,
        )

    async def keep(self, made: Sequence[Delivery]) -> None:
        def work() -> Work[None]:
            yield Query(INSERT_DELIVERY, [delivery_row(one, one.delivery_id, None) for one in made])

        await self.store.writer.change(work)

    async def give(self, *made: Delivery) -> None:
        await self.keep(made)
        self.outbox.offer(made)

    async def add_webhook(self, webhook_id: str, url: str, enabled: bool = True) -> None:
        row = {"webhook_id": webhook_id, "url": url, "events": "[]", "secret": SECRET, "enabled": enabled}

        def work() -> Work[None]:
            yield Query(INSERT_WEBHOOK, {**row, "description": "", "created_at": 0, "updated_at": 0})

        await self.store.writer.change(work)

    async def row(self, delivery_id: str) -> dict[str, Any]:
        rows = await self.store.reader.fetch(select(deliveries).where(deliveries.c.delivery_id == delivery_id))
        return dict(rows[0])

    async def attempts(self, delivery_id: str) -> list[dict[str, Any]]:
        statement = select(delivery_attempts).where(delivery_attempts.c.delivery_id == delivery_id)
        return [dict(row) for row in await self.store.reader.fetch(statement.order_by(delivery_attempts.c.number))]

    async def statuses(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in await self.store.reader.fetch(select(deliveries.c.status)):
            found[row["status"]] = found.get(row["status"], 0) + 1
        return found

    async def until_status(self, delivery_id: str, status: str, within_s: float = 5.0) -> dict[str, Any]:
        async with asyncio.timeout(within_s):
            while (found := await self.row(delivery_id))["status"] != status:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return found

    async def until(self, true: Callable[[], bool], within_s: float = 5.0) -> None:
        async with asyncio.timeout(within_s):
            while not true():  # noqa: ASYNC110
                await asyncio.sleep(0.005)


@asynccontextmanager
async def house(
    path: Path,
    limits: OutboxLimits = LIMITS,
    *,
    start: bool = True,
    timeout_s: float = 1.0,
    clock: Callable[[], UnixMs] = now,
) -> AsyncIterator[House]:
    """The file stays: a second house on the same path is the daemon started again."""
    store = await Store.open(database_in(path))
    try:
        async with HttpSender(TargetGuard(), "callwarden/test", timeout_s=timeout_s) as sender:
            built = House(store, sender, limits, clock)
            if start:
                await built.outbox.start()
            yield built
            await built.outbox.stop(0.2)
    finally:
        await store.close()
