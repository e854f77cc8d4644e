"""Each night deletes what is older than the operator keeps it, a little at a time, so that calls never wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import structlog

from daemon.call.signals import UnixMs
from daemon.errors import TryAgain
from daemon.store.agent_periods import delete_old_periods
from daemon.store.audit import By
from daemon.store.retention import BATCH, Keeping, Period, delete_old, find_old, note_cleaning, periods
from daemon.store.settings import read_settings
from daemon.store.store import Store

_HOUR: Final = 3
_LOOK_EVERY_S: Final = 1800.0  # the clock, the time zone and the settings may have been changed meanwhile
_PAUSE_S: Final = 0.05
_RULE: Final = "rule:retention"

_log = structlog.get_logger(__name__)


async def clean_every_night(store: Store, clock: Callable[[], UnixMs]) -> None:
    """Until cancelled. A store that cannot be used now is cleaned the night after."""
    while True:
        try:
            await _sleep_until_night(store, clock)
            await clean(store, By(_RULE, clock()))
        except TryAgain as error:
            _log.warning("retention_put_off", error=str(error))
            await asyncio.sleep(_LOOK_EVERY_S)


async def clean(store: Store, by: By, pause_s: float = _PAUSE_S) -> dict[Keeping, int]:
    """What was deleted of each kind that has a period; said in the log and among the changes."""
    wanted = periods((await read_settings(store.reader)).settings, by.at)
    deleted = {period.kind: await _delete(store, period, pause_s) for period in wanted}
    for period in wanted:
        if period.kind is Keeping.CALLS:  # what agents did goes with the calls that they did it for
            await _delete_periods(store, period.before, pause_s)
    if any(deleted.values()):
        await store.writer.change(lambda: note_cleaning(by, deleted))
    if deleted:
        _log.info("retention_done", **{kind.value: count for kind, count in deleted.items()})
    return deleted


def next_night(now: UnixMs, zone: str) -> UnixMs:
    """The next three o'clock on the operator's wall."""
    here = datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(zone))
    night = here.replace(hour=_HOUR, minute=0, second=0, microsecond=0)
    night += timedelta(days=1 if night <= here else 0)
    return UnixMs(int(night.timestamp() * 1000))


async def _sleep_until_night(store: Store, clock: Callable[[], UnixMs]) -> None:
    while True:
        zone = (await read_settings(store.reader)).settings.time_zone
        now = clock()
        left = (next_night(now, zone) - now) / 1000
        await asyncio.sleep(min(left, _LOOK_EVERY_S))
        if left <= _LOOK_EVERY_S:
            return


async def _delete_periods(store: Store, before: UnixMs, pause_s: float) -> None:
    deleted = 1
    while deleted:
        deleted = await store.writer.change(lambda: delete_old_periods(before))
        await asyncio.sleep(pause_s)


async def _delete(store: Store, period: Period, pause_s: float) -> int:
    total = 0
    while found := await find_old(store.reader, period):
        gone = 0
        for at in range(0, len(found), BATCH):
            batch = found[at : at + BATCH]
            gone += await store.writer.change(lambda batch=batch: delete_old(period, batch))  # type: ignore[misc]
            await asyncio.sleep(pause_s)
        total += gone
        if gone == 0:  # somebody else needs them all
            break
    return total
