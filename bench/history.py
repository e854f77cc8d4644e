"""How long the first page of a filtered history takes, the reports too, from 10,000 calls to 1,000,000 of a year."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from zoneinfo import ZoneInfo

from rich.table import Table

from bench.history_calls import BEGIN, END, HOTLINES, fill
from bench.table import Goal, milliseconds, new_table, verdict
from daemon.call.signals import UnixMs
from daemon.store.call_pages import find_call, read_page
from daemon.store.call_search import CallFilter
from daemon.store.delivery_pages import DeliveryFilter, read_deliveries
from daemon.store.number_search import number_search
from daemon.store.reader import FileReader, Reader
from daemon.store.service_level import Asked, GroupBy, tally
from daemon.store.ticket_pages import TicketFilter, read_tickets

_PAGE = 51
_ROUNDS = 7
_DAY = 86_400_000
_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
_GOAL = Goal("slowest first page of 1,000,000 calls (ms)", at_most=200.0)

Ask = Callable[[Reader], Awaitable[object]]

_FILTERS: dict[str, CallFilter] = {
    "all": CallFilter(),
    "internal": CallFilter(direction="internal"),
    "missed": CallFilter(outcome="missed"),
    "rejected (1 in 5,000)": CallFilter(missed_reason="rejected"),
    "ended by the system": CallFilter(ended_by="system"),
    "busy queue": CallFilter(queue="support"),
    "queue nobody calls any more": CallFilter(queue="old"),
    "hotline": CallFilter(hotline=HOTLINES[-1]),
    "busiest agent": CallFilter(user_id="agent000"),
    "an agent who left": CallFilter(user_id="nobody"),
    "customer, whole number 0901…": CallFilter(number=number_search("0901001234", "VN")),
    "customer, +84 90 1…": CallFilter(number=number_search("+84 901 001 234", "VN")),
    "number ends in 6 digits": CallFilter(number=number_search("901234", "VN")),
    "number ends in 3 digits": CallFilter(number=number_search("234", "VN")),
    "number begins with 0901": CallFilter(number=number_search("0901", "VN")),
    "a name that nobody has": CallFilter(number=number_search("alice", "VN")),
    "waited 10 minutes and more": CallFilter(wait_from=600),
    "talked 2 hours and more": CallFilter(talk_from=7200),
    "last day": CallFilter(started_from=UnixMs(END - _DAY)),
    "a day half a year ago": CallFilter(started_from=UnixMs(END - 182 * _DAY), started_before=UnixMs(END - 181 * _DAY)),
    "agent + month": CallFilter(user_id="agent000", started_from=UnixMs(END - 60 * _DAY), started_before=UnixMs(END)),
    "agent + missed": CallFilter(user_id="agent000", outcome="missed"),
    "customer + missed": CallFilter(number=number_search("0901001234", "VN"), outcome="missed"),
    "queue + missed + month": CallFilter(
        queue="sales", outcome="missed", started_from=UnixMs(END - 90 * _DAY), started_before=UnixMs(END - 60 * _DAY)
    ),
    "queue + rejected + ended by an agent (none)": CallFilter(
        queue="support", missed_reason="rejected", ended_by="agent"
    ),
    "outgoing + waited 10 min (none)": CallFilter(direction="outgoing", wait_from=600, hotline="none"),
}


def run(*, quick: bool) -> list[Table]:
    sizes = (1_000, 10_000) if quick else (10_000, 100_000, 1_000_000)
    times = [asyncio.run(_times(size)) for size in sizes]
    table = new_table(
        f"History and reports, medians of {_ROUNDS} in ms", "question", *(f"{size:,} calls" for size in sizes)
    )
    for name in times[0]:
        table.add_row(name, *(milliseconds(one[name]) for one in times))
    if not quick:
        table.caption = verdict(_GOAL, max(times[-1][name] for name in _FILTERS) * 1000)
    return [table]


async def _times(size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory(prefix="callwarden-bench-") as folder:
        path = str(Path(folder) / "history.db")
        some_call = fill(path, size)
        reads = await FileReader.open(path)
        try:
            return {name: await _median(reads, ask) for name, ask in _questions(some_call).items()}
        finally:
            await reads.close()


async def _median(reads: Reader, ask: Ask) -> float:
    taken = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        await ask(reads)
        taken.append(time.perf_counter() - began)
    return median(taken)


def _questions(some_call: str) -> dict[str, Ask]:
    pages = {name: _page(wanted) for name, wanted in _FILTERS.items()}
    return {
        **pages,
        "call by its id": lambda reads: find_call(reads, some_call),
        "deliveries of a call": lambda reads: read_deliveries(reads, DeliveryFilter(call_id=some_call), _PAGE, None),
        "tickets to be done": lambda reads: read_tickets(
            reads, TicketFilter(statuses=("open", "pending")), _PAGE, None
        ),
        "service level of a day": _sla(END - _DAY, None),
        "service level of a month by day": _sla(END - 30 * _DAY, GroupBy.DAY),
        "service level of a year by day": _sla(BEGIN, GroupBy.DAY),
        "service level of a year by queue": _sla(BEGIN, GroupBy.QUEUE),
    }


def _page(wanted: CallFilter) -> Ask:
    return lambda reads: read_page(reads, wanted, _PAGE - 1, None)


def _sla(begin: int, by: GroupBy | None) -> Ask:
    asked = Asked(begin=UnixMs(begin), end=UnixMs(END), within_ms=20_000, short_ms=5_000)
    return lambda reads: tally(reads, asked, by, _ZONE)
