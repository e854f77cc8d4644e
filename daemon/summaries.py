"""The daily summary: a task of its own sends it when its time has come, once to each target, beside all else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from typing import Final

import structlog

from daemon.call.signals import UnixMs
from daemon.delivery.summary_sender import INSTALL, PATIENT_S, SHORTLY_S, Letter, Posted, SummarySender, is_installed
from daemon.errors import TryAgain
from daemon.policy.summary import Due, SummaryReason, last_due, next_try, yesterday
from daemon.store.settings import read_settings
from daemon.store.store import Store
from daemon.store.summaries import SummaryStatus, begin_sending, leave_out, read_sending, settle_sending
from daemon.store.summary_figures import read_figures
from daemon.store.summary_targets import SummaryTarget, read_address, read_target, read_targets
from daemon.web.services import SummaryOutcome
from daemon.web.summary_text import SummaryText, summary_text

_WHEN: Final = ("summary_time", "summary_days", "time_zone")
_AT_ONCE: Final = 3
_LOOK_EVERY_S: Final = 20.0  # the clock, the zone, the time and the targets may have been changed meanwhile

_log = structlog.get_logger(__name__)


class Summaries:
    """Give `run` a task."""

    def __init__(
        self,
        store: Callable[[], Store],
        sender: SummarySender,
        clock: Callable[[], UnixMs],
        public_url: str | None,
    ) -> None:
        self._store = store
        self._sender = sender
        self._clock = clock
        self._public_url = public_url
        self._places = asyncio.Semaphore(_AT_ONCE)

    @property
    def installed(self) -> bool:
        return is_installed()

    @property
    def how_to_install(self) -> str:
        return INSTALL

    async def run(self) -> None:
        """For ever. What goes wrong is logged, and tried again at the next look."""
        while True:
            try:
                await self.look()
            except TryAgain as error:
                _log.warning("summary_put_off", error=str(error))
            except Exception:  # noqa: BLE001 - a summary may never stop the daemon
                _log.exception("summary_broke")
            await asyncio.sleep(_LOOK_EVERY_S)

    async def look(self) -> None:
        """Send what is due now to whom it was not sent yet; say of what is too late that it is.

        Whoever was added later gets the next one, and a time that was chosen later counts from the next day on.
        """
        stored, now = await read_settings(self._store().reader), self._clock()
        due = last_due(stored.settings, now)
        if due is None or any(stored.changed[name].at > due.moment for name in _WHEN if name in stored.changed):
            return
        targets = [one for one in await read_targets(self._store().reader) if one.created_at <= due.moment]
        if due.is_late(now):
            for target in targets:
                await self._leave_out(target, due.day, now)
        else:
            await asyncio.gather(*(self._send_due(target, due) for target in targets))

    async def check(self, url: str) -> SummaryOutcome:
        return _outcome(await self._sender.check(url))

    async def try_out(self, target_id: str) -> SummaryOutcome | None:
        """Yesterday's summary to this target now, noted nowhere. None: there is no such target."""
        target = await read_target(self._store().reader, target_id)
        if target is None:
            return None
        settings = (await read_settings(self._store().reader)).settings
        return _outcome(await self._post(target, yesterday(settings, self._clock()), SHORTLY_S))

    async def text(self, day: date, language: str) -> SummaryText:
        settings = (await read_settings(self._store().reader)).settings
        figures = await read_figures(self._store().reader, day, settings)
        missed_url = None if self._public_url is None else f"{self._public_url.rstrip('/')}/missed"
        return summary_text(figures, language, missed_url)

    async def send(self, target: SummaryTarget, day: date, *, again: bool) -> SummaryOutcome | None:
        """By hand: once, unless `again`. None: it was sent already, or is being sent."""
        known = await read_sending(self._store().reader, target.target_id, day)
        if known is not None and known.status is SummaryStatus.SENT and not again:
            return None
        settings, now = (await read_settings(self._store().reader)).settings, self._clock()
        due = last_due(settings, now)
        is_due = due is not None and due.day == day and not due.is_late(now)  # then the daemon goes on trying
        posted, _ = await self._attempt(target, day, due if is_due else None, by_hand=True)
        return None if posted is None else _outcome(posted)

    async def _send_due(self, target: SummaryTarget, due: Due) -> None:
        posted, attempts = await self._attempt(target, due.day, due)
        if posted is not None and not posted.ok:
            reason = posted.reason and posted.reason.value
            _log.warning("summary_not_sent", target=target.target_id, attempt=attempts, reason=reason)

    async def _attempt(
        self, target: SummaryTarget, day: date, due: Due | None = None, *, by_hand: bool = False
    ) -> tuple[Posted | None, int]:
        """Noted before and after; before, only when it can be made at once: nobody else knows that it waits."""
        async with self._places:
            return await self._make_attempt(target, day, due, by_hand=by_hand)

    async def _make_attempt(
        self, target: SummaryTarget, day: date, due: Due | None, *, by_hand: bool
    ) -> tuple[Posted | None, int]:
        writer, target_id = self._store().writer, target.target_id
        began = self._clock()
        attempt = await writer.change(lambda: begin_sending(target_id, day, began, again=by_hand))
        if not attempt:
            return None, 0
        posted = await self._post(target, day, PATIENT_S)
        now = self._clock()
        next_at = None if due is None else next_try(due, attempt, now)
        await writer.change(lambda: settle_sending(target_id, day, now, posted.reason, posted.said, next_at))
        if posted.ok:
            _log.info("summary_sent", target=target_id, day=day.isoformat(), attempt=attempt)
        return posted, attempt

    async def _post(self, target: SummaryTarget, day: date, within_s: float) -> Posted:
        address = await read_address(self._store().reader, target.target_id)
        if address is None:
            return Posted(SummaryReason.NOT_USABLE)
        made = await self.text(day, target.language)
        return await self._sender.send(address, Letter(made.subject, made.text, made.html), within_s)

    async def _leave_out(self, target: SummaryTarget, day: date, now: UnixMs) -> None:
        if await self._store().writer.change(lambda: leave_out(target.target_id, day, now)):
            _log.warning("summary_left_out", target=target.target_id, day=day.isoformat())


def _outcome(posted: Posted) -> SummaryOutcome:
    return SummaryOutcome(posted.ok, posted.reason, posted.said, posted.latency_ms)
