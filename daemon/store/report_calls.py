"""What became of calls, summed by the database in hours or quarters of them, by us in periods and hours of the week."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, func, literal, null, select

from daemon.call.model import Direction
from daemon.policy.report import REASONS, Counts
from daemon.policy.report_span import DAY_MS, Grain, Stretch, name_of, periods, slot_ms
from daemon.store.call_figures import BEGAN, IS_ANSWERED, IS_MISSED, WAIT, WAITED_IN_VAIN
from daemon.store.reader import Reader
from daemon.store.tables import calls
from daemon.store.work import Row

HOURS: Final = 24
_WEEKDAYS: Final = 7
_PART_MS: Final = 7 * DAY_MS
_FILTERS: Final = ("queue", "hotline", "user_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Calls that began in the stretch; None matches every call. An agent's are those he was the last to answer."""

    stretch: Stretch
    direction: Direction | None = Direction.INCOMING
    queue: str | None = None
    hotline: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Calls:
    """`over_time` has every period of the stretch, also empty ones; `week` is by weekday (Monday first) and hour."""

    over_time: dict[str, Counts]
    week: list[list[Counts]]

    @property
    def total(self) -> Counts:
        return sum(self.over_time.values(), Counts())


_UNITS: Final = {
    "answered": func.sum(case((IS_ANSWERED, 1), else_=0)),
    "missed": func.sum(case((IS_MISSED, 1), else_=0)),
    "waited": func.sum(case((IS_ANSWERED, WAIT), else_=0)),
    "longest": func.max(case((IS_ANSWERED, WAIT), else_=0)),
    "longest_missed": func.max(
        case((and_(WAITED_IN_VAIN, calls.c.ended_at != null()), calls.c.ended_at - BEGAN), else_=0)
    ),
}


async def read_calls_report(reads: Reader, asked: Asked, grain: Grain, zone: ZoneInfo) -> Calls:
    slot = slot_ms(asked.stretch, zone)
    rows = await fetch_in_parts(reads, calls_statement(asked, slot), asked.stretch)
    return await asyncio.to_thread(_summed, rows, slot, asked.stretch, grain, zone)


async def fetch_in_parts(reads: Reader, statement: Select[*tuple[Any, ...]], stretch: Stretch) -> list[Row]:
    """Rows of each week, to be added up: SQLite sorts weeks in half the time of a year, and others read in between."""
    rows: list[Row] = []
    for begin in range(stretch.begin, stretch.end, _PART_MS):
        rows += await reads.fetch_slowly(statement, {"b_begin": begin, "b_end": min(begin + _PART_MS, stretch.end)})
    return rows


def conditions(asked: Asked, *, in_parts: bool = False) -> list[ColumnElement[bool]]:
    """Of a statement about calls; with `in_parts` of one for `fetch_in_parts`."""
    stretch = asked.stretch
    begin, end = (
        (bindparam("b_begin"), bindparam("b_end")) if in_parts else (literal(stretch.begin), literal(stretch.end))
    )
    found: list[ColumnElement[bool]] = [calls.c.started_at >= begin, calls.c.started_at < end]
    if asked.direction is not None:
        found.append(calls.c.direction == asked.direction.value)
    values = {name: getattr(asked, name) for name in _FILTERS}
    return [*found, *(calls.c[name] == value for name, value in values.items() if value is not None)]


def calls_statement(asked: Asked, slot: int) -> Select[tuple[Any, ...]]:
    reasons = [
        func.sum(case((and_(IS_MISSED, calls.c.missed_reason == one.value), 1), else_=0)).label(one.value)
        for one in REASONS
    ]
    units = [unit.label(name) for name, unit in _UNITS.items()]
    number = calls.c.started_at // slot
    return select(number.label("slot"), *units, *reasons).where(*conditions(asked, in_parts=True)).group_by(number)


def _summed(rows: Sequence[Row], slot: int, stretch: Stretch, grain: Grain, zone: ZoneInfo) -> Calls:
    over_time = {period.key: Counts() for period in periods(stretch, grain, zone)}
    week = [[Counts() for _ in range(HOURS)] for _ in range(_WEEKDAYS)]
    for row in rows:
        began = max(row["slot"] * slot, stretch.begin)
        counts, local = _counts(row), datetime.fromtimestamp(began / 1000, UTC).astimezone(zone)
        over_time[name_of(local, grain)] += counts
        week[local.weekday()][local.hour] += counts
    return Calls(over_time, week)


def _counts(row: Row) -> Counts:
    return Counts(**{name: row[name] for name in _UNITS}, reasons=tuple(row[one.value] for one in REASONS))
