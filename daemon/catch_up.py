"""Reads what a PBX wrote of a span that nobody followed, and lets the same rules judge it. Doing it again is harmless.

Reading and understanding have a thread of their own; what follows goes through the one writer in small portions, so
that calls which are on the line now wait for neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from daemon.ami.call_records import CallRecords, Gathered
from daemon.call.directory import Directory
from daemon.call.events import CallAnswered, CallEnded
from daemon.call.model import Call, CallId, PbxName
from daemon.call.past_call import PastCall, completed, understand
from daemon.call.signals import UnixMs
from daemon.call.timeline import Moment
from daemon.errors import CallwardenError
from daemon.policy import called_back
from daemon.policy.call_settings import Rulebook
from daemon.policy.catch_up import Happened, decide, happened
from daemon.policy.decision import CloseMissed, OpenTicket
from daemon.rules import Rules
from daemon.store.catching_up import known_calls, record_past
from daemon.store.store import Store
from daemon.store.thread import JobThread
from daemon.store.values import Committed, Unit

PORTION: Final = 100  # units in a transaction: a few milliseconds, in which live calls wait
_IDS_AT_ONCE: Final = 500
_PATIENCE_S: Final = 120.0  # for one portion of the records

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """`pbx` was not followed from `since` to `until`."""

    pbx: PbxName
    since: UnixMs
    until: UnixMs


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it has come. `found` calls ended in the span, `known` of them were known already."""

    found: int = 0
    known: int = 0
    calls: int = 0
    tickets: int = 0
    broken: int = 0
    unlinked: int = 0


def _nothing_was_seen(_: CallEnded) -> tuple[Moment, ...]:
    """Where nobody follows calls."""
    return ()


@dataclass(slots=True)
class Outlet:
    """Where it leads: `committed` is told what is durable, `progress` how far it has come. `dry`: nothing is written.

    `kept` are ends of calls known as living that have vanished: those found are completed, and taken out once they are
    durable. `moments` is what was seen of such a call.
    """

    store: Store
    clock: Callable[[], UnixMs]
    committed: Callable[[Sequence[Committed]], None]
    progress: Callable[[Progress], None]
    kept: MutableMapping[CallId, CallEnded] = field(default_factory=dict)
    moments: Callable[[CallEnded], tuple[Moment, ...]] = _nothing_was_seen
    dry: bool = False


async def catch_up(
    records: CallRecords, span: Span, rules: Rules, outlet: Outlet, thread: JobThread | None = None
) -> Progress:
    """All of the span. Raises CallwardenError when the records cannot be read; what was done until then stays.

    `thread` is let go at the end; it lives on where what it waits for never comes.
    """
    thread = thread or JobThread("catch-up")
    try:
        await in_time(thread.run(records.require_usable))
        portions = records.gathered(span.since, span.until)
        done = Progress()
        while (portion := await in_time(thread.run(lambda: _next(portions, span.pbx, rules.directory)))) is not None:
            done = await _take(portion, span, rules, outlet, done)
        return done
    finally:
        thread.let_go()


async def in_time(reading: Awaitable[T]) -> T:
    """A database that accepts and never answers must not be waited for."""
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await reading
    except TimeoutError as error:
        raise CallwardenError(f"the CDR did not answer within {_PATIENCE_S:g} seconds; set cdr") from error


@dataclass(frozen=True, slots=True)
class _Portion:
    calls: Sequence[PastCall]
    broken: int
    unlinked: int


def _next(portions: Iterator[Gathered], pbx: PbxName, directory: Directory) -> _Portion | None:
    """In the thread."""
    gathered = next(portions, None)
    if gathered is None:
        return None
    calls = [past for rows, notes in gathered.calls if (past := understand(pbx, rows, notes, directory)) is not None]
    return _Portion(calls, gathered.broken, gathered.unlinked)


async def _take(portion: _Portion, span: Span, rules: Rules, outlet: Outlet, done: Progress) -> Progress:
    new = await _new(portion.calls, span.pbx, outlet)
    done = replace(
        done,
        found=done.found + len(portion.calls),
        known=done.known + len(portion.calls) - len(new),
        broken=done.broken + portion.broken,
        unlinked=done.unlinked + portion.unlinked,
    )
    now = outlet.clock()
    units = sorted(
        (unit for call in new for unit in _units(call, rules.rulebook, outlet, now)), key=lambda unit: unit.at
    )
    for begin in range(0, len(units), PORTION):
        done = await _record(units[begin : begin + PORTION], rules.rulebook, outlet, done)
        outlet.progress(done)
        await asyncio.sleep(0)
    return done


async def _new(calls: Sequence[PastCall], pbx: PbxName, outlet: Outlet) -> list[Call]:
    """Those that nobody has followed to their end, by any of their channels' ids."""
    known: set[str] = set()
    for begin in range(0, len(calls), _IDS_AT_ONCE):
        ids = {one for past in calls[begin : begin + _IDS_AT_ONCE] for one in past.ids}
        known |= await known_calls(outlet.store.reader, pbx, ids)
    waiting = dict(outlet.kept)  # each is completed once
    return [call for past in calls if (call := _if_new(past, known, waiting)) is not None]


def _if_new(past: PastCall, known: set[str], waiting: MutableMapping[CallId, CallEnded]) -> Call | None:
    for one in sorted(past.ids):
        if (end := waiting.pop(CallId(one), None)) is not None:
            return completed(end.call, past.call)
    return past.call if known.isdisjoint(past.ids) else None


def _units(call: Call, rules: Rulebook, outlet: Outlet, now: UnixMs) -> list[Unit]:
    return [Unit(event.at, event.call, decide(event, rules, now), _seen(event, outlet)) for event in happened(call)]


def _seen(event: Happened, outlet: Outlet) -> tuple[Moment, ...]:
    if isinstance(event, CallEnded) and event.call.call_id in outlet.kept:
        return outlet.moments(event)
    return ()


async def _record(units: Sequence[Unit], rules: Rulebook, outlet: Outlet, done: Progress) -> Progress:
    ended = sum(unit.call.ended_at is not None for unit in units)
    if outlet.dry:
        keys = {decision.merge_key for unit in units for decision in unit.decisions if isinstance(decision, OpenTicket)}
        return replace(done, calls=done.calls + ended, tickets=done.tickets + len(keys))

    def reached(call: Call) -> CloseMissed | None:
        event = CallAnswered(call.answered_at or call.started_at, call)
        return next((one for one in called_back.decide(event, rules, event.at) if isinstance(one, CloseMissed)), None)

    now = outlet.clock()
    committed = await outlet.store.writer.change(lambda: record_past(units, reached, now))
    for unit in units:
        if unit.call.ended_at is not None:
            outlet.kept.pop(unit.call.call_id, None)
    outlet.committed(committed)
    opened = sum(one.ticket is not None and one.ticket.created for one in committed)
    return replace(done, calls=done.calls + ended, tickets=done.tickets + opened)
