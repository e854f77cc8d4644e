"""Popups on desks: which there are for an agent, and that each opens in one window only, whatever asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, null, select, true, update

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.store.reader import Reader
from daemon.store.tables import screen_pops
from daemon.store.work import Query, Row, Work

LIFE_MS: Final = 10 * 60_000
"""A browser that was away for longer gets a card in the call, not a window: the call has gone on without it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pop:
    """`at` is when the customer came to this agent.

    `opened_by` is the browser window that opened it, as it names itself. `blocked_at` is when a window that had won it
    last gave it back, because its browser did not let it open.
    """

    pbx: str
    call_id: str
    user_id: str
    url: str
    time_answer: UnixMs
    at: UnixMs
    opened_at: UnixMs | None
    opened_by: str | None
    blocked_at: UnixMs | None = None
    to_desk: bool = True

    def as_json(self) -> dict[str, object]:
        return {
            "pbx": self.pbx,
            "call_id": self.call_id,
            "url": self.url,
            "time_answer": iso_utc(self.time_answer),
            "at": iso_utc(self.at),
            "opened_at": iso_utc(self.opened_at),
            "blocked_at": iso_utc(self.blocked_at),
        }


_OF_USER = (
    select(screen_pops)
    .where(
        screen_pops.c.user_id == bindparam("b_user_id"),
        screen_pops.c.to_desk == true(),
        screen_pops.c.at >= bindparam("b_since"),
    )
    .order_by(screen_pops.c.at)
)
_OF_CALL = (
    select(screen_pops)
    .where(screen_pops.c.pbx == bindparam("b_pbx"), screen_pops.c.call_id == bindparam("b_call_id"))
    .order_by(screen_pops.c.at)
)
_ONE = select(screen_pops).where(
    screen_pops.c.pbx == bindparam("b_pbx"),
    screen_pops.c.call_id == bindparam("b_call_id"),
    screen_pops.c.user_id == bindparam("b_user_id"),
    screen_pops.c.to_desk == true(),
)
_OPEN = (
    update(screen_pops)
    .where(
        screen_pops.c.pbx == bindparam("b_pbx"),
        screen_pops.c.call_id == bindparam("b_call_id"),
        screen_pops.c.user_id == bindparam("b_user_id"),
        screen_pops.c.opened_at == null(),
    )
    .values(opened_at=bindparam("b_at"), opened_by=bindparam("b_by"))
)
_GIVE_BACK = (
    update(screen_pops)
    .where(
        screen_pops.c.pbx == bindparam("b_pbx"),
        screen_pops.c.call_id == bindparam("b_call_id"),
        screen_pops.c.user_id == bindparam("b_user_id"),
        screen_pops.c.opened_by == bindparam("b_by"),
    )
    .values(opened_at=null(), opened_by=null(), blocked_at=bindparam("b_at"))
)


_OF_CALL = (
    select(screen_pops)
    .where(screen_pops.c.pbx == bindparam("b_pbx"), screen_pops.c.call_id == bindparam("b_call_id"))
    .order_by(screen_pops.c.at)
)


async def read_call_pops(reads: Reader, pbx: str, call_id: str) -> list[tuple[Pop, bool]]:
    """All that were ever made for this call, oldest first, and whether each was meant for a desk too."""
    rows = await reads.fetch(_OF_CALL, {"b_pbx": pbx, "b_call_id": call_id})
    return [(_pop(row), bool(row["to_desk"])) for row in rows]


async def read_pops(reads: Reader, user_id: str, now: UnixMs) -> list[Pop]:
    """The recent ones, oldest first, opened or not."""
    return [_pop(row) for row in await reads.fetch(_OF_USER, {"b_user_id": user_id, "b_since": now - LIFE_MS})]


async def read_pops_of_call(reads: Reader, pbx: str, call_id: str) -> list[Pop]:
    """Of every agent in it, to desks and not, oldest first."""
    return [_pop(row) for row in await reads.fetch(_OF_CALL, {"b_pbx": pbx, "b_call_id": call_id})]


def open_pop(pbx: str, call_id: str, user_id: str, browser: str, now: UnixMs) -> Work[Pop | None]:
    """The first to ask opens it; ask `opened_by` who that was. None: there is no such popup on this desk."""
    key = {"b_pbx": pbx, "b_call_id": call_id, "b_user_id": user_id}
    yield Query(_OPEN, {**key, "b_at": now, "b_by": browser})
    rows = yield Query(_ONE, key)
    return _pop(rows[0]) if rows else None


def give_back_pop(pbx: str, call_id: str, user_id: str, browser: str, now: UnixMs) -> Work[Pop | None]:
    """Only the window that won it can: then the next one that asks may open it. None: there is no such popup."""
    key = {"b_pbx": pbx, "b_call_id": call_id, "b_user_id": user_id}
    yield Query(_GIVE_BACK, {**key, "b_at": now, "b_by": browser})
    rows = yield Query(_ONE, key)
    return _pop(rows[0]) if rows else None


def _pop(row: Row) -> Pop:
    return Pop(
        pbx=row["pbx"],
        call_id=row["call_id"],
        user_id=row["user_id"],
        url=row["url"],
        time_answer=row["time_answer"],
        at=row["at"],
        opened_at=row["opened_at"],
        opened_by=row["opened_by"],
        blocked_at=row["blocked_at"],
        to_desk=row["to_desk"],
    )
