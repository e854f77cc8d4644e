"""How many tickets a second become durable, beside bare sqlite3 writing the very same rows in the same groups."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from rich.table import Table

from bench.ingest_ours import PBX, RULES
from bench.recorded_call import recorded
from bench.stream import BEGAN, BEGAN_MS, MIX, directory
from bench.table import Goal, milliseconds, new_table, per_second, verdict
from daemon.ami.signal_reader import SignalReader
from daemon.call.events import CallAnswered
from daemon.call.model import CallId
from daemon.call.tracker import Tracker
from daemon.dispatch import decide
from daemon.store import schema
from daemon.store.sqlite import SqliteDriver
from daemon.store.values import Unit
from daemon.store.writer import Writer

_SAME_ROWS, _OURS, _TICKET_ROW = "bare sqlite3, the same rows", "ours", "bare sqlite3, the ticket's row alone"
_GOAL_SIZE = 100
_GOAL = Goal(f"tickets/s in groups of {_GOAL_SIZE} / bare sqlite3 with the same rows", at_least=0.6)
_GOAL_WAIT = Goal(f"commit p50 in groups of {_GOAL_SIZE} (ms)", at_most=10.0)

Rows = dict[str, list[tuple[object, ...]]]


@dataclass(frozen=True, slots=True)
class Turn:
    """One file filled; seconds from giving a group until it was durable."""

    waits: tuple[float, ...]
    tickets: int

    @property
    def rate(self) -> float:
        return self.tickets / sum(self.waits)


def run(*, quick: bool) -> list[Table]:
    rounds, groups = (1, 30) if quick else (3, 60)
    title = f"Durable tickets (synchronous=FULL), {rounds} rounds of {groups} groups, medians"
    table = new_table(title, "tickets in a group", "tickets/s", "commit p50 ms", "share of the same rows")
    verdicts = []
    for size in (1, 10, 100, 250):
        turns = [_turn(size, groups) for _ in range(rounds)]
        share = {name: median(turn[name].rate / turn[_SAME_ROWS].rate for turn in turns) for name in turns[0]}
        waits = {name: median(median(turn[name].waits) for turn in turns) for name in turns[0]}
        for name in turns[0]:
            rate = median(turn[name].rate for turn in turns)
            table.add_row(f"{size:>3}  {name}", per_second(rate), milliseconds(waits[name]), f"{share[name]:.0%}")
        table.add_section()
        if size == _GOAL_SIZE:
            verdicts += [verdict(_GOAL, share[_OURS]), verdict(_GOAL_WAIT, waits[_OURS] * 1000)]
    table.caption = "\n".join(verdicts)
    return [table]


def _turn(size: int, groups: int) -> dict[str, Turn]:
    units = list(_units(size * groups))
    with tempfile.TemporaryDirectory(prefix="callwarden-bench-") as folder:
        ours, other, row_only = (str(Path(folder) / name) for name in ("ours.db", "same.db", "row.db"))
        schema.upgrade(ours)
        schema.upgrade(other)
        turn = {_OURS: asyncio.run(_write(ours, units, size))}
        rows = _rows(ours)
        assert len(rows["tickets"]) == len(units), "a ticket is missing"
        turn[_SAME_ROWS] = _write_bare(other, rows, size)
        turn[_TICKET_ROW] = _write_bare(row_only, {"tickets": rows["tickets"]}, size)
    return turn


def _units(count: int) -> Iterator[Unit]:
    """What the policies ask for when so many calls of different customers are answered."""
    template = _answered()
    for n in range(count):
        number = f"+8490{n:07}"
        call = replace(
            template.call, call_id=CallId(f"1795000000.{n}"), customer_number=number, customer_number_raw=number
        )
        event = replace(template, call=call)
        yield Unit(event.at, call, decide(event, RULES, event.at))


def _answered() -> CallAnswered:
    """The answer in a recorded call of a queue."""
    tracker = Tracker(PBX, directory())
    stream = b"".join(message.data for message in recorded(MIX[0]).copy(0, BEGAN))
    signals = SignalReader(live=True).feed(stream, BEGAN_MS)
    return next(event for signal in signals for event in tracker.feed(signal) if isinstance(event, CallAnswered))


async def _write(path: str, units: list[Unit], size: int) -> Turn:
    driver = SqliteDriver(path)
    writer = Writer(driver, lambda _: None, group=size)
    running = asyncio.create_task(writer.run())
    waits = []
    for start in range(0, len(units), size):
        began = time.perf_counter()
        for unit in units[start : start + size]:
            await writer.submit(unit)
        await writer.drain()
        waits.append(time.perf_counter() - began)
    await writer.stop()
    await running
    await driver.close()
    return Turn(tuple(waits), len(units))


def _rows(path: str) -> Rows:
    """Everything that our writing left, table by table."""
    with sqlite3.connect(path) as store:
        names = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        kept = [name for name in names if not name.startswith(("sqlite_", "alembic_"))]
        rows = {name: store.execute(f'SELECT * FROM "{name}" ORDER BY rowid').fetchall() for name in kept}  # noqa: S608
    return {name: found for name, found in rows.items() if found}


def _write_bare(path: str, rows: Rows, size: int) -> Turn:
    """One statement a table and group, the shortest way there is. A table that is not there gets no index either."""
    store = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=OFF"):
        store.execute(f"PRAGMA {pragma}").fetchall()
    known = {row[0] for row in store.execute("SELECT name FROM sqlite_master")}
    for name in rows.keys() - known:
        store.execute(f"CREATE TABLE {name} ({', '.join(f'c{n}' for n in range(len(rows[name][0])))})")
    count = len(rows["tickets"])
    waits = tuple(_timed(lambda start=start: _group(store, rows, start, size)) for start in range(0, count, size))  # type: ignore[misc]
    store.close()
    return Turn(waits, count)


def _group(store: sqlite3.Connection, rows: Rows, start: int, size: int) -> None:
    store.execute("BEGIN IMMEDIATE")
    for name, found in rows.items():
        marks = ", ".join("?" * len(found[0]))
        store.executemany(f"INSERT INTO {name} VALUES ({marks})", found[start : start + size])  # noqa: S608
    store.execute("COMMIT")


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
