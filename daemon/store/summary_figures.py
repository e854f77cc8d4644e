"""The figures of one day for the summary, by the functions of the service level and the reports: they always agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo

from daemon.call.model import Direction, MissedReason
from daemon.policy.call_settings import CallSettings
from daemon.policy.report import AgentWork, Counts
from daemon.policy.report_span import Grain, Stretch, day_stretch
from daemon.policy.service_level import Tally, goals_of
from daemon.store.agents import read_all_names
from daemon.store.queues import read_queues
from daemon.store.reader import Reader
from daemon.store.report_agents import read_agents_report
from daemon.store.report_calls import Asked, Calls, read_calls_report
from daemon.store.report_customers import Missed, read_missed
from daemon.store.service_level import Asked as AskedLevel
from daemon.store.service_level import tally
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
    """`level` is what the service level says, `incoming` and the others what reports say, by hours where it is told.

    `missed` are customers of that day, and who of them is not served up to now; `open_tickets` are those of now.
    """

    day: date
    level: Tally
    target_percent: int
    within_seconds: int
    has_several_limits: bool
    incoming: Calls
    outgoing: Counts
    internal: Counts
    agents: tuple[TopAgent, ...]
    missed: Missed
    open_tickets: int

    @property
    def left_in_ivr(self) -> int:
        return self.incoming.total.of(MissedReason.LEFT_IN_IVR)

    @property
    def shown_percent(self) -> float | None:
        return self.level.shown_percent(self.target_percent, 1)

    @property
    def busiest(self) -> tuple[str, int] | None:
        """The first of the hours in which most calls were offered, by its beginning."""
        best = max(self.incoming.over_time.items(), key=lambda pair: pair[1].offered, default=None)
        return (best[0], best[1].offered) if best is not None and best[1].offered else None


async def read_figures(reads: Reader, day: date, settings: CallSettings) -> SummaryFigures:
    zone = ZoneInfo(settings.time_zone)
    stretch = day_stretch(day, zone)
    incoming, outgoing, internal = [
        await read_calls_report(reads, Asked(stretch=stretch, direction=one), Grain.HOUR, zone)
        for one in (Direction.INCOMING, Direction.OUTGOING, Direction.INTERNAL)
    ]
    return SummaryFigures(
        day=day,
        level=await _level(reads, stretch, settings, zone),
        target_percent=settings.sla_target_percent,
        within_seconds=settings.sla_answer_within_seconds,
        has_several_limits=goals_of(settings, await read_queues(reads)).has_several_limits,
        incoming=incoming,
        outgoing=outgoing.total,
        internal=internal.total,
        agents=await _top_agents(reads, Asked(stretch=stretch)),
        missed=await read_missed(reads, Asked(stretch=stretch)),
        open_tickets=await count_tickets(reads, TicketFilter(statuses=_UNDONE)),
    )


async def _level(reads: Reader, stretch: Stretch, settings: CallSettings, zone: ZoneInfo) -> Tally:
    asked = AskedLevel(
        begin=stretch.begin, end=stretch.end, within_ms=1000 * settings.sla_answer_within_seconds, short_ms=0
    )
    return sum((await tally(reads, asked, None, zone)).values(), Tally())


async def _top_agents(reads: Reader, asked: Asked) -> tuple[TopAgent, ...]:
    """By the calls they were the last to answer, as the service level counts them by agent."""
    found, names = await read_agents_report(reads, asked), await read_all_names(reads)
    best = sorted((one for one in found if one.incoming), key=_rank)
    named = [TopAgent(names.get(one.user_id) or one.user_id, one.incoming, one.talked) for one in best]
    return tuple(named[:_MOST_AGENTS])


def _rank(one: AgentWork) -> tuple[int, int, str]:
    return -one.incoming, -one.talked, one.user_id
