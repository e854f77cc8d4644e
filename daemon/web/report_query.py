"""Which report is asked for, in the words of an address: the same for programs and for the page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from daemon.call.model import Direction
from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.policy.call_settings import CallSettings
from daemon.policy.report_span import (
    DAY_MS,
    HOURLY_DAYS,
    LONGEST_DAYS,
    Grain,
    Span,
    Stretch,
    is_too_fine,
    midnight,
    stretch_of,
    usual_grain,
)
from daemon.store.report_calls import Asked
from daemon.web.problem import FieldError, invalid
from daemon.web.query import Query

NAMES: Final = ("queue", "hotline", "user_id")
PARAMETERS: Final = ("span", "from", "to", "by", "direction", *NAMES)
USUAL: Final = Span.WEEK
_WEEK_DAYS: Final = 7
_YEARS: Final = {"first": 1971, "last": 9000}  # whose days are moments everywhere
_FIRST: Final = int(datetime(_YEARS["first"], 1, 1, tzinfo=UTC).timestamp() * 1000)
_LAST: Final = int(datetime(_YEARS["last"], 12, 31, tzinfo=UTC).timestamp() * 1000)


class Report(StrEnum):
    """Each is one table."""

    CALLS = "calls"
    HOURS = "hours"
    WAITING = "waiting"
    SERVICE_LEVEL = "service-level"
    CUSTOMERS = "customers"
    AGENTS = "agents"
    AGENT_TIMES = "agent-times"
    CALL_BACKS = "call-backs"


class Way(StrEnum):
    """Directions, and all of them."""

    INCOMING = "incoming"
    OUTGOING = "outgoing"
    INTERNAL = "internal"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`asked` has the direction that was chosen; reports that are about customers who wait know only incoming calls."""

    asked: Asked
    grain: Grain
    zone: ZoneInfo
    settings: CallSettings
    now: UnixMs

    @property
    def incoming(self) -> Asked:
        one = self.asked
        return Asked(stretch=one.stretch, queue=one.queue, hotline=one.hotline, user_id=one.user_id)

    @property
    def of_everybody(self) -> Asked:
        """The same incoming calls whoever answered: missed ones belong to no agent."""
        return replace(self.incoming, user_id=None)


def wanted_by(query: Query, settings: CallSettings, now: UnixMs) -> Wanted:
    """As programs ask: what cannot be is refused by name. `from` and `to` are times and win over `span`."""
    zone = ZoneInfo(settings.time_zone)
    span, by, way = query.choice("span", Span), query.choice("by", Grain), query.choice("direction", Way)
    begin, end = query.time("from"), query.time("to")
    is_named = begin is None and end is None
    stretch = stretch_of(Span(span or USUAL), now, zone) if is_named else _between(begin, end, now)
    grain = Grain(by) if by else usual_grain(stretch)
    if is_too_fine(grain, stretch):
        raise invalid([FieldError("by", Message("counts the hours of at most {days} days", days=HOURLY_DAYS))])
    return Wanted(_asked(stretch, way, {name: query.text(name) for name in NAMES}), grain, zone, settings, now)


def wanted_of_page(chosen: Mapping[str, str], settings: CallSettings, now: UnixMs) -> Wanted:
    """As people ask: by days; what is no choice is as if it were not there. Raises 422 for days that make no span."""
    zone = ZoneInfo(settings.time_zone)
    stretch = _days(chosen, now, zone) or stretch_of(span_of(chosen), now, zone)
    by = chosen.get("by")
    grain = Grain(by) if by in grains(stretch) else usual_grain(stretch)
    way = chosen.get("direction")
    return Wanted(_asked(stretch, way if way in list(Way) else None, chosen), grain, zone, settings, now)


def span_of(chosen: Mapping[str, str]) -> Span:
    return Span(chosen["span"]) if chosen.get("span") in list(Span) else USUAL


def grains(stretch: Stretch) -> list[Grain]:
    """Those in which a chart of this stretch can be read."""
    days = stretch.days
    fits = {Grain.HOUR: days <= 8, Grain.DAY: 2 < days <= 94, Grain.WEEK: days > 13, Grain.MONTH: days > 45}
    return [grain for grain, does in fits.items() if does]


def _between(begin: UnixMs | None, end: UnixMs | None, now: UnixMs) -> Stretch:
    """Until now, and of a week, where the one or the other is not said."""
    end = UnixMs(now + 1) if end is None else end
    stretch = Stretch(UnixMs(end - _WEEK_DAYS * DAY_MS) if begin is None else begin, end)
    if stretch.begin < _FIRST or stretch.end > _LAST:
        name = "from" if begin is not None else "to"
        raise invalid([FieldError(name, Message("must be of the years {first} to {last}", **_YEARS))])
    if stretch.end <= stretch.begin:
        raise invalid([FieldError("to", Message("must be later than from"))])
    if stretch.end - stretch.begin > (LONGEST_DAYS + 1) * DAY_MS:
        raise invalid([FieldError("from", Message("must be at most {days} days before to", days=LONGEST_DAYS))])
    return stretch


def _asked(stretch: Stretch, way: str | None, names: Mapping[str, str | None]) -> Asked:
    direction = None if way == Way.ALL else Direction(way or Way.INCOMING)
    return Asked(stretch=stretch, direction=direction, **{name: names.get(name) for name in NAMES})


def _days(chosen: Mapping[str, str], now: UnixMs, zone: ZoneInfo) -> Stretch | None:
    """Both days count in. None: none are given."""
    if "from" not in chosen and "to" not in chosen:
        return None
    first, last = _day(chosen, "from"), _day(chosen, "to")
    if first is None:
        first = (last or _today(now, zone)) - timedelta(_WEEK_DAYS - 1)
    end = UnixMs(now + 1) if last is None else midnight(last + timedelta(1), zone)
    begin = midnight(first, zone)
    return _between(begin, min(end, UnixMs(now + 1)) if begin <= now else end, now)


def _day(chosen: Mapping[str, str], name: str) -> date | None:
    if name not in chosen:
        return None
    try:
        found = date.fromisoformat(chosen[name])
    except ValueError:
        found = None
    if found is None or not _YEARS["first"] < found.year < _YEARS["last"]:
        raise invalid([FieldError(name, Message("must be a day as 2026-11-22"))])
    return found


def _today(now: UnixMs, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(now / 1000, zone).date()
