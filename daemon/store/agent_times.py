"""What agents did in a span of time: their periods clipped to it, and what came of the calls that began in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import and_, bindparam, case, func, null, select

from daemon.call.model import Direction, Outcome
from daemon.call.signals import UnixMs
from daemon.call.timeline import What
from daemon.policy.agent_period import Doing
from daemon.store.agents import read_all_names
from daemon.store.reader import Reader
from daemon.store.tables import agent_periods, call_moments, calls


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
    """One agent in the span. `pauses` are by reason, '' where none was given; `not_known` is what is in no period.

    `rings` are of phones of his in incoming calls; `answers` incoming calls that he was the last to answer, and `talk`
    (ms) that of all calls of which he was, as the history of calls has it.
    """

    user_id: str
    name: str = ""
    available: Spent = field(default_factory=Spent)
    wrap_up: Spent = field(default_factory=Spent)
    pauses: dict[str, Spent] = field(default_factory=dict)
    span_ms: int = 0
    rings: int = 0
    answers: int = 0
    talk: int = 0

    @property
    def paused(self) -> Spent:
        return sum(self.pauses.values(), Spent())

    @property
    def not_known(self) -> int:
        return max(0, self.span_ms - self.available.ms - self.wrap_up.ms - self.paused.ms)

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
_IN_SPAN: Final = (calls.c.started_at >= bindparam("b_begin"), calls.c.started_at < bindparam("b_end"))
_IS_INCOMING: Final = calls.c.direction == Direction.INCOMING.value
_RINGS = (
    select(call_moments.c.user_id, func.count().label("rings"))
    .select_from(
        calls.join(call_moments, and_(call_moments.c.pbx == calls.c.pbx, call_moments.c.call_id == calls.c.call_id))
    )
    .where(*_IN_SPAN, _IS_INCOMING, call_moments.c.what == What.RANG.value)
    .group_by(call_moments.c.user_id)
)
_TALKS = (
    select(
        calls.c.user_id,
        func.sum(case((_IS_INCOMING, 1), else_=0)).label("answers"),
        func.sum(func.max(0, func.coalesce(calls.c.ended_at, bindparam("b_now")) - calls.c.answered_at)).label("talk"),
    )
    .where(
        *_IN_SPAN,
        calls.c.outcome == Outcome.ANSWERED.value,
        calls.c.user_id != null(),
        calls.c.answered_at != null(),
        calls.c.direction != Direction.INTERNAL.value,
    )
    .group_by(calls.c.user_id)
)


async def read_agent_times(reads: Reader, begin: UnixMs, end: UnixMs, now: UnixMs) -> list[AgentTime]:
    """Whoever did anything in `begin` <= t < `end`, by name. What is still to come of the span counts nowhere."""
    until = max(begin, min(end, now))
    span = {"b_begin": begin, "b_end": end}
    found: defaultdict[str, AgentTime] = defaultdict(lambda: AgentTime(""))
    for row in await reads.fetch_slowly(_SPENT, {**span, "b_until": until}):
        spent = Spent(int(row["count"]), int(row["ms"]), int(row["estimated"]))
        _add(found[row["user_id"]], Doing(row["doing"]), row["reason"], spent)
    for row in await reads.fetch_slowly(_RINGS, span):
        found[row["user_id"]].rings = int(row["rings"])
    for row in await reads.fetch_slowly(_TALKS, {**span, "b_now": until}):
        found[row["user_id"]].answers, found[row["user_id"]].talk = int(row["answers"]), int(row["talk"])
    found.pop("", None)  # a phone that rang and belonged to nobody
    return _named(found, await read_all_names(reads), until - begin)


def _named(found: Mapping[str, AgentTime], names: Mapping[str, str], span_ms: int) -> list[AgentTime]:
    for user_id, one in found.items():
        one.user_id, one.name, one.span_ms = user_id, names.get(user_id, ""), span_ms
    return sorted(found.values(), key=lambda one: ((one.name or one.user_id).casefold(), one.user_id))


def _add(one: AgentTime, doing: Doing, reason: str, spent: Spent) -> None:
    match doing:
        case Doing.AVAILABLE:
            one.available += spent
        case Doing.WRAP_UP:
            one.wrap_up += spent
        case Doing.PAUSED:
            one.pauses[reason] = one.pauses.get(reason, Spent()) + spent
