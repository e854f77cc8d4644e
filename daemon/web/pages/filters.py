"""Filters and pages of a list in its address, so that any view can be shared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from aiohttp import web

from daemon.call.signals import UnixMs
from daemon.web.query import Query, pack

ROWS: Final = 50


def filters(request: web.Request, names: Sequence[str]) -> dict[str, str]:
    """Those that are given and not empty."""
    query = Query(request, set(request.query))
    given = {name: (query.text(name) or "").strip() for name in names}
    return {name: value for name, value in given.items() if value}


def cursor(request: web.Request, *kinds: type) -> list[int | str] | None:
    return Query(request, set(request.query)).cursor(*kinds)


def address_of(path: str, values: Mapping[str, str], **changes: str | None) -> str:
    """The same list with other filters; None takes one away."""
    kept = {name: value for name, value in {**values, **changes}.items() if value is not None}
    return f"{path}?{urlencode(kept)}" if kept else path


def older(path: str, values: Mapping[str, str], place: Sequence[int | str]) -> str:
    return address_of(path, values, cursor=pack(place))


def day_begins(text: str, zone: str, days: int = 0) -> UnixMs | None:
    """Midnight of a date as `<input type=date>` writes it, so many days later; None: it is no date."""
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        midnight = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)  # some are none there
        return UnixMs(int(midnight.timestamp() * 1000))
    except (ValueError, OverflowError):
        return None
