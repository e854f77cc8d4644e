"""`/service-level`: how many incoming calls were answered in time, by day, queue, hotline or agent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from aiohttp import web

from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.policy.call_settings import CallSettings
from daemon.policy.service_level import Goal, Tally
from daemon.store.service_level import Asked, GroupBy, tally
from daemon.store.settings import read_settings
from daemon.web.page import show_many, words
from daemon.web.pages.filters import address_of, filters
from daemon.web.services import services
from daemon.web.sla import LONGEST_SECONDS, day_began, goals_set, judging
from daemon.web.words import Translate

_PATH: Final = "/service-level"
_NAMES: Final = ("queue", "hotline", "user_id")
_FILTERS: Final = ("span", "by", "within", *_NAMES)
_SLIDER_S: Final = 120
_SHOWN_QUEUES: Final = 6
"""So many of those that have something of their own are told; all stand among the figures by queue."""
_SPANS: Final[Mapping[str, tuple[Message, int, int]]] = {
    "today": (Message("Today"), 0, -1),
    "yesterday": (Message("Yesterday"), 1, 0),
    "week": (Message("7 days"), 6, -1),
    "month": (Message("30 days"), 29, -1),
    "year": (Message("A year"), 364, -1),
}
"""From midnight so many days ago to before midnight so many days ago."""
_GROUPS: Final[Mapping[str, Message]] = {
    GroupBy.DAY: Message("Day"),
    GroupBy.HOUR: Message("Hour"),
    GroupBy.HALF_HOUR: Message("Half hour"),
    GroupBy.QUEUE: Message("Queue"),
    GroupBy.HOTLINE: Message("Hotline"),
    GroupBy.USER_ID: Message("Agent"),
}
_FINE: Final = (GroupBy.HOUR, GroupBy.HALF_HOUR)


async def show_service_level(request: web.Request) -> web.Response:
    """`span`, `by`, and one name of each kind stand in the address; what is no choice is as if it were not there."""
    parts, _, chosen = services(request), words(request), filters(request, _FILTERS)
    settings = (await read_settings(parts.reads)).settings
    span = chosen.get("span") if chosen.get("span") in _SPANS else "today"
    by = _by(chosen, str(span))
    asked = _asked(chosen, str(span), settings, parts.clock())
    goals = await goals_set(parts.reads, settings, asked.queue)
    judged = judging(asked, goals)
    groups = await tally(parts.reads, asked, by, ZoneInfo(settings.time_zone))
    within = judged.usual.within_seconds
    return await show_many(
        request,
        "service_level.html",
        total=sum(groups.values(), Tally()),
        rows=[
            _row(key, one, judged.of(key) if by is GroupBy.QUEUE else judged.usual, by, chosen, _)
            for key, one in groups.items()
        ],
        goals=judged,
        others=list(judged.of_queues.items())[:_SHOWN_QUEUES],
        set_goals=goals,
        is_tried=asked.one_limit and (within != goals.usual.within_seconds or goals.has_several_limits),
        slider_ends=max(_SLIDER_S, within, goals.usual.within_seconds),
        short=settings.sla_short_abandon_seconds,
        by_queue=by is GroupBy.QUEUE,
        by_name=by.value in _NAMES,
        spans=[(address_of(_PATH, chosen, span=key), _(word), key == span) for key, (word, *__) in _SPANS.items()],
        ways=[
            (address_of(_PATH, chosen, by=key), _(word), key == by)
            for key, word in _GROUPS.items()
            if key not in _FINE or span in ("today", "yesterday", "week")
        ],
        by_word=_(_GROUPS[by]),
        kept=[(name, chosen[name]) for name in _FILTERS if name in chosen and name != "within"],
        narrowed=[
            (_(_GROUPS[name]), chosen[name], address_of(_PATH, chosen, **{name: None}))
            for name in _NAMES
            if name in chosen
        ],
        as_set=address_of(_PATH, chosen, within=None),
    )


def _by(chosen: Mapping[str, str], span: str) -> GroupBy:
    """Hours of a day, days of anything longer, unless something else is asked for that can be read."""
    asked = chosen.get("by", "")
    if asked in _GROUPS and not (asked in _FINE and span in ("month", "year")):
        return GroupBy(asked)
    return GroupBy.HOUR if span in ("today", "yesterday") else GroupBy.DAY


def _asked(chosen: Mapping[str, str], span: str, settings: CallSettings, now: UnixMs) -> Asked:
    zone, (_, first, last) = ZoneInfo(settings.time_zone), _SPANS[span]
    within = chosen.get("within", "")
    usable = within.isascii() and within.isdigit() and len(within) < 5 and 1 <= int(within) <= LONGEST_SECONDS
    return Asked(
        begin=day_began(now, zone, first),
        end=UnixMs(now + 1) if last < 0 else day_began(now, zone, last),
        within_ms=1000 * (int(within) if usable else settings.sla_answer_within_seconds),
        short_ms=1000 * settings.sla_short_abandon_seconds,
        one_limit=usable,
        **{name: chosen.get(name) for name in _NAMES},
    )


def _row(
    key: str | None, found: Tally, goal: Goal, by: GroupBy, chosen: Mapping[str, str], _: Translate
) -> dict[str, Any]:
    """A queue, hotline or agent leads to its own hours and days."""
    narrower = key is not None and by in (GroupBy.QUEUE, GroupBy.HOTLINE, GroupBy.USER_ID)
    return {
        "name": _name(key, by, _),
        "page": address_of(_PATH, chosen, **{by.value: key, "by": None}) if narrower else None,
        "found": found,
        "goal": goal,
    }


def _name(key: str | None, by: GroupBy, _: Translate) -> str:
    if key is None:
        none = {GroupBy.QUEUE: _("No queue"), GroupBy.HOTLINE: _("No hotline"), GroupBy.USER_ID: _("Nobody")}
        return none[by]
    if by is GroupBy.DAY:
        return f"{datetime.fromisoformat(key):%d/%m/%Y}"
    if by in _FINE:
        return f"{datetime.fromisoformat(key):%d/%m %H:%M}"
    return key
