"""`/api/v1/reports/{report}`: one table of figures about a stretch of time; with .csv or .xlsx behind it as a file."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from aiohttp import web

from daemon.store.audit import note
from daemon.store.settings import read_settings
from daemon.web.caller import by
from daemon.web.exports import EXPORTS, Progress, export_name
from daemon.web.listing import json_response
from daemon.web.problem import not_found
from daemon.web.query import Query, path_part
from daemon.web.report_query import PARAMETERS, Report, Wanted, wanted_by
from daemon.web.report_table import ColumnKind, Row, Table
from daemon.web.report_tables import read_table, span_json, table_rows, unix_ms
from daemon.web.services import services
from daemon.web.sheet import Cell
from daemon.web.table_file import send_file, wall_clock

LONGEST_NAME: Final = 40
_ABOUT_PEOPLE: Final = frozenset({Report.CUSTOMERS, Report.AGENTS, Report.AGENT_TIMES})
"""Whoever takes their lines away is noted."""


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """A name in the rows, and what it holds: text, count, seconds, percent (of 100), time, yes (true or false)."""

    name: str
    kind: ColumnKind


async def get_report(request: web.Request) -> web.Response:
    """Without a span the last seven days, in the periods that suit it."""
    report, wanted = await _asked(request, Query(request, PARAMETERS))
    table = await read_table(services(request).reads, report, wanted)
    return json_response(await asyncio.to_thread(_json, report, wanted, table))


async def export_csv(request: web.Request) -> web.StreamResponse:
    return await _export(request, "csv")


async def export_xlsx(request: web.Request) -> web.StreamResponse:
    return await _export(request, "xlsx")


async def _asked(request: web.Request, query: Query) -> tuple[Report, Wanted]:
    parts, name = services(request), path_part(request, "report", LONGEST_NAME)
    wanted = wanted_by(query, (await read_settings(parts.reads)).settings, parts.clock())
    if name not in list(Report):
        raise not_found("report")
    return Report(name), wanted


def _json(report: Report, wanted: Wanted, table: Table) -> dict[str, object]:
    direction = wanted.asked.direction
    return {
        "report": report,
        **span_json(wanted.asked.stretch),
        "time_zone": wanted.settings.time_zone,
        "by": wanted.grain,
        "direction": "all" if direction is None else direction.value,
        "columns": [{"name": name, "kind": kind} for name, kind in table.columns.items()],
        "rows": table.rows,
        "total": table.total,
    }


async def _export(request: web.Request, kind: str) -> web.StreamResponse:
    query, parts = Query(request, (*PARAMETERS, "export")), services(request)
    name = export_name(query)
    report, wanted = await _asked(request, query)
    with request.app[EXPORTS].running(request, name, 1) as progress:
        who, asked = by(request), {key: value for key, value in request.query.items() if key != "export"}
        if report in _ABOUT_PEOPLE:
            await parts.writes.change(lambda: note(who, "reports.export", report, None, {"format": kind, **asked}))
        table = await read_table(parts.reads, report, wanted)
        progress.count = _count(report, table)
        rows = table_rows(parts.reads, report, wanted, table)
        return await send_file(request, kind, report.value, list(table.columns), _pages(rows, table, wanted, progress))


def _count(report: Report, table: Table) -> int:
    """Of rows: only customers may be more than the table has."""
    return int(str(table.total["not_served"])) if report is Report.CUSTOMERS else len(table.rows)


async def _pages(
    rows: AsyncIterator[Sequence[Row]], table: Table, wanted: Wanted, progress: Progress
) -> AsyncIterator[list[list[Cell]]]:
    async for some in rows:
        yield await asyncio.to_thread(lambda found: [_cells(row, table.columns, wanted.zone) for row in found], some)
        progress.done += len(some)


def _cells(row: Row, columns: Mapping[str, ColumnKind], zone: ZoneInfo) -> list[Cell]:
    return [_cell(row[name], kind, zone) for name, kind in columns.items()]


def _cell(value: str | float | bool | None, kind: ColumnKind, zone: ZoneInfo) -> Cell:
    match value:
        case bool():
            return "true" if value else "false"
        case str() if kind is ColumnKind.TIME:
            return wall_clock(unix_ms(value), zone)
        case _:
            return value
