"""The spans of time that reports are asked for, and the hours, days, weeks and months in them, on a wall clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from daemon.call.signals import UnixMs

QUARTER_MS: Final = 900_000  # every zone of today is some quarters of an hour off UTC
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
LONGEST_DAYS: Final = 366
HOURLY_DAYS: Final = 31


class Span(StrEnum):
    """Days in full, today as far as it has come."""

    TODAY = "today"
    YESTERDAY = "yesterday"
    WEEK = "week"
    MONTH = "month"
    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    YEAR = "year"


class Grain(StrEnum):
    """How long one period is. Weeks begin on Monday (ISO 8601)."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Stretch:
    """From `begin` to before `end`."""

    begin: UnixMs
    end: UnixMs

    @property
    def last(self) -> UnixMs:
        """Its last moment."""
        return UnixMs(self.end - 1)

    @property
    def days(self) -> float:
        return (self.end - self.begin) / DAY_MS


@dataclass(frozen=True, slots=True)
class Period:
    """`key` names it with no doubt: 2026-11-22T10:00+07:00, 2026-11-22, 2026-W47 or 2026-11."""

    key: str
    begin: UnixMs


def stretch_of(span: Span, now: UnixMs, zone: ZoneInfo) -> Stretch:
    """Seven and thirty days and a year are counted with today."""
    today = _local(now, zone).date()
    first = today.replace(day=1)
    begin, end = {
        Span.TODAY: (today, None),
        Span.YESTERDAY: (today - timedelta(1), today),
        Span.WEEK: (today - timedelta(6), None),
        Span.MONTH: (today - timedelta(29), None),
        Span.THIS_MONTH: (first, None),
        Span.LAST_MONTH: ((first - timedelta(1)).replace(day=1), first),
        Span.YEAR: (today - timedelta(364), None),
    }[span]
    return Stretch(midnight(begin, zone), UnixMs(now + 1) if end is None else midnight(end, zone))


def day_stretch(day: date, zone: ZoneInfo) -> Stretch:
    """From its midnight to the next: 23 or 25 hours where clocks are changed."""
    return Stretch(midnight(day, zone), midnight(day + timedelta(1), zone))


def midnight(day: date, zone: ZoneInfo) -> UnixMs:
    return UnixMs(int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000))


def usual_grain(stretch: Stretch) -> Grain:
    """So that a chart has some tens of periods."""
    if stretch.days <= 2:
        return Grain.HOUR
    if stretch.days <= 62:
        return Grain.DAY
    return Grain.WEEK if stretch.days <= 186 else Grain.MONTH


def is_too_fine(grain: Grain, stretch: Stretch) -> bool:
    """Nobody reads thousands of hours. A day more, for days of 25 hours and the one that is not over."""
    return grain is Grain.HOUR and stretch.days > HOURLY_DAYS + 1


def key_of(at: UnixMs, grain: Grain, zone: ZoneInfo) -> str:
    """Of the period in which this moment lies. An hour's has the offset: the one that comes twice in autumn is two."""
    return name_of(_local(at, zone), grain)


def name_of(local: datetime, grain: Grain) -> str:
    """The same of a moment on the wall clock."""
    return _KEYS[grain](local)


def periods(stretch: Stretch, grain: Grain, zone: ZoneInfo) -> list[Period]:
    """All that the stretch touches, in order, each where it begins in it."""
    found: dict[str, Period] = {}
    for at in _quarters(stretch) if grain is Grain.HOUR else _mornings(stretch, zone):
        key = key_of(at, grain, zone)
        found.setdefault(key, Period(key, at))
    return list(found.values())


def slot_ms(stretch: Stretch, zone: ZoneInfo) -> int:
    """How finely calls may be summed, so that no sum lies in two hours of the wall clock: mostly by the hour."""
    offsets = {_local(at, zone).utcoffset() for at in (*_mornings(stretch, zone), stretch.last)}
    return (
        HOUR_MS if all(one is not None and one % timedelta(hours=1) == timedelta() for one in offsets) else QUARTER_MS
    )


def _quarters(stretch: Stretch) -> Iterator[UnixMs]:
    at = stretch.begin
    while at < stretch.end:
        yield at
        at = UnixMs((at // QUARTER_MS + 1) * QUARTER_MS)


def _mornings(stretch: Stretch, zone: ZoneInfo) -> Iterator[UnixMs]:
    """Where each day begins in it."""
    day, at = _local(stretch.begin, zone).date(), stretch.begin
    while at < stretch.end:
        yield at
        day += timedelta(1)
        at = midnight(day, zone)


def _local(at: UnixMs, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)


def _hour(at: datetime) -> str:
    return at.replace(minute=0).isoformat(timespec="minutes")


def _day(at: datetime) -> str:
    return at.date().isoformat()


def _week(at: datetime) -> str:
    year, week, _ = at.isocalendar()
    return f"{year}-W{week:02}"


def _month(at: datetime) -> str:
    return f"{at:%Y-%m}"


_KEYS: Final[Mapping[Grain, Callable[[datetime], str]]] = {
    Grain.HOUR: _hour,
    Grain.DAY: _day,
    Grain.WEEK: _week,
    Grain.MONTH: _month,
}
