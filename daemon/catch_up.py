"""Reads what a PBX wrote of a span that nobody followed, and lets the same rules judge it. Doing it again is harmless.

Reading and understanding have a thread of their own; what follows goes through the one writer in small portions, so
that calls which are on the line now wait for neither.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from daemon.ami.call_records import CallRecords, Gathered
from daemon.call.directory import Directory
from daemon.call.events import CallAnswered
from daemon.call.model import Call, CallId, PbxName
from daemon.call.past_call import PastCall, completed, understand
from daemon.call.signals import UnixMs
from daemon.policy import called_back
from daemon.policy.call_settings import Rulebook
from daemon.policy.catch_up import decide, happened
from daemon.policy.decision import CloseMissed, OpenTicket
from daemon.rules import Rules
from daemon.store.catching_up import known_calls, record_past
from daemon.store.store import Store
from daemon.store.thread import JobThread
from daemon.store.values import Committed, Unit

PORTION: Final = 100  # units in a transaction: a few milliseconds, in which live calls wait
_IDS_AT_ONCE: Final = 500


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


@dataclass(slots=True)
class Outlet:
    """Where it leads: `committed` is told what is durable, `progress` how far it has come. `dry`: nothing is written.

    `kept` are calls known as living that have vanished; those found are completed and taken out.
    """

    store: Store
    clock: Callable[[], UnixMs]
    committed: Callable[[Sequence[Committed]], None]
    progress: Callable[[Progress], None]
    kept: MutableMapping[CallId, Call] = field(default_factory=dict)
    dry: bool = False


async def catch_up(records: CallRecords, span: Span, rules: Rules, outlet: Outlet) -> Progress:
    """All of the span. Raises CallwardenError when the records cannot be read; what was done until then stays."""
    thread = JobThread("catch-up")
    try:
        await thread.run(records.require_usable)
        portions = records.gathered(span.since, span.until)
        done = Progress()
        while (portion := await thread.run(lambda: _next(portions, span.pbx, rules.directory))) is not None:
            done = await _take(portion, span, rules, outlet, done)
        return done
    finally:
        thread.let_go()


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
    units = sorted((unit for call in new for unit in _units(call, rules.rulebook, now)), key=lambda unit: unit.at)
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
    return [call for past in calls if (call := _if_new(past, known, outlet.kept)) is not None]


def _if_new(past: PastCall, known: set[str], kept: MutableMapping[CallId, Call]) -> Call | None:
    for one in sorted(past.ids):
        if (call := kept.pop(CallId(one), None)) is not None:
            return completed(call, past.call)
    return past.call if known.isdisjoint(past.ids) else None


def _units(call: Call, rules: Rulebook, now: UnixMs) -> list[Unit]:
    return [Unit(event.at, event.call, decide(event, rules, now)) for event in happened(call)]


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
    outlet.committed(committed)
    opened = sum(one.ticket is not None and one.ticket.created for one in committed)
    return replace(done, calls=done.calls + ended, tickets=done.tickets + opened)
