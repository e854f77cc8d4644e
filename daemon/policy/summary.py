"""When the daily summary is sent, and of which day; when a sending that failed is tried again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from daemon.call.signals import UnixMs
from daemon.policy.call_settings import CallSettings, Weekday

LATE_MS: Final = 6 * 3_600_000
"""So long after its time a summary is still sent or tried again; later it is news of yesterday."""

_PAUSES_S: Final = (60, 300, 900, 1800)
_LONGEST_PAUSE_S: Final = 3600
_WEEKDAYS: Final = tuple(Weekday)


class SummaryReason(StrEnum):
    """Why a summary was not sent."""

    NOT_INSTALLED = "not_installed"
    NOT_USABLE = "not_usable"
    NOT_ALLOWED = "not_allowed"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    BROKEN = "broken"
    TOO_LATE = "too_late"


@dataclass(frozen=True, slots=True)
class Due:
    """The summary of `day`, to be sent at `moment`."""

    day: date
    moment: UnixMs

    def is_late(self, now: UnixMs) -> bool:
        return now - self.moment > LATE_MS


def last_due(settings: CallSettings, now: UnixMs) -> Due | None:
    """The newest whose time has come; None: there is no day on which one is sent."""
    here = _local(settings, now).date()
    found = (_due(settings, here - timedelta(days=back)) for back in range(9))
    return next((one for one in found if one is not None and one.moment <= now), None)


def next_due(settings: CallSettings, now: UnixMs) -> Due | None:
    """The first whose time has not come yet."""
    here = _local(settings, now).date()
    found = (_due(settings, here + timedelta(days=ahead)) for ahead in range(9))
    return next((one for one in found if one is not None and one.moment > now), None)


def next_try(due: Due, attempts: int, now: UnixMs) -> UnixMs | None:
    """After so many attempts; None: it would be too late."""
    pause = _PAUSES_S[attempts - 1] if 0 < attempts <= len(_PAUSES_S) else _LONGEST_PAUSE_S
    at = UnixMs(now + pause * 1000)
    return None if due.is_late(at) else at


def yesterday(settings: CallSettings, now: UnixMs) -> date:
    return _local(settings, now).date() - timedelta(days=1)


def _due(settings: CallSettings, on: date) -> Due | None:
    if _WEEKDAYS[on.weekday()] not in settings.summary_days:
        return None
    return Due(on - timedelta(days=1), _at(on, _clock(settings.summary_time), ZoneInfo(settings.time_zone)))


def _clock(text: str) -> time:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return time(7)


def _at(day: date, clock: time, zone: ZoneInfo) -> UnixMs:
    """A time that comes twice is the first; one that does not come is as much later as the clocks were put."""
    return UnixMs(int(datetime.combine(day, clock, zone).timestamp() * 1000))


def _local(settings: CallSettings, now: UnixMs) -> datetime:
    return datetime.fromtimestamp(now / 1000, UTC).astimezone(ZoneInfo(settings.time_zone))
