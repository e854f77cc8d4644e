"""What people ask of deliveries on their pages: send again, try a target, look whether a site may be shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from daemon.call.signals import UnixMs
from daemon.delivery.http_sender import HttpSender
from daemon.delivery.outbox import Outbox
from daemon.delivery.signing import Secret
from daemon.delivery.target_guard import TargetGuard
from daemon.delivery.try_out import try_target
from daemon.errors import NeverAgain
from daemon.store.audit import By
from daemon.store.outbox import replay_asked, replay_failed_asked
from daemon.web.services import PageHead, Target, TargetAnswer, Writes


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryDesk:
    writes: Writes
    outbox: Outbox
    sender: HttpSender
    guard: TargetGuard
    clock: Callable[[], UnixMs]

    async def replay(self, delivery_id: str, by: By) -> bool:
        """False: there is no such delivery."""
        delivery = await self.writes.change(lambda: replay_asked(delivery_id, by))
        if delivery is not None:
            self.outbox.offer([delivery])
        return delivery is not None

    async def replay_failed(self, webhook_id: str, by: By) -> int:
        count = await self.writes.change(lambda: replay_failed_asked(webhook_id, by))
        self.outbox.look_again()
        return count

    async def try_target(self, target: Target) -> TargetAnswer:
        tried = await try_target(
            target.url,
            sender=self.sender,
            secret=Secret(target.secret),
            now=self.clock(),
            method=target.method,
            body=target.body,
        )
        return TargetAnswer(tried.status_code, tried.latency_ms, tried.error, tried.answer)

    async def page_head(self, url: str) -> PageHead | None:
        found = await self.sender.read_head(url)
        return None if found is None else PageHead(*found)

    def refuse_target(self, url: str) -> str | None:
        try:
            self.guard.check_url(url)
        except NeverAgain as refused:
            return refused.message
        return None
