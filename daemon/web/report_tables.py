"""Each report as a table: what the API answers, files hold and pages show is this, and so always agrees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final

from daemon.call.model import MissedReason
from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.policy.report import REASONS, AgentWork, CallBacks, Counts, call_backs, percent
from daemon.policy.report_span import Grain, Stretch, key_of, midnight, periods
from daemon.policy.service_level import Tally, goals_of, rounded_below
from daemon.store.agents import read_all_names
from daemon.store.queues import read_queues
from daemon.store.reader import Reader
from daemon.store.report_agent_times import read_agent_times
from daemon.store.report_agents import read_agents_report
from daemon.store.report_call_backs import read_call_backs
from daemon.store.report_calls import Calls, read_calls_report
from daemon.store.report_customers import Missed, NotServed, read_missed, read_not_served
from daemon.store.service_level import Asked as AskedLevel
from daemon.store.service_level import GroupBy, tally
from daemon.web.report_agent_times import AGENT_TIMES, agent_times_table
from daemon.web.report_query import Report, Wanted
from daemon.web.report_table import ColumnKind, Row, Table, rounded

MOST_CUSTOMERS: Final = 1000
"""In an answer; a file has them all."""

_PAGE: Final = 20_000  # each is counted anew


_LEVEL: Final = {
    "period": ColumnKind.TEXT,
    "answered": ColumnKind.COUNT,
    "answered_within": ColumnKind.COUNT,
    "percent": ColumnKind.PERCENT,
    "target_met": ColumnKind.YES,
    "offered": ColumnKind.COUNT,
    "percent_of_offered": ColumnKind.PERCENT,
}
_WAITING: Final = {
    "period": ColumnKind.TEXT,
    "offered": ColumnKind.COUNT,
    "answered": ColumnKind.COUNT,
    "average_wait_seconds": ColumnKind.SECONDS,
    "longest_wait_seconds": ColumnKind.SECONDS,
    "longest_missed_wait_seconds": ColumnKind.SECONDS,
    "abandoned": ColumnKind.COUNT,
    "abandoned_percent": ColumnKind.PERCENT,
}
_AGENTS: Final = {
    "user_id": ColumnKind.TEXT,
    "name": ColumnKind.TEXT,
    "rings": ColumnKind.COUNT,
    "answers": ColumnKind.COUNT,
    "incoming": ColumnKind.COUNT,
    "outgoing": ColumnKind.COUNT,
    "talk_seconds": ColumnKind.SECONDS,
    "average_talk_seconds": ColumnKind.SECONDS,
}
COLUMNS: Final[Mapping[Report, Mapping[str, ColumnKind]]] = {
    Report.CALLS: {
        "period": ColumnKind.TEXT,
        "calls": ColumnKind.COUNT,
        "answered": ColumnKind.COUNT,
        "missed": ColumnKind.COUNT,
        **{one.value: ColumnKind.COUNT for one in REASONS},
    },
    Report.HOURS: {
        "weekday": ColumnKind.COUNT,
        "hour": ColumnKind.COUNT,
        "calls": ColumnKind.COUNT,
        "missed": ColumnKind.COUNT,
    },
    Report.WAITING: _WAITING,
    Report.SERVICE_LEVEL: _LEVEL,
    Report.CUSTOMERS: {
        "customer_number": ColumnKind.TEXT,
        "missed_calls": ColumnKind.COUNT,
        "last_missed_at": ColumnKind.TIME,
    },
    Report.AGENTS: _AGENTS,
    Report.AGENT_TIMES: AGENT_TIMES,
    Report.CALL_BACKS: {"reached": ColumnKind.TEXT, "callers": ColumnKind.COUNT, "percent": ColumnKind.PERCENT},
}


async def read_table(reads: Reader, report: Report, wanted: Wanted) -> Table:
    match report:
        case Report.CALLS:
            return calls_table(await read_calls_report(reads, wanted.asked, wanted.grain, wanted.zone))
        case Report.HOURS:
            return hours_table(await read_calls_report(reads, wanted.asked, wanted.grain, wanted.zone))
        case Report.WAITING:
            return waiting_table(await read_calls_report(reads, wanted.incoming, wanted.grain, wanted.zone))
        case Report.SERVICE_LEVEL:
            return level_table(await read_levels(reads, wanted))
        case Report.CUSTOMERS:
            missed = await read_missed(reads, wanted.of_everybody)
            return customers_table(missed, await read_not_served(reads, wanted.of_everybody, MOST_CUSTOMERS))
        case Report.AGENTS:
            return agents_table(await read_agents_report(reads, wanted.asked), await read_all_names(reads))
        case Report.AGENT_TIMES:
            times = await read_agent_times(reads, wanted.asked, wanted.now)
            return agent_times_table(times, await read_all_names(reads))
        case Report.CALL_BACKS:
            found = await read_call_backs(reads, wanted.of_everybody)
            return call_backs_table(await asyncio.to_thread(call_backs, found, wanted.zone))


async def table_rows(reads: Reader, report: Report, wanted: Wanted, table: Table) -> AsyncIterator[Sequence[Row]]:
    """All rows, some at a time, of what was read as `table`."""
    if report is not Report.CUSTOMERS:
        yield table.rows
        return
    after = 0
    while found := await read_not_served(reads, wanted.of_everybody, _PAGE, after):
        after += len(found)
        yield [_customer(one) for one in found]


@dataclass(frozen=True, slots=True)
class Levels:
    """Of every period, also those without calls; `target` is the queue's own where one is looked at that has one."""

    over_time: Mapping[str, Tally]
    target: int


