"""How soon missed callers were talked to: from what tickets keep of it. It changes no ticket."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Select, func, null, select

from daemon.call.signals import UnixMs
from daemon.policy.decision import Reason, TicketKind
from daemon.policy.report import CallBack
from daemon.store.reader import Reader
from daemon.store.report_calls import Asked
from daemon.store.tables import ticket_events, tickets
from daemon.store.work import Row

_SINCE: Final = ticket_events.c.at - ticket_events.c.call_back_seconds * 1000


async def read_call_backs(reads: Reader, asked: Asked) -> list[CallBack]:
    """Of waits that began in the stretch, in no order. A ticket that was missed again after a talk has several."""
    talked = await reads.fetch_slowly(_talked(asked), {})
    waiting = await reads.fetch_slowly(_waiting(asked), {})
    return await asyncio.to_thread(_found, talked, waiting)


def _talked(asked: Asked) -> Select[tuple[Any, ...]]:
    statement = (
        select(_SINCE.label("since"), ticket_events.c.at.label("reached"), ticket_events.c.reason)
        .join_from(ticket_events, tickets, tickets.c.ticket_id == ticket_events.c.ticket_id)
        .where(
            ticket_events.c.call_back_seconds != null(),
            asked.stretch.begin <= _SINCE,
            asked.stretch.end > _SINCE,
        )
    )
    return _of(statement, asked)


def _waiting(asked: Asked) -> Select[tuple[Any, ...]]:
    """One that was closed by hand counts: nobody talked to him."""
    return _of(
        select(func.count().label("count"), tickets.c.waiting_since.label("since"))
        .where(tickets.c.waiting_since >= asked.stretch.begin, tickets.c.waiting_since < asked.stretch.end)
        .group_by(tickets.c.waiting_since),
        asked,
    )


def _of(statement: Select[tuple[Any, ...]], asked: Asked) -> Select[tuple[Any, ...]]:
    statement = statement.where(tickets.c.kind == TicketKind.MISSED_INCOMING.value)
    for name in ("queue", "hotline"):
        if (value := getattr(asked, name)) is not None:
            statement = statement.where(tickets.c[name] == value)
    return statement


def _found(talked: Sequence[Row], waiting: Sequence[Row]) -> list[CallBack]:
    reached = [
        CallBack(UnixMs(row["since"]), UnixMs(row["reached"]), row["reason"] == Reason.CALLED_BACK.value)
        for row in talked
    ]
    return reached + [CallBack(UnixMs(row["since"])) for row in waiting for _ in range(row["count"])]
