"""When to catch up: after each connect, for the time in which a PBX was not followed. It stands beside the flow.

What was not followed is written down before anything else says that the PBX is followed again, and forgotten when it
has been read: a kill in between loses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Protocol

import structlog

from daemon.ami.call_records import CallRecords, RecordsConfig
from daemon.call.events import CallEnded
from daemon.call.model import CallId, PbxName
from daemon.call.rendering import iso_utc
from daemon.call.signals import LinkDown, Signal, Snapshot, UnixMs
from daemon.call.timeline import Moment
from daemon.catch_up import Outlet, Progress, Span, catch_up, in_time
from daemon.config import PbxConfig
from daemon.errors import CallwardenError
from daemon.message import Message
from daemon.pbx import CatchUpState
from daemon.policy.call_settings import CallSettings
from daemon.rules import Rules
from daemon.store.catching_up import mark_anew, mark_unheard, unheard_since
from daemon.store.live_calls import first_alive, first_heartbeat
from daemon.store.retention import Keeping, periods
from daemon.store.store import Store
from daemon.store.thread import JobThread
from daemon.store.values import Committed
from daemon.store.work import Work

MARGIN_MS: Final = 70 * 60_000  # a dead link is noticed late, clocks are set, the PBX's may be an hour behind ours …
_BEFORE_THE_FIRST_MS: Final = 10 * 60_000  # … but what was before anybody ever followed it is no outage
_AHEAD_MS: Final = 24 * 3_600_000  # The PBX may be ahead too: what was followed is known by its ids, not by the time
LONGEST_MS: Final = 31 * 24 * 3_600_000  # longer is no outage; by hand any span is read
_AGAIN_S: Final = 10.0  # records are written a moment after the call …
_LATE_S: Final = 310.0  # … or, with batch = yes in cdr.conf, up to five minutes
_RETRY_S: Final = 300.0
_TOLD_EVERY_S: Final = 5.0
_LOOK_S: Final = 0.05

_log = structlog.get_logger(__name__)


_Reading = Callable[[PbxName, "_Desk", UnixMs], Awaitable[None]]


class Flow(Protocol):
    """The dispatcher: what is queued before has been followed; a call's end is judged."""

    async def passed(self) -> None: ...

    async def judge(self, event: CallEnded) -> None: ...

    def seen_of(self, event: CallEnded) -> tuple[Moment, ...]: ...


@dataclass(slots=True)
class _Desk:
    """One PBX that keeps records."""

    records: CallRecords
    since: UnixMs | None = None  # from here on nobody has listened; None: somebody always has
    marked: bool = True  # … and that is written down
    lost_at: UnixMs | None = None  # when the link was first lost since the task began
    kept: dict[CallId, CallEnded] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None
    late: asyncio.Task[None] | None = None
    thread: JobThread | None = None
    state: CatchUpState | None = None

    def lose(self, at: UnixMs) -> None:
        self.since = at if self.since is None else min(self.since, at)
        self.lost_at = at if self.lost_at is None else min(self.lost_at, at)

    @property
    def is_at_it(self) -> bool:
        """The same link lists its calls again: nothing was missed that is not being read."""
        return self.task is not None and not self.task.done() and self.lost_at is None

    async def free(self) -> None:
        """A reading that hangs keeps the only thread: there is never a second one."""
        while self.thread is not None and self.thread.is_alive:  # noqa: ASYNC110 - a thread tells no loop of its end
            await asyncio.sleep(_LOOK_S)