async def read_levels(reads: Reader, wanted: Wanted) -> Levels:
    asked, zone, settings = wanted.incoming, wanted.zone, wanted.settings
    level = AskedLevel(
        begin=asked.stretch.begin,
        end=asked.stretch.end,
        within_ms=1000 * settings.sla_answer_within_seconds,
        short_ms=0,  # no figure here is about who gave up soon
        queue=asked.queue,
        hotline=asked.hotline,
        user_id=asked.user_id,
    )
    by_hour = wanted.grain is Grain.HOUR
    found = await tally(reads, level, GroupBy.HOUR if by_hour else GroupBy.DAY, zone)
    levels = {period.key: Tally() for period in periods(asked.stretch, wanted.grain, zone)}
    for key, one in found.items():
        assert key is not None
        name = key if by_hour else key_of(midnight(date.fromisoformat(key), zone), wanted.grain, zone)
        levels[name] += one
    return Levels(levels, goals_of(settings, await read_queues(reads)).of(asked.queue).target_percent)


def calls_table(found: Calls) -> Table:
    rows: list[Row] = [{"period": key, **_outcomes(one)} for key, one in found.over_time.items()]
    return Table(COLUMNS[Report.CALLS], rows, _outcomes(found.total))


def hours_table(found: Calls) -> Table:
    """Weekdays are 1 for Monday to 7."""
    rows: list[Row] = [
        {"weekday": day, "hour": hour, "calls": one.calls, "missed": one.missed}
        for day, hours in enumerate(found.week, 1)
        for hour, one in enumerate(hours)
    ]
    total = found.total
    return Table(COLUMNS[Report.HOURS], rows, {"calls": total.calls, "missed": total.missed})


def waiting_table(found: Calls) -> Table:
    rows: list[Row] = [{"period": key, **_waits(one)} for key, one in found.over_time.items()]
    return Table(COLUMNS[Report.WAITING], rows, _waits(found.total))


def level_table(found: Levels) -> Table:
    target = found.target
    rows: list[Row] = [{"period": key, **_level(one, target)} for key, one in found.over_time.items()]
    total = _level(sum(found.over_time.values(), Tally()), target)
    return Table(_LEVEL, rows, {**total, "target_percent": target})


