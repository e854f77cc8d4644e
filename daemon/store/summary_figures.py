"""The figures of one day for the summary, by the same statements as the service level's and the tickets' pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, bindparam, case, distinct, func, null, select

from daemon.call.model import Direction, Outcome
from daemon.call.signals import UnixMs
from daemon.policy.call_settings import CallSettings
from daemon.policy.decision import TicketKind
from daemon.policy.service_level import Tally
from daemon.policy.summary import day_span
from daemon.store.agent_times import read_agent_times
from daemon.store.reader import Reader
from daemon.store.row import compact_json
from daemon.store.service_level import Asked, GroupBy, tally
from daemon.store.statement import each_of
from daemon.store.tables import calls, tickets
from daemon.store.ticket_pages import TicketFilter, count_tickets
from daemon.store.values import TicketStatus

_MOST_AGENTS: Final = 5
_UNDONE: Final = (TicketStatus.OPEN.value, TicketStatus.PENDING.value)


@dataclass(frozen=True, slots=True)
class TopAgent:
    """`answered` incoming calls, `talk` ms of all his calls."""

    name: str
    answered: int
    talk: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SummaryFigures:
    """`hours` are those with a call, by their beginning. `not_served` and `open_tickets` are of now."""

    day: date
    total: Tally
    target_percent: int
    within_seconds: int
    left_in_ivr: int
    outgoing_answered: int
    outgoing_missed: int
    internal: int
    hours: Mapping[str, Tally]
    agents: tuple[TopAgent, ...]
    not_served: int
    open_tickets: int

    @property
    def busiest(self) -> tuple[str, int] | None:
        """The first of the hours in which most calls were offered."""
        best = max(self.hours.items(), key=lambda pair: pair[1].offered, default=None)
        return (best[0], best[1].offered) if best is not None and best[1].offered else None


_IN_DAY: Final = (calls.c.started_at >= bindparam("b_begin"), calls.c.started_at < bindparam("b_end"))
_ENDED = (
    select(calls.c.direction, calls.c.outcome, func.count().label("count"))
    .where(*_IN_DAY, calls.c.outcome != null())
    .group_by(calls.c.direction, calls.c.outcome)
)
_INTERNAL = select(func.count().label("count")).where(*_IN_DAY, calls.c.direction == Direction.INTERNAL.value)
_NOT_SERVED = select(
    func.count(distinct(tickets.c.customer_number)).label("known"),
    func.sum(case((tickets.c.customer_number == null(), 1), else_=0), type_=Integer).label("withheld"),
).where(tickets.c.kind == TicketKind.MISSED_INCOMING.value, tickets.c.status.in_(each_of("b_statuses")))


async def read_figures(reads: Reader, day: date, settings: CallSettings, now: UnixMs) -> SummaryFigures:
    zone = ZoneInfo(settings.time_zone)
    begin, end = day_span(day, zone)
    asked = Asked(begin=begin, end=end, within_ms=1000 * settings.sla_answer_within_seconds, short_ms=0)
    hours = {str(key): one for key, one in (await tally(reads, asked, GroupBy.HOUR, zone)).items()}
    total = sum(hours.values(), Tally())
    span = {"b_begin": begin, "b_end": end}
    ended = {(row["direction"], row["outcome"]): int(row["count"]) for row in await reads.fetch(_ENDED, span)}
    incoming, outgoing, missed = Direction.INCOMING.value, Direction.OUTGOING.value, Outcome.MISSED.value
    (waiting,) = await reads.fetch(_NOT_SERVED, {"b_statuses": compact_json(_UNDONE)})
    return SummaryFigures(
        day=day,
        total=total,
        target_percent=settings.sla_target_percent,
        within_seconds=settings.sla_answer_within_seconds,
        left_in_ivr=max(0, ended.get((incoming, missed), 0) - total.missed),
        outgoing_answered=ended.get((outgoing, Outcome.ANSWERED.value), 0),
        outgoing_missed=ended.get((outgoing, missed), 0),
        internal=int((await reads.fetch(_INTERNAL, span))[0]["count"]),
        hours=hours,
        agents=await _top_agents(reads, begin, end, now),
        not_served=int(waiting["known"]) + int(waiting["withheld"] or 0),
        open_tickets=await count_tickets(reads, TicketFilter(statuses=_UNDONE)),
    )


async def _top_agents(reads: Reader, begin: UnixMs, end: UnixMs, now: UnixMs) -> tuple[TopAgent, ...]:
    found = await read_agent_times(reads, begin, end, now)
    best = sorted((one for one in found if one.answers), key=lambda one: (-one.answers, -one.talk, one.user_id))
    return tuple(TopAgent(one.name or one.user_id, one.answers, one.talk) for one in best[:_MOST_AGENTS])
