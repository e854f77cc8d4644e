"""The company numbers that calls of the last weeks were for, whether an admin knows them or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, func, select

from daemon.call.model import Direction
from daemon.call.signals import UnixMs
from daemon.store.reader import Reader
from daemon.store.tables import calls, hotlines

LIMIT: Final = 1000

_COUNT = func.count().label("calls")
_SEEN = (
    select(
        calls.c.hotline,
        _COUNT,
        func.max(calls.c.started_at).label("last_call_at"),
        func.max(hotlines.c.number).label("configured"),
    )
    .select_from(calls.outerjoin(hotlines, hotlines.c.number == calls.c.hotline))
    .where(
        calls.c.started_at >= bindparam("b_since"),
        calls.c.hotline.is_not(None),
        calls.c.direction != Direction.INTERNAL.value,
    )
    .group_by(calls.c.hotline)
    .order_by(_COUNT.desc(), calls.c.hotline)
    .limit(LIMIT)
)


@dataclass(frozen=True, slots=True)
class SeenHotline:
    number: str
    calls: int
    last_call_at: UnixMs
    configured: bool


async def read_seen_hotlines(reads: Reader, since: UnixMs) -> list[SeenHotline]:
    """Those with most calls first, at most `LIMIT`."""
    rows = await reads.fetch(_SEEN, {"b_since": since})
    return [
        SeenHotline(row["hotline"], row["calls"], UnixMs(row["last_call_at"]), row["configured"] is not None)
        for row in rows
    ]
