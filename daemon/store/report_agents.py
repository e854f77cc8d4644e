"""What each agent did in a stretch of time: how often he was rung and put through, and how long he talked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, and_, case, func, select

from daemon.call.model import Direction
from daemon.call.timeline import What
from daemon.policy.report import AgentWork
from daemon.store.call_figures import IS_ANSWERED
from daemon.store.reader import Reader
from daemon.store.report_calls import Asked, conditions, fetch_in_parts
from daemon.store.tables import call_moments, calls
from daemon.store.work import Row

_AGENT: Final = func.coalesce(call_moments.c.user_id, "")
"""Says the same to SQLite, but does not tempt it to read all moments there are: those of the calls are looked up."""

_TALKED: Final = func.max(0, calls.c.ended_at - calls.c.answered_at)


async def read_agents_report(reads: Reader, asked: Asked) -> list[AgentWork]:
    """By user id. `asked.direction` is passed over: what is said of each direction says which."""
    moments = await fetch_in_parts(reads, moments_statement(asked), asked.stretch)
    talks = await fetch_in_parts(reads, talks_statement(asked), asked.stretch)
    return _works(moments, talks)


def moments_statement(asked: Asked) -> Select[*tuple[Any, ...]]:
    """Of incoming calls. An agent's are his own, whoever was the last to answer."""
    statement = (
        select(
            _AGENT.label("user_id"),
            func.sum(case((call_moments.c.what == What.RANG.value, 1), else_=0)).label("rings"),
            func.sum(case((call_moments.c.what == What.CONNECTED.value, 1), else_=0)).label("answers"),
        )
        .join_from(
            calls, call_moments, and_(call_moments.c.pbx == calls.c.pbx, call_moments.c.call_id == calls.c.call_id)
        )
        .where(
            *conditions(_changed(asked, Direction.INCOMING, user_id=None), in_parts=True),
            call_moments.c.what.in_((What.RANG.value, What.CONNECTED.value)),
            _AGENT != "",
        )
    )
    if asked.user_id is not None:
        statement = statement.where(_AGENT.in_((asked.user_id,)))
    return statement.group_by(_AGENT)


def talks_statement(asked: Asked) -> Select[tuple[Any, ...]]:
    is_internal = calls.c.direction == Direction.INTERNAL.value
    return (
        select(
            calls.c.user_id,
            func.sum(case((calls.c.direction == Direction.INCOMING.value, 1), else_=0)).label("incoming"),
            func.sum(case((calls.c.direction == Direction.OUTGOING.value, 1), else_=0)).label("outgoing"),
            func.coalesce(func.sum(_TALKED), 0).label("talked"),
            func.count(calls.c.ended_at).label("ended"),
        )
        .where(
            *conditions(_changed(asked, None, asked.user_id), in_parts=True),
            IS_ANSWERED,
            ~is_internal,
            calls.c.user_id.is_not(None),
        )
        .group_by(calls.c.user_id)
    )


def _changed(asked: Asked, direction: Direction | None, user_id: str | None) -> Asked:
    return Asked(stretch=asked.stretch, direction=direction, queue=asked.queue, hotline=asked.hotline, user_id=user_id)


def _works(moments: Sequence[Row], talks: Sequence[Row]) -> list[AgentWork]:
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for row in (*moments, *talks):
        found[row["user_id"]].update({name: row[name] for name in row if name != "user_id"})
    return [AgentWork(user_id=user_id, **found[user_id]) for user_id in sorted(found)]