class CatchUps:
    """`flow` and `rules` are asked when needed. Only PBXs with records are here: nothing changes for others."""

    def __init__(
        self,
        records: Mapping[PbxName, CallRecords],
        flow: Callable[[], Flow],
        rules: Callable[[], Rules],
        clock: Callable[[], UnixMs],
        *,
        again_s: float = _AGAIN_S,
        late_s: float = _LATE_S,
    ) -> None:
        self._desks = {pbx: _Desk(one) for pbx, one in records.items()}
        self._flow = flow
        self._rules = rules
        self._clock = clock
        self._again_s = again_s
        self._late_s = late_s
        self._first: dict[PbxName, UnixMs] = {}
        self._store: Store
        self._committed: Callable[[Sequence[Committed]], None]

    async def begin(
        self, store: Store, alive: Mapping[PbxName, UnixMs], committed: Callable[[Sequence[Committed]], None]
    ) -> None:
        """Before any PBX is connected: `alive` is when each was last followed. One that never was has no past here."""
        self._store, self._committed = store, committed
        marked, self._first = await unheard_since(store.reader), await first_alive(store.reader)
        for pbx, desk in self._desks.items():
            moments = [at for at in (marked.get(pbx), alive.get(pbx)) if at is not None]
            desk.since = min(moments, default=None)

    def hear(self, pbx: PbxName, signal: Signal) -> None:
        """Follows the same signals as the flow; returns at once."""
        desk = self._desks.get(pbx)
        if desk is None:
            return
        if isinstance(signal, LinkDown):
            desk.lose(signal.at)
        elif isinstance(signal, Snapshot) and not desk.is_at_it:
            before, since = desk.task, desk.since
            for one in (before, desk.late if since is not None else None):
                if one is not None:
                    one.cancel()  # now: it must not take the new link for its own
            desk.marked, desk.lost_at = since is None, None
            work = self._beat(pbx) if since is None else self._run(pbx, desk, since, before)
            desk.task = asyncio.create_task(work, name=f"catch-up {pbx}")

    def may_beat(self, pbx: PbxName) -> bool:
        """Whether it is safe to say that this PBX is followed now."""
        desk = self._desks.get(pbx)
        return desk is None or desk.marked

    def keep_back(self, event: CallEnded) -> bool:
        """A call that ended unseen is not judged before its records were looked for. False: judge it now."""
        desk = self._desks.get(event.call.pbx)
        if desk is None or event.seen or desk.since is None:
            return False
        desk.kept[event.call.call_id] = event
        return True

    def state(self, pbx: PbxName) -> CatchUpState | None:
        desk = self._desks.get(pbx)
        return desk.state if desk else None

    async def close(self) -> None:
        """What is not done is done after the next start."""
        tasks = [task for desk in self._desks.values() for task in (desk.task, desk.late) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _beat(self, pbx: PbxName) -> None:
        """At once: what happens after a kill in the first seconds is missed too."""
        now = self._clock()
        self._first.setdefault(pbx, now)
        await self._store.writer.change(lambda: first_heartbeat(now, pbx))

    async def _run(self, pbx: PbxName, desk: _Desk, since: UnixMs, before: asyncio.Task[None] | None) -> None:
        await _over(before)
        now = self._clock()
        since = self._begin(pbx, since, now)
        await self._store.writer.change(partial(mark_unheard, pbx, since, now))
        desk.marked = True
        while not await self._try(pbx, desk, since):  # noqa: ASYNC110
            await asyncio.sleep(_RETRY_S)
        await self._settle(pbx, desk)
        await self._give_back(desk)
        desk.late = asyncio.create_task(self._late(pbx, desk, max(since, UnixMs(now - MARGIN_MS))))

    def _begin(self, pbx: PbxName, since: UnixMs, now: UnixMs) -> UnixMs:
        """Where reading begins; what is left out because it is too long ago is said.

        A beginning that is not over yet was written by a clock that has been set back since.
        """
        since = UnixMs(min(since, now) - MARGIN_MS)
        if (first := self._first.get(pbx)) is not None and first <= now:
            since = max(since, UnixMs(first - _BEFORE_THE_FIRST_MS))
        kept, longest = kept_since(self._rules().rulebook.settings, now), UnixMs(now - LONGEST_MS)
        if max(since, kept) < longest:
            by_hand = f"callwarden catch-up --from {iso_utc(max(since, kept))} --to {iso_utc(longest)}"
            _log.warning("catch_up_leaves_out", pbx=pbx, since=iso_utc(max(since, kept)), by_hand=by_hand)
        return max(since, longest, kept)

    async def _settle(self, pbx: PbxName, desk: _Desk) -> None:
        """All is read but what came after the link was lost once more."""
        told = False
        while not told:
            lost = desk.lost_at
            await self._store.writer.change(partial(mark_anew, pbx, lost, self._clock()))
            told = lost == desk.lost_at
        desk.since = desk.lost_at

    async def _try(self, pbx: PbxName, desk: _Desk, since: UnixMs) -> bool:
        return await self._try_once(pbx, desk, since, self._read_twice)

    async def _try_once(self, pbx: PbxName, desk: _Desk, since: UnixMs, reading: _Reading) -> bool:
        try:
            await reading(pbx, desk, since)
        except CallwardenError as error:
            _log.warning("catch_up_failed", pbx=pbx, since=iso_utc(since), error=str(error))
            await self._failed(desk, since, error.message)
            return False
        except Exception:  # noqa: BLE001 - our own bug; it must keep no call open
            _log.exception("catch_up_broke", pbx=pbx, since=iso_utc(since))
            await self._failed(desk, since, Message("see the log"))
            return False
        return True

    async def _read_twice(self, pbx: PbxName, desk: _Desk, since: UnixMs) -> None:
        """Some records are only being written."""
        await self._read(pbx, desk, since, last=False)
        await asyncio.sleep(self._again_s)
        await self._read(pbx, desk, since, last=True)

    async def _late(self, pbx: PbxName, desk: _Desk, since: UnixMs) -> None:
        """What is written in batches. No mark: whoever is cut short before it reads the margin the next time."""
        await asyncio.sleep(self._late_s)
        await self._try_once(pbx, desk, since, partial(self._read, last=True))

    async def _failed(self, desk: _Desk, since: UnixMs, why: str) -> None:
        said = why if isinstance(why, Message) else Message("{why}", why=why)
        desk.state = CatchUpState(since=since, until=self._clock(), error=said)
        await self._give_back(desk)

    async def _read(self, pbx: PbxName, desk: _Desk, since: UnixMs, *, last: bool) -> None:
        await self._followed()
        await in_time(desk.free())
        span = Span(pbx=pbx, since=since, until=self._clock())
        calls = desk.state.calls if last and desk.state else 0
        told = _Teller(span, calls, desk)
        _log.info("catch_up_reads", pbx=pbx, since=iso_utc(since), until=iso_utc(span.until))
        outlet = Outlet(self._store, self._clock, self._committed, told.progress, desk.kept, self._flow().seen_of)
        desk.thread = JobThread("catch-up")
        wide = replace(span, until=UnixMs(span.until + _AHEAD_MS))
        done = await catch_up(desk.records, wide, self._rules(), outlet, desk.thread)
        told.show(done, running=not last)
        _log.info("catch_up_read", pbx=pbx, found=done.found, known=done.known, **told.figures(done))

    async def _followed(self) -> None:
        """What was heard until now is in the store, where it is asked which calls are known."""
        await self._flow().passed()
        await self._store.writer.change(_nothing)

    async def _give_back(self, desk: _Desk) -> None:
        """Calls of which nothing was written end with what is known."""
        for call_id, event in list(desk.kept.items()):
            await self._flow().judge(event)
            desk.kept.pop(call_id, None)


def _nothing() -> Work[None]:
    yield from ()


class _Teller:
    """Shows progress on the page at once, and in the log every few seconds."""

    def __init__(self, span: Span, before: int, desk: _Desk) -> None:
        self._span = span
        self._before = before
        self._desk = desk
        self._told_at = 0.0
        self.show(Progress(), running=True)

    def progress(self, done: Progress) -> None:
        self.show(done, running=True)
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= _TOLD_EVERY_S:
            self._told_at = now
            _log.info("catch_up_goes_on", pbx=self._span.pbx, **self.figures(done))

    def show(self, done: Progress, *, running: bool) -> None:
        self._desk.state = CatchUpState(
            since=self._span.since,
            until=self._span.until,
            calls=self._before + done.calls,
            broken=done.broken,
            running=running,
        )

    def figures(self, done: Progress) -> dict[str, int]:
        return {"calls": done.calls, "tickets": done.tickets, "broken": done.broken, "unlinked": done.unlinked}


def kept_since(settings: CallSettings, now: UnixMs) -> UnixMs:
    """What ended before is not kept: it must not come back out of the PBX's records."""
    return max((period.before for period in periods(settings, now) if period.kind is Keeping.CALLS), default=UnixMs(0))


def call_records(pbxs: Iterable[PbxConfig]) -> dict[PbxName, CallRecords]:
    """Those of the PBXs whose records are configured. Nothing is opened yet."""
    return {
        PbxName(pbx.name): CallRecords(
            RecordsConfig(cdr=pbx.cdr, cdr_table=pbx.cdr_table, queue_log=pbx.queue_log, time_zone=pbx.cdr_time_zone)
        )
        for pbx in pbxs
        if pbx.cdr is not None
    }


async def _over(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
