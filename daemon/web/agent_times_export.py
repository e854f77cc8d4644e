"""`agent-times.csv` and `.xlsx`: the same as a file, a row for each agent and a column for each reason of a pause."""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from aiohttp import web

from daemon.store.agent_times import AgentTime
from daemon.store.audit import note
from daemon.web.agent_times import asked_times
from daemon.web.call_sheet import Cell, Sheet
from daemon.web.caller import by
from daemon.web.csv_cells import guarded
from daemon.web.query import Query
from daemon.web.services import services

_MOST_REASONS: Final = 50  # whoever pauses by hand may write what he likes; the rest is one column
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COLUMNS: Final = (
    *("user_id", "name", "available_seconds", "wrap_up_seconds", "paused_seconds", "not_known_seconds"),
    *("pauses", "estimated", "ring_attempts", "answers", "talk_seconds"),
)


async def export_csv(request: web.Request) -> web.Response:
    table = await _table(request, "csv")
    return _file(await asyncio.to_thread(_csv, table), "csv", "text/csv; charset=utf-8")


async def export_xlsx(request: web.Request) -> web.Response:
    table = await _table(request, "xlsx")
    return _file(await asyncio.to_thread(_xlsx, table), "xlsx", _XLSX)


async def _table(request: web.Request, kind: str) -> list[list[Cell]]:
    """The first row names the columns."""
    _, found = await asked_times(request, Query(request, ("from", "to")))
    who, asked = by(request), dict(request.query)
    await services(request).writes.change(
        lambda: note(who, "agent_times.export", "agent_times", None, {"format": kind, **asked})
    )
    return await asyncio.to_thread(_rows, found)


def _rows(found: Sequence[AgentTime]) -> list[list[Cell]]:
    total: dict[str, int] = {}
    for one in found:
        for reason, spent in one.pauses.items():
            total[reason] = total.get(reason, 0) + spent.ms
    longest = sorted(total, key=lambda reason: (-total[reason], reason))
    shown, others = longest[:_MOST_REASONS], longest[_MOST_REASONS:]
    head: list[Cell] = [*_COLUMNS, *(f"paused_seconds: {reason}" for reason in shown)]
    rows = [[*_cells(one), *(_seconds(one, reason) for reason in shown)] for one in found]
    if others:
        head.append("paused_seconds (others)")
        rows = [[*row, sum(_seconds(one, reason) for reason in others)] for row, one in zip(rows, found, strict=True)]
    return [head, *rows]


def _seconds(one: AgentTime, reason: str) -> float:
    return one.pauses[reason].ms / 1000 if reason in one.pauses else 0


def _cells(one: AgentTime) -> list[Cell]:
    return [
        *(one.user_id, one.name, one.available.ms / 1000, one.wrap_up.ms / 1000, one.paused.ms / 1000),
        *(one.not_known / 1000, one.paused.count, one.estimated, one.rings, one.answers, one.talk / 1000),
    ]


def _csv(table: Sequence[Sequence[Cell]]) -> bytes:
    """With a mark before the first line, by which Excel knows UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[guarded(cell) if isinstance(cell, str) else cell for cell in row] for row in table])
    return text.getvalue().encode("utf-8-sig")


def _xlsx(table: Sequence[Sequence[Cell]]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="callwarden-export-") as folder:
        path = Path(folder) / "agents.xlsx"
        sheet = Sheet(path, [str(cell) for cell in table[0]], "agents")
        try:
            sheet.add(table[1:])
        finally:
            sheet.close()
        return path.read_bytes()


def _file(content: bytes, kind: str, content_type: str) -> web.Response:
    headers = {"Content-Type": content_type, "Content-Disposition": f'attachment; filename="agent-times.{kind}"'}
    return web.Response(body=content, headers=headers)
