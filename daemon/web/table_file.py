"""A table as a file, CSV or for Excel, made some rows at a time and never held as a whole.

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
from daemon.web.csv_cells import guarded
from daemon.web.deadline import unlimited
from daemon.web.sheet import Cell, Sheet

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CHUNK: Final = 64 * 1024
_WRITE_TIMEOUT_S: Final = 60.0
Pages = AsyncIterator[list[list[Cell]]]


async def send_file(
    request: web.Request, kind: str, name: str, columns: Sequence[str], pages: Pages
) -> web.StreamResponse:
    """`kind` is csv or xlsx; the name is that of the file and of the sheet, without an ending."""
    unlimited(request)
    return await (_send_csv if kind == "csv" else _send_xlsx)(request, name, columns, pages)


def wall_clock(at: UnixMs | None, zone: ZoneInfo) -> datetime | None:
    """As on the wall there; spreadsheets know no zones."""
    return None if at is None else datetime.fromtimestamp(at // 1000, zone).replace(tzinfo=None)


async def _send_csv(request: web.Request, name: str, columns: Sequence[str], pages: Pages) -> web.StreamResponse:
    response = await _begin(request, f"{name}.csv", "text/csv; charset=utf-8")
    await _write(response, _csv([list(columns)], first=True))
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


async def _send_xlsx(request: web.Request, name: str, columns: Sequence[str], pages: Pages) -> web.StreamResponse:
    """Made in a file of its own first: its table of contents stands at its end."""
    with tempfile.TemporaryDirectory(prefix="callwarden-export-") as folder:
        path = Path(folder) / f"{name}.xlsx"
        sheet = await asyncio.to_thread(Sheet, path, name, columns)
        try:
            async for rows in pages:
                await asyncio.to_thread(sheet.add, rows)
        finally:
            await asyncio.to_thread(sheet.close)
        response = await _begin(request, f"{name}.xlsx", XLSX)
        with path.open("rb") as made:
            while chunk := await asyncio.to_thread(made.read, _CHUNK):
                await _write(response, chunk)
    await response.write_eof()
    return response


async def _begin(request: web.Request, file: str, content_type: str) -> web.StreamResponse:
    headers = {"Content-Type": content_type, "Content-Disposition": f'attachment; filename="{file}"'}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    return response


async def _write(response: web.StreamResponse, data: bytes) -> None:
    """Whoever reads no more is let go."""
    async with asyncio.timeout(_WRITE_TIMEOUT_S):
        await response.write(data)
