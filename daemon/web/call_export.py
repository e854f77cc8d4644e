"""`GET /api/v1/calls.csv` and `calls.xlsx`: the filtered history as a file, made page by page, never held as a whole.

Texts of others stay texts in every spreadsheet; times are those of the call centre's zone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from daemon.message import Message
from daemon.store.audit import note
from daemon.store.call_pages import CallEntry, count_calls, read_calls
from daemon.store.call_search import CallFilter
from daemon.store.reader import Reader
from daemon.store.settings import read_settings
from daemon.web.call_query import FILTERS, timed_call_filter
from daemon.web.caller import by
from daemon.web.exports import EXPORTS, Progress, export_name
from daemon.web.problem import Problem
from daemon.web.query import Query
from daemon.web.services import services
from daemon.web.sheet import Cell
from daemon.web.table_file import send_file, wall_clock
from daemon.web.tickets import own_user_id

MOST_CSV: Final = 1_000_000
MOST_XLSX: Final = 200_000
_PARAMETERS: Final = (*FILTERS, "from", "to", "export")
_PAGE: Final = 500
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
        pages = _rows(parts.reads, wanted, count, ZoneInfo(settings.time_zone), progress)
        return await send_file(request, kind, "calls", _COLUMNS, pages)


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
        *(wall_clock(at, zone) for at in (call.started_at, call.answered_at, call.ended_at)),
        *(call.direction.value, call.outcome and call.outcome.value, call.missed_reason and call.missed_reason.value),
        *(call.customer_number, call.customer_name, call.hotline, call.queue, ", ".join(call.user_ids)),
        *(call.wait_seconds, call.talk_seconds, call.ended_by and call.ended_by.value, call.hangup_cause),
        *(entry.ticket_id, call.call_id, call.pbx),
    ]
