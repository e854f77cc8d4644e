"""`GET /api/v1/calls.csv` and `calls.xlsx`: the filtered history as a file, made page by page, never held as a whole.

Texts of others stay texts in every spreadsheet; times are those of the call centre's zone.
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.store.audit import note
from daemon.store.call_pages import CallEntry, count_calls, read_calls
from daemon.store.call_search import CallFilter
from daemon.store.reader import Reader
from daemon.store.settings import read_settings
from daemon.web.call_query import FILTERS, timed_call_filter
from daemon.web.call_sheet import Cell, Sheet
from daemon.web.caller import by
from daemon.web.csv_cells import guarded
from daemon.web.deadline import unlimited
from daemon.web.exports import EXPORTS, Progress, export_name
from daemon.web.problem import Problem
from daemon.web.query import Query
from daemon.web.services import services
from daemon.web.tickets import own_user_id

MOST_CSV: Final = 1_000_000
MOST_XLSX: Final = 200_000
_PARAMETERS: Final = (*FILTERS, "from", "to", "export")
_PAGE: Final = 500
_CHUNK: Final = 64 * 1024
_WRITE_TIMEOUT_S: Final = 60.0
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COLUMNS: Final = (
    *("started_at", "answered_at", "ended_at", "direction", "outcome", "missed_reason", "customer_number"),
    *("customer_name", "hotline", "queue", "user_ids", "wait_seconds", "talk_seconds", "ended_by", "hangup_cause"),
    *("ticket_id", "call_id", "pbx"),
)


async def export_csv(request: web.Request) -> web.StreamResponse:
    return await _export(request, "csv", MOST_CSV)


async def export_xlsx(request: web.Request) -> web.StreamResponse:
    return await _export(request, "xlsx", MOST_XLSX)


async def _export(request: web.Request, kind: str, most: int) -> web.StreamResponse:
    query, parts = Query(request, _PARAMETERS), services(request)
    settings, name = (await read_settings(parts.reads)).settings, export_name(query)
    wanted = timed_call_filter(query, own_user_id(request), settings.country)
    count = await count_calls(parts.reads, wanted, most)
    if count > most:
        said = Message("more than {most} calls fit, too many for one file: choose a shorter span of time", most=most)
        raise Problem(422, said)
    with request.app[EXPORTS].running(request, name, count) as progress:
        who, asked = by(request), {key: value for key, value in request.query.items() if key != "export"}
        await parts.writes.change(lambda: note(who, "calls.export", "calls", None, {"format": kind, **asked}))
        unlimited(request)
        pages = _rows(parts.reads, wanted, count, ZoneInfo(settings.time_zone), progress)
        return await (_send_csv if kind == "csv" else _send_xlsx)(request, pages)


async def _rows(
    reads: Reader, wanted: CallFilter, count: int, zone: ZoneInfo, progress: Progress
) -> AsyncIterator[list[list[Cell]]]:
    """A page at a time. Calls that began after the count was taken are newer than the first page: they stay out."""
    after: list[int | str] | None = None
    while entries := await read_calls(reads, wanted, _PAGE, after):
        after = entries[-1].place()
        yield await asyncio.to_thread(_cells, entries, zone)
        progress.done += len(entries)
        if len(entries) < _PAGE or progress.done >= 2 * count + _PAGE:
            return


def _cells(entries: Sequence[CallEntry], zone: ZoneInfo) -> list[list[Cell]]:
    return [_row(entry, zone) for entry in entries]


def _row(entry: CallEntry, zone: ZoneInfo) -> list[Cell]:
    call = entry.call
    return [
        *(_local(at, zone) for at in (call.started_at, call.answered_at, call.ended_at)),
        *(call.direction.value, call.outcome and call.outcome.value, call.missed_reason and call.missed_reason.value),
        *(call.customer_number, call.customer_name, call.hotline, call.queue, ", ".join(call.user_ids)),
        *(call.wait_seconds, call.talk_seconds, call.ended_by and call.ended_by.value, call.hangup_cause),
        *(entry.ticket_id, call.call_id, call.pbx),
    ]


def _local(at: UnixMs | None, zone: ZoneInfo) -> datetime | None:
    """As on the wall there; spreadsheets know no zones."""
    return None if at is None else datetime.fromtimestamp(at // 1000, zone).replace(tzinfo=None)


async def _send_csv(request: web.Request, pages: AsyncIterator[list[list[Cell]]]) -> web.StreamResponse:
    response = await _begin(request, "csv", "text/csv; charset=utf-8")
    await _write(response, _csv([list(_COLUMNS)], first=True))
    async for rows in pages:
        await _write(response, await asyncio.to_thread(_csv, rows))
    await response.write_eof()
    return response


def _csv(rows: Sequence[Sequence[Cell]], *, first: bool = False) -> bytes:
    """With a mark before the first line, by which Excel knows UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([[_csv_cell(cell) for cell in row] for row in rows])
    return text.getvalue().encode("utf-8-sig" if first else "utf-8")


def _csv_cell(cell: Cell) -> str | float:
    match cell:
        case None:
            return ""
        case datetime():
            return cell.isoformat(" ")
        case str():
            return guarded(cell)
        case _:
            return cell


async def _send_xlsx(request: web.Request, pages: AsyncIterator[list[list[Cell]]]) -> web.StreamResponse:
    """Made in a file of its own first: its table of contents stands at its end."""
    with tempfile.TemporaryDirectory(prefix="callwarden-export-") as folder:
        path = Path(folder) / "calls.xlsx"
        sheet = await asyncio.to_thread(Sheet, path, _COLUMNS)
        try:
            async for rows in pages:
                await asyncio.to_thread(sheet.add, rows)
        finally:
            await asyncio.to_thread(sheet.close)
        response = await _begin(request, "xlsx", _XLSX)
        with path.open("rb") as made:
            while chunk := await asyncio.to_thread(made.read, _CHUNK):
                await _write(response, chunk)
    await response.write_eof()
    return response


async def _begin(request: web.Request, kind: str, content_type: str) -> web.StreamResponse:
    headers = {"Content-Type": content_type, "Content-Disposition": f'attachment; filename="calls.{kind}"'}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    return response


async def _write(response: web.StreamResponse, data: bytes) -> None:
    """Whoever reads no more is let go."""
    async with asyncio.timeout(_WRITE_TIMEOUT_S):
        await response.write(data)
