"""`/api/v1/sla`: how many incoming calls were answered in time, in a span of time, by day, queue, hotline or agent.

Each call is judged by the limit of its queue, or by that of the call settings; sums are of calls so judged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.policy.call_settings import CallSettings
from daemon.policy.report_span import DAY_MS, LONGEST_DAYS, midnight
from daemon.policy.service_level import Goal, Goals, Tally, goals_of
from daemon.store.queues import read_queues
from daemon.store.reader import Reader
from daemon.store.service_level import Asked, GroupBy, tally
from daemon.store.settings import read_settings
from daemon.web.listing import json_response
from daemon.web.problem import FieldError, invalid
from daemon.web.query import Query
from daemon.web.services import services

FINE_DAYS: Final = 31
LONGEST_SECONDS: Final = 3600
_TEXTS: Final = ("queue", "hotline", "user_id")
_PARAMETERS: Final = ("from", "to", "by", "answer_within_seconds", "short_abandon_seconds", *_TEXTS)
_FINE: Final = (GroupBy.HOUR, GroupBy.HALF_HOUR)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Shares are percents with two decimals, waits seconds; null where there is nothing to divide by.

    The target is met or not before anything is rounded.
    """

    answered: int
    answered_within: int
    missed: int
    short_abandoned: int
    offered: int
    percent: float | None
    percent_of_offered: float | None
    percent_without_short_abandons: float | None
    target_percent: int
    target_met: bool | None
    average_wait_seconds: float | None
    longest_wait_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Group(Figures):
    """`key` is a day (2026-11-22), the beginning of an hour with its offset, or a name; null: calls without one.

    The target is that of the queue where figures are by queue, else that of the total.
    """

    key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueGoal:
    """What counts for a queue, where it is not what counts for all."""

    queue: str
    target_percent: int
    answer_within_seconds: int


async def get_sla(request: web.Request) -> web.Response:
    """Today so far, by the settings in force, where nothing else is asked for."""
    query, parts = Query(request, _PARAMETERS), services(request)
    settings = (await read_settings(parts.reads)).settings
    zone, by = ZoneInfo(settings.time_zone), _group_by(query)
    asked = _asked(query, settings, zone, parts.clock())
    _bound(asked, by)
    goals = judging(asked, await goals_set(parts.reads, settings, asked.queue))
    groups = await tally(parts.reads, asked, by, zone)
    return json_response(
        {
            "from": iso_utc(asked.begin),
            "to": iso_utc(asked.end),
            "time_zone": settings.time_zone,
            "by": by,
            "target_percent": goals.usual.target_percent,
            "answer_within_seconds": goals.usual.within_seconds,
            "short_abandon_seconds": asked.short_ms // 1000,
            "queues": [
                asdict(
                    QueueGoal(queue=name, target_percent=one.target_percent, answer_within_seconds=one.within_seconds)
                )
                for name, one in goals.of_queues.items()
            ],
            "total": asdict(_figures(sum(groups.values(), Tally()), goals.usual)),
            "groups": [
                {"key": key, **asdict(_figures(one, goals.of(key) if by is GroupBy.QUEUE else goals.usual))}
                for key, one in groups.items()
                if by
            ],
        }
    )


async def goals_set(reads: Reader, settings: CallSettings, queue: str | None) -> Goals:
    """Those in force; where one queue is looked at, its own."""
    return goals_of(settings, await read_queues(reads)).for_queue(queue)


def judging(asked: Asked, goals: Goals) -> Goals:
    """By which what is asked for is judged."""
    return goals.with_one_limit(asked.within_ms // 1000) if asked.one_limit else goals


def _group_by(query: Query) -> GroupBy | None:
    by = query.choice("by", GroupBy)
    return None if by is None else GroupBy(by)


def _asked(query: Query, settings: CallSettings, zone: ZoneInfo, now: UnixMs) -> Asked:
    within = query.number("answer_within_seconds", 1, LONGEST_SECONDS)
    short = query.number("short_abandon_seconds", 0, LONGEST_SECONDS)
    begin, end = query.time("from"), query.time("to")
    return Asked(
        begin=day_began(now, zone) if begin is None else begin,
        end=UnixMs(now + 1) if end is None else end,
        within_ms=1000 * (settings.sla_answer_within_seconds if within is None else within),
        short_ms=1000 * (settings.sla_short_abandon_seconds if short is None else short),
        one_limit=within is not None,
        **{name: query.text(name) for name in _TEXTS},
    )


def _bound(asked: Asked, by: GroupBy | None) -> None:
    """A page of a report reads no more than its reader can look at."""
    days = FINE_DAYS if by in _FINE else LONGEST_DAYS
    if asked.end <= asked.begin:
        raise invalid([FieldError("to", Message("must be later than from"))])
    if asked.end - asked.begin > (days + 1) * DAY_MS:
        raise invalid([FieldError("from", Message("must be at most {days} days before to", days=days))])


def day_began(now: UnixMs, zone: ZoneInfo, days_ago: int = 0) -> UnixMs:
    """Midnight on the operator's wall clock."""
    return midnight(datetime.fromtimestamp(now / 1000, zone).date() - timedelta(days=days_ago), zone)


def _figures(found: Tally, goal: Goal) -> Figures:
    return Figures(
        answered=found.answered,
        answered_within=found.within,
        missed=found.missed,
        short_abandoned=found.short,
        offered=found.offered,
        percent=found.shown_percent(goal.target_percent, 2),
        percent_of_offered=_rounded(found.percent_of_offered),
        percent_without_short_abandons=_rounded(found.percent_without_short),
        target_percent=goal.target_percent,
        target_met=found.meets(goal.target_percent),
        average_wait_seconds=_rounded(found.average_wait_seconds, 3),
        longest_wait_seconds=found.longest / 1000,
    )


def _rounded(value: float | None, digits: int = 2) -> float | None:
    return None if value is None else round(value, digits)
