"""How long each report takes over a day, a month and a year, from 10,000 calls of a year to 1,000,000 of one."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from rich.table import Table

from bench.history_calls import END, fill
from bench.table import Goal, milliseconds, new_table, verdict
from daemon.call.signals import UnixMs
from daemon.policy.call_settings import CallSettings
from daemon.policy.report_span import Grain, Span, Stretch, stretch_of, usual_grain
from daemon.store.reader import FileReader, Reader
from daemon.store.report_calls import Asked
from daemon.web.formats import Formats
from daemon.web.report_query import Report, Wanted
from daemon.web.report_sections import Maker
from daemon.web.report_table import Table as Found
from daemon.web.report_tables import read_table
from daemon.web.report_words import Words

_ROUNDS = 5
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_SETTINGS = CallSettings(time_zone=str(_ZONE))
_GOAL = Goal("slowest report of 1,000,000 calls (ms)", at_most=1500.0)
_SPANS = {"yesterday": Span.YESTERDAY, "30 days": Span.MONTH, "a year": Span.YEAR}
_TALKS = """
INSERT INTO ticket_events (ticket_id, version, what, at, reason, old, new, call_back_seconds)
SELECT ticket_id, 2, 'status', opened_at + 60000 * (1 + ticket_id % 97), 'called_back', '"open"', '"closed"',
  60 * (1 + ticket_id % 97) FROM tickets WHERE kind = 'missed_incoming' AND status = 'closed'
"""
_WAITS = "UPDATE tickets SET waiting_since = opened_at WHERE kind = 'missed_incoming' AND status = 'open'"


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds. Who shares his processors waits several times longer than the work takes, so both are told."""

    wall: float
    processor: float


def run(*, quick: bool) -> list[Table]:
    sizes = (1_000, 10_000) if quick else (10_000, 100_000, 1_000_000)
    times = [asyncio.run(_times(size)) for size in sizes]
    columns = (*(f"{size:,} calls" for size in sizes), "of it processor")
    table = new_table(f"Reports, medians of {_ROUNDS} in ms", "report", *columns)
    for name in times[0]:
        walls = (milliseconds(one[name].wall) for one in times)
        table.add_row(name, *walls, milliseconds(times[-1][name].processor))
    if not quick:
        table.caption = verdict(_GOAL, max(one.wall for one in times[-1].values()) * 1000)
    return [table]


async def _times(size: int) -> dict[str, Taken]:
    with tempfile.TemporaryDirectory(prefix="callwarden-bench-") as folder:
        path = str(Path(folder) / "reports.db")
        fill(path, size)
        with closing(sqlite3.connect(path)) as store:
            store.execute(_TALKS)
            store.execute(_WAITS)
            store.commit()
        reads = await FileReader.open(path)
        try:
            return await _asked(reads)
        finally:
            await reads.close()


async def _asked(reads: Reader) -> dict[str, Taken]:
    found: dict[str, Taken] = {}
    for name, span in _SPANS.items():
        wanted = _wanted(stretch_of(span, UnixMs(END), _ZONE))
        for report in Report:
            found[f"{report}, {name}"] = await _median(lambda one=report, of=wanted: read_table(reads, one, of))  # type: ignore[misc]
    days = _wanted(Stretch(UnixMs(END - 92 * 86_400_000), UnixMs(END)), Grain.DAY)
    table = await read_table(reads, Report.CALLS, days)
    found["drawing 92 days by outcome, twice"] = await _median(lambda: asyncio.to_thread(_draw, table))
    return found


def _wanted(stretch: Stretch, grain: Grain | None = None) -> Wanted:
    return Wanted(Asked(stretch=stretch), grain or usual_grain(stretch), _ZONE, _SETTINGS, UnixMs(END))


def _draw(table: Found) -> None:
    Maker(Words(str, Formats("en", str(_ZONE), UnixMs(END))), Grain.DAY).calls(table)


async def _median(ask: Callable[[], Awaitable[object]]) -> Taken:
    walls, processor = [], []
    for _ in range(_ROUNDS):
        began, worked = time.perf_counter(), time.process_time()
        await ask()
        walls.append(time.perf_counter() - began)
        processor.append(time.process_time() - worked)
    return Taken(median(walls), median(processor))
