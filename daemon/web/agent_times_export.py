"""`agent-times.csv` and `.xlsx`: the same as a file, a row for each agent and a column for each reason of a pause."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from aiohttp import web

from daemon.store.agent_times import AgentTime
from daemon.store.audit import note
from daemon.web.agent_times import asked_times
from daemon.web.caller import by
from daemon.web.query import Query
from daemon.web.services import services
from daemon.web.sheet import Cell
from daemon.web.table_file import send_file

_MOST_REASONS: Final = 50  # whoever pauses by hand may write what he likes; the rest is one column
_COLUMNS: Final = (
    *("user_id", "name", "available_seconds", "wrap_up_seconds", "paused_seconds", "not_known_seconds"),
    *("pauses", "estimated", "ring_attempts", "answers", "talk_seconds"),
)


async def export_csv(request: web.Request) -> web.StreamResponse:
    return await _export(request, "csv")


async def export_xlsx(request: web.Request) -> web.StreamResponse:
    return await _export(request, "xlsx")


async def _export(request: web.Request, kind: str) -> web.StreamResponse:
    _, found = await asked_times(request, Query(request, ("from", "to")))
    who, asked = by(request), dict(request.query)
    await services(request).writes.change(
        lambda: note(who, "agent_times.export", "agent_times", None, {"format": kind, **asked})
    )
    head, rows = await asyncio.to_thread(_table, found)
    return await send_file(request, kind, "agent-times", head, _once(rows))


async def _once(rows: list[list[Cell]]) -> AsyncIterator[list[list[Cell]]]:
    yield rows


def _table(found: Sequence[AgentTime]) -> tuple[list[str], list[list[Cell]]]:
    """The names of the columns, and the rows."""
    total: dict[str, int] = {}
    for one in found:
        for reason, spent in one.pauses.items():
            total[reason] = total.get(reason, 0) + spent.ms
    longest = sorted(total, key=lambda reason: (-total[reason], reason))
    shown, others = longest[:_MOST_REASONS], longest[_MOST_REASONS:]
    head = [*_COLUMNS, *(f"paused_seconds: {reason}" for reason in shown)]
    rows = [[*_cells(one), *(_seconds(one, reason) for reason in shown)] for one in found]
    if others:
        head.append("paused_seconds (others)")
        rows = [[*row, sum(_seconds(one, reason) for reason in others)] for row, one in zip(rows, found, strict=True)]
    return head, rows


def _seconds(one: AgentTime, reason: str) -> float:
    return one.pauses[reason].ms / 1000 if reason in one.pauses else 0


def _cells(one: AgentTime) -> list[Cell]:
    return [
        *(one.user_id, one.name, one.available.ms / 1000, one.wrap_up.ms / 1000, one.paused.ms / 1000),
        *(one.not_known / 1000, one.paused.count, one.estimated, one.rings, one.answers, one.talk / 1000),
    ]
