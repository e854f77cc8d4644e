"""`/reports/agents-time`: what agents were for how long. The section can stand in other reports: `section_values`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.store.agent_times import AgentTime, read_agent_times
from daemon.store.settings import read_settings
from daemon.web.agent_times import reason_word
from daemon.web.page import show_many, words
from daemon.web.pages.filters import address_of, filters
from daemon.web.services import services
from daemon.web.sla import day_began
from daemon.web.words import Translate

_PATH: Final = "/reports/agents-time"
_SPANS: Final[Mapping[str, tuple[Message, int, int]]] = {
    "today": (Message("Today"), 0, -1),
    "yesterday": (Message("Yesterday"), 1, 0),
    "week": (Message("7 days"), 6, -1),
    "month": (Message("30 days"), 29, -1),
    "year": (Message("A year"), 364, -1),
}
"""From midnight so many days ago to before midnight so many days ago; -1: until now."""


async def show_agent_times(request: web.Request) -> web.Response:
    """`span` stands in the address; what is no choice is as if it were not there."""
    parts, _ = services(request), words(request)
    asked = filters(request, ("span",)).get("span", "")
    span = asked if asked in _SPANS else "today"
    zone, now = ZoneInfo((await read_settings(parts.reads)).settings.time_zone), parts.clock()
    _word, first, last = _SPANS[span]
    begin = day_began(now, zone, first)
    end = UnixMs(now + 1) if last < 0 else day_began(now, zone, last)
    found = await read_agent_times(parts.reads, begin, end, now)
    return await show_many(
        request,
        "agent_times.html",
        spans=[(address_of(_PATH, {}, span=key), _(word), key == span) for key, (word, *__) in _SPANS.items()],
        **section_values(found, begin, end, _),
    )


def section_values(found: list[AgentTime], begin: UnixMs, end: UnixMs, _: Translate) -> dict[str, Any]:
    """What `agent_times_section.html` shows, besides what every page has."""
    span = {"from": str(iso_utc(begin)), "to": str(iso_utc(end))}
    return {
        "agent_rows": [_row(one, _) for one in found],
        "agent_files": {kind: address_of(f"/api/v1/reports/agent-times.{kind}", span) for kind in ("csv", "xlsx")},
        "agents_estimated": sum(one.estimated for one in found),
    }


def duration(ms: int) -> str:
    """In hours, minutes and seconds, as 1:02:09, so that columns can be compared; nothing is a dash."""
    if ms <= 0:
        return "\N{EN DASH}"
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def _row(one: AgentTime, _: Translate) -> dict[str, Any]:
    longest = sorted(one.pauses.items(), key=lambda pair: (-pair[1].ms, pair[0]))
    return {
        "name": one.name or one.user_id,
        "available": duration(one.available.ms),
        "wrap_up": duration(one.wrap_up.ms),
        "paused": duration(one.paused.ms),
        "pauses": one.paused.count,
        "reasons": [(reason_word(reason, _), duration(spent.ms), spent.count) for reason, spent in longest],
        "not_known": duration(one.not_known),
        "is_estimated": one.estimated > 0,
        "rings": one.rings,
        "answers": one.answers,
        "talk": duration(one.talk),
        "bar": _bar(one),
    }


def _bar(one: AgentTime) -> list[tuple[str, float, float]]:
    """Class, begin and width of each part, in percent of the span; what is not known stays empty."""
    parts = (("available", one.available.ms), ("wrap-up", one.wrap_up.ms), ("paused", one.paused.ms))
    found, at = [], 0.0
    for name, ms in parts:
        width = 100 * ms / one.span_ms if one.span_ms else 0.0
        if ms:
            found.append((name, round(at, 2), round(width, 2)))
        at += width
    return found
