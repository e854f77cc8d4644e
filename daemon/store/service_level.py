"""Counts for service levels, summed by the database; of a span of time in local days, hours or half hours by us."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial, reduce
from operator import add
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, null, select

from daemon.call.model import Direction, MissedReason
from daemon.call.signals import UnixMs
from daemon.policy.report_span import QUARTER_MS, Grain, name_of
from daemon.policy.service_level import Tally
from daemon.store.call_figures import BEGAN, IS_ANSWERED, WAIT, WAITED_IN_VAIN
from daemon.store.reader import Reader
from daemon.store.tables import calls, queues
from daemon.store.work import Row

_LONG_MS: Final = 2 * 86_400_000  # what is shown of today, also on the wall, waits for no report


class GroupBy(StrEnum):
    """What one figure is for."""

    DAY = "day"
    HOUR = "hour"
    HALF_HOUR = "half_hour"
    QUEUE = "queue"
    HOTLINE = "hotline"
    USER_ID = "user_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Incoming calls that began in `begin` <= t < `end`. A call that waited exactly `within_ms` was in time.

    A call of a queue with a limit of its own is judged by that, unless there is to be `one_limit` for all.
    None matches every call; an agent's are those that he was the last to answer.
    """

    begin: UnixMs
    end: UnixMs
    within_ms: int
    short_ms: int
    one_limit: bool = False
    queue: str | None = None
    hotline: str | None = None
    user_id: str | None = None


_GAVE_UP: Final = calls.c.missed_reason == MissedReason.ABANDONED.value
_GAVE_UP_AFTER: Final = calls.c.ended_at - BEGAN
_LIMIT_OF_QUEUE: Final = 1000 * queues.c.sla_answer_within_seconds
_SLOT: Final = calls.c.started_at // QUARTER_MS


async def tally(reads: Reader, asked: Asked, by: GroupBy | None, zone: ZoneInfo) -> dict[str | None, Tally]:
    """By key, in order of time or name. Without `by` there is one, with the key None.

    A queue, hotline or agent of None is that of calls that had none.
    """
    fetch = reads.fetch_slowly if asked.end - asked.begin > _LONG_MS else reads.fetch
    if by in _SPANS:
        rows = await fetch(_statement(asked, _SLOT), {})
        return await asyncio.to_thread(_by_span, rows, _SPANS[by], zone)
    key = null() if by is None else calls.c[by.value]
    rows = await fetch(_statement(asked, key), {})
    found = {row["key"]: _tally(row) for row in rows}
    return {key: found[key] for key in sorted(found, key=lambda key: (key is None, key))}


def _statement(asked: Asked, key: ColumnElement[Any]) -> Select[tuple[object, ...]]:
    def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    limit = literal(asked.within_ms) if asked.one_limit else func.coalesce(_LIMIT_OF_QUEUE, asked.within_ms)
    statement = select(
        key.label("key"),
        count(IS_ANSWERED).label("answered"),
        count(and_(IS_ANSWERED, limit >= WAIT)).label("within"),
        count(WAITED_IN_VAIN).label("missed"),
        count(and_(WAITED_IN_VAIN, _GAVE_UP, asked.short_ms > _GAVE_UP_AFTER)).label("short"),
        func.coalesce(func.sum(case((IS_ANSWERED, WAIT))), 0).label("waited"),
        func.coalesce(func.max(case((IS_ANSWERED, WAIT))), 0).label("longest"),
    ).where(
        calls.c.direction == Direction.INCOMING.value,
        calls.c.started_at >= asked.begin,
        calls.c.started_at < asked.end,
    )
    if not asked.one_limit:
        statement = statement.select_from(calls.outerjoin(queues, queues.c.name == calls.c.queue))
    for name in ("queue", "hotline", "user_id"):
        if (value := getattr(asked, name)) is not None:
            statement = statement.where(calls.c[name] == value)
    return statement.group_by(key)


def _tally(row: Row) -> Tally:
    return Tally(**{name: int(row[name]) for name in ("answered", "within", "missed", "short", "waited", "longest")})


def _half_hour(at: datetime) -> str:
    return at.replace(minute=at.minute // 30 * 30).isoformat(timespec="minutes")


_SPANS: Final[Mapping[GroupBy | None, Callable[[datetime], str]]] = {
    GroupBy.DAY: partial(name_of, grain=Grain.DAY),
    GroupBy.HOUR: partial(name_of, grain=Grain.HOUR),
    GroupBy.HALF_HOUR: _half_hour,
}


def _by_span(rows: Sequence[Row], name: Callable[[datetime], str], zone: ZoneInfo) -> dict[str | None, Tally]:
    """With the offset in an hour's name, so that the hour that comes twice in autumn is two."""
    found: dict[str | None, list[Tally]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: int(row["key"])):
        began = datetime.fromtimestamp(row["key"] * QUARTER_MS / 1000, UTC).astimezone(zone)
        found[name(began)].append(_tally(row))
    return {key: reduce(add, several) for key, several in found.items()}
