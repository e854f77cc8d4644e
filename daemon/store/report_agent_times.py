"""What agents were for how long in a stretch of time: their periods, clipped to it.

What came of their calls in it is told by `report_agents` alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Select, and_, bindparam, case, func, select

from daemon.call.signals import UnixMs
from daemon.policy.agent_period import Doing
from daemon.store.reader import Reader
from daemon.store.report_calls import Asked
from daemon.store.tables import agent_periods


@dataclass(frozen=True, slots=True)
class Spent:
    """So often and so long (ms) in the span. `estimated`: so many of them were last seen then, not seen to end."""

    count: int = 0
    ms: int = 0
    estimated: int = 0

    def __add__(self, other: Spent) -> Spent:
        return Spent(self.count + other.count, self.ms + other.ms, self.estimated + other.estimated)


@dataclass(slots=True)
class AgentTime:
    """One agent in the span. `pauses` are by reason, '' where none was given; `not_known` is what is in no period."""

    user_id: str
    available: Spent = field(default_factory=Spent)
    wrap_up: Spent = field(default_factory=Spent)
    pauses: dict[str, Spent] = field(default_factory=dict)
    span_ms: int = 0

    @property
    def paused(self) -> Spent:
        return sum(self.pauses.values(), Spent())

    @property
    def known(self) -> int:
        return self.available.ms + self.wrap_up.ms + self.paused.ms

    @property
    def not_known(self) -> int:
        return max(0, self.span_ms - self.known)

    @property
    def estimated(self) -> int:
        return self.available.estimated + self.wrap_up.estimated + self.paused.estimated


_P: Final = agent_periods.c
_ENDED: Final = func.coalesce(_P.ended_at, bindparam("b_end"))
_CLIPPED: Final = func.min(_ENDED, bindparam("b_until")) - func.max(_P.began_at, bindparam("b_begin"))
# All of it from one index in its order: 3,000,000 periods of a year are summed in a second, those of a day in 0.3 s.
_SPENT = (
    select(
        _P.user_id,
        _P.doing,
        _P.reason,
        func.count().label("count"),
        func.sum(func.max(0, _CLIPPED)).label("ms"),
        func.sum(case((and_(_P.estimated, _P.ended_at <= bindparam("b_end")), 1), else_=0)).label("estimated"),
    )
    .where(bindparam("b_begin") < _ENDED, _P.began_at < bindparam("b_end"))
    .group_by(_P.user_id, _P.doing, _P.reason)
)


async def read_agent_times(reads: Reader, asked: Asked, now: UnixMs) -> list[AgentTime]:
    """By user id. What is still to come of the stretch counts nowhere; periods are of no queue or hotline."""
    begin, end = asked.stretch.begin, asked.stretch.end
    until = max(begin, min(end, now))
    rows = await reads.fetch_slowly(times_statement(asked), {"b_begin": begin, "b_end": end, "b_until": until})
    found: dict[str, AgentTime] = {}
    for row in rows:
        one = found.setdefault(row["user_id"], AgentTime(row["user_id"], span_ms=until - begin))
        spent = Spent(int(row["count"]), int(row["ms"]), int(row["estimated"]))
        _add(one, Doing(row["doing"]), row["reason"], spent)
    return list(found.values())


def times_statement(asked: Asked) -> Select[tuple[Any, ...]]:
    return _SPENT if asked.user_id is None else _SPENT.where(_P.user_id == asked.user_id)


def _add(one: AgentTime, doing: Doing, reason: str, spent: Spent) -> None:
    match doing:
        case Doing.AVAILABLE:
            one.available += spent
        case Doing.WRAP_UP:
            one.wrap_up += spent
        case Doing.PAUSED:
            one.pauses[reason] = one.pauses.get(reason, Spent()) + spent