def measured(levels: Table) -> Table:
    """As people read it: with one digit, and no share rounded up to the target beside it."""
    target = levels.total["target_percent"]
    assert isinstance(target, int)

    def shown(row: Row) -> Row:
        share = row["percent"]
        return {**row, "percent": rounded_below(target, share, 1) if isinstance(share, float) else None}

    return replace(levels, rows=[shown(row) for row in levels.rows], total=shown(levels.total))


def customers_table(missed: Missed, not_served: Sequence[NotServed]) -> Table:
    total: Row = {
        "customers": missed.customers,
        "not_served": missed.not_served,
        "not_served_percent": rounded(percent(missed.not_served, missed.customers)),
        "anonymous_calls": missed.anonymous_calls,
    }
    return Table(COLUMNS[Report.CUSTOMERS], [_customer(one) for one in not_served], total)


def agents_table(found: Sequence[AgentWork], names: Mapping[str, str]) -> Table:
    rows: list[Row] = [
        {"user_id": one.user_id, "name": names.get(one.user_id, ""), **_work(one)}
        for one in sorted(found, key=lambda one: (-one.answers - one.outgoing, one.user_id))
    ]
    every = AgentWork(
        user_id="",
        **{
            name: sum(getattr(one, name) for one in found)
            for name in ("rings", "answers", "incoming", "outgoing", "talked", "ended")
        },
    )
    return Table(_AGENTS, rows, _work(every))


def call_backs_table(found: CallBacks) -> Table:
    places = ("quarter", "hour", "same_day", "later", "never")
    rows: list[Row] = [
        {
            "reached": name,
            "callers": getattr(found, name),
            "percent": rounded(percent(getattr(found, name), found.all)),
        }
        for name in places
    ]
    total: Row = {
        "callers": found.all,
        "reached": found.reached,
        "reached_percent": rounded(percent(found.reached, found.all)),
        "called_back": found.by_us,
        "got_through": found.reached - found.by_us,
        "median_seconds": found.median_seconds,
        "ninety_percent_seconds": found.most_seconds,
    }
    return Table(COLUMNS[Report.CALL_BACKS], rows, total)


def span_json(stretch: Stretch) -> dict[str, str | None]:
    return {"from": iso_utc(stretch.begin), "to": iso_utc(stretch.end)}


def unix_ms(iso: str) -> UnixMs:
    """Back from a cell."""
    return UnixMs(int(datetime.fromisoformat(iso).timestamp() * 1000))


def _outcomes(one: Counts) -> Row:
    reasons = {reason.value: one.of(reason) for reason in MissedReason}
    return {"calls": one.calls, "answered": one.answered, "missed": one.missed, **reasons}


def _waits(one: Counts) -> Row:
    return {
        "offered": one.offered,
        "answered": one.answered,
        "average_wait_seconds": rounded(one.average_wait_seconds, 3),
        "longest_wait_seconds": one.longest / 1000,
        "longest_missed_wait_seconds": one.longest_missed / 1000,
        "abandoned": one.abandoned,
        "abandoned_percent": rounded(one.abandoned_percent),
    }


def _level(one: Tally, target: int) -> Row:
    return {
        "answered": one.answered,
        "answered_within": one.within,
        "percent": one.shown_percent(target, 2),
        "target_met": one.meets(target),
        "offered": one.offered,
        "percent_of_offered": rounded(one.percent_of_offered),
    }


def _customer(one: NotServed) -> Row:
    return {
        "customer_number": one.customer_number,
        "missed_calls": one.missed,
        "last_missed_at": iso_utc(one.last_at),
    }


def _work(one: AgentWork) -> Row:
    return {
        "rings": one.rings,
        "answers": one.answers,
        "incoming": one.incoming,
        "outgoing": one.outgoing,
        "talk_seconds": one.talked / 1000,
        "average_talk_seconds": rounded(one.average_talk_seconds, 3),
    }
