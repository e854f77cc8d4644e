"""The periods of agents, one row each. They never overlap, and of each agent at most the newest goes on.

The newest row is read in the transaction that follows it up, so that a crash between two changes leaves nothing wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete, func, null, select, true, update
from sqlalchemy.dialects.sqlite import insert

from daemon.call.signals import UnixMs
from daemon.policy.agent_period import Doing, Period, Seen, follow
from daemon.store.reader import Reader
from daemon.store.tables import agent_periods
from daemon.store.work import Query, Row, Work

_AT_ONCE: Final = 500
_OF: Final = agent_periods.c.user_id == bindparam("b_user_id")
_LAST = select(agent_periods).where(_OF).order_by(agent_periods.c.began_at.desc()).limit(1)
_ALL_OF = select(agent_periods).where(_OF).order_by(agent_periods.c.began_at)
_NEW = insert(agent_periods)
_PUT = _NEW.on_conflict_do_update(
    index_elements=["user_id", "began_at"],
    set_={name: _NEW.excluded[name] for name in ("doing", "reason", "ended_at", "estimated")},
)
_LEAVE = (
    update(agent_periods)
    .where(agent_periods.c.ended_at == null())
    .values(ended_at=func.max(agent_periods.c.began_at, bindparam("b_at")), estimated=true())
)
_KEYS = select(agent_periods.c.user_id, agent_periods.c.began_at)
_OLD = _KEYS.where(agent_periods.c.ended_at < bindparam("b_before")).limit(_AT_ONCE)
_DELETE = delete(agent_periods).where(
    agent_periods.c.user_id == bindparam("b_user_id"), agent_periods.c.began_at == bindparam("b_began_at")
)


def note_seen(sightings: Sequence[tuple[str, Seen]]) -> Work[None]:
    """Of these agents, in this order. Doing it again changes nothing."""
    for user_id, seen in sightings:
        rows = yield Query(_LAST, {"b_user_id": user_id})
        for period in follow(_period(rows[0]) if rows else None, seen):
            yield Query(_PUT, _values(user_id, period))


def leave_periods(at: UnixMs) -> Work[None]:
    """Nobody has looked since `at`: what went on was seen until then. What began later has no length."""
    yield Query(_LEAVE, {"b_at": at})


def delete_old_periods(before: UnixMs) -> Work[int]:
    """Some of those that were over before; how many that were. What goes on stays."""
    rows = yield Query(_OLD, {"b_before": before})
    if rows:
        keys = [{"b_user_id": row["user_id"], "b_began_at": row["began_at"]} for row in rows]
        yield Query(_DELETE, keys)
    return len(rows)


async def read_periods(reads: Reader, user_id: str) -> list[Period]:
    """All of this agent, in order."""
    return [_period(row) for row in await reads.fetch(_ALL_OF, {"b_user_id": user_id})]


def _period(row: Row) -> Period:
    return Period(
        began_at=UnixMs(row["began_at"]),
        doing=Doing(row["doing"]),
        reason=row["reason"],
        ended_at=row["ended_at"],
        estimated=row["estimated"],
    )


def _values(user_id: str, period: Period) -> dict[str, object]:
    return {
        "user_id": user_id,
        "began_at": period.began_at,
        "doing": period.doing.value,
        "reason": period.reason[:128],
        "ended_at": period.ended_at,
        "estimated": period.estimated,
    }
