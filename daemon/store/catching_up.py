"""Calls that were read afterwards: which are new, what follows from them, and which later talks have made them good."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from sqlalchemy import bindparam, delete, select
from sqlalchemy.dialects.sqlite import insert

from daemon.call.model import Call, CallId, CallState, Direction, Outcome, PbxName
from daemon.call.signals import ChannelId, UnixMs
from daemon.policy.decision import CloseMissed
from daemon.store.closing import closing
from daemon.store.merging import call_key, opening
from daemon.store.reader import Reader
from daemon.store.recording import record
from daemon.store.row import call_of, compact_json
from daemon.store.statement import each_of
from daemon.store.tables import calls, settings
from daemon.store.values import Committed, Unit
from daemon.store.work import Query, Work

_UNHEARD = "unheard_since:"  # and the PBX's name

_KNOWN = select(calls.c.call_id, calls.c.state, calls.c.caught_up).where(
    calls.c.pbx == bindparam("b_pbx"), calls.c.call_id.in_(each_of("ids"))
)
_TALKS = (
    select(calls)
    .where(
        calls.c.customer_number.in_(each_of("numbers")),
        calls.c.answered_at > bindparam("b_since"),
        calls.c.direction != Direction.INTERNAL.value,
    )
    .order_by(calls.c.answered_at)
)
_MARKS = select(settings.c.key, settings.c.value).where(settings.c.key.startswith(_UNHEARD, autoescape=True))
_MARK = insert(settings).on_conflict_do_nothing()
_UNMARK = delete(settings).where(settings.c.key == bindparam("b_key"))

Reached = Callable[[Call], CloseMissed | None]
"""What a talk with a customer makes good."""


async def known_calls(reads: Reader, pbx: PbxName, ids: Collection[ChannelId]) -> set[CallId]:
    """Those of these ids that are calls whose story is complete, or is being followed.

    One that was read afterwards and not to its end is neither.
    """
    rows = await reads.fetch(_KNOWN, {"b_pbx": pbx, "ids": compact_json(sorted(ids))})
    ended = CallState.ENDED.value
    return {row["call_id"] for row in rows if row["state"] == ended or not row["caught_up"]}


def record_past(units: Sequence[Unit], reached: Reached, told_at: UnixMs) -> Work[list[Committed]]:
    """In the order they happened. What a talk that was followed live has made good since then is closed too."""
    done: list[Committed] = []
    for run in _runs(units):
        done += yield from record(run, told_at)
    later = yield from _later_talks(done, reached)
    return done + ((yield from record(later, told_at)) if later else [])


def mark_unheard(pbx: PbxName, since: UnixMs, now: UnixMs) -> Work[None]:
    """From then on the PBX was not followed. An earlier mark stays: it has not been caught up yet."""
    yield Query(_MARK, [{"key": _UNHEARD + pbx, "value": str(since), "changed_at": now}])


def forget_unheard(pbx: PbxName) -> Work[None]:
    yield Query(_UNMARK, {"b_key": _UNHEARD + pbx})


def mark_anew(pbx: PbxName, since: UnixMs | None, now: UnixMs) -> Work[None]:
    """What was marked has been read; it was not followed again from `since` on. None: it is followed."""
    yield from forget_unheard(pbx)
    if since is not None:
        yield from mark_unheard(pbx, since, now)


async def unheard_since(reads: Reader) -> dict[PbxName, UnixMs]:
    """The PBXs of which something is still to be read, and since when."""
    rows = await reads.fetch(_MARKS, {})
    return {PbxName(row["key"].removeprefix(_UNHEARD)): UnixMs(int(row["value"])) for row in rows}


def _runs(units: Sequence[Unit]) -> Iterable[Sequence[Unit]]:
    """What is recorded at once opens first and closes then; a customer missed again after a talk needs another run."""
    run: list[Unit] = []
    closed: set[str | None] = set()
    for unit in units:
        if opening(unit) is not None and unit.call.customer_number in closed:
            yield run
            run, closed = [], set()
        run.append(unit)
        if closing(unit) is not None:
            closed.add(unit.call.customer_number)
    if run:
        yield run


def _later_talks(done: Iterable[Committed], reached: Reached) -> Work[list[Unit]]:
    missed = [one for one in done if one.ticket is not None and one.unit.call.outcome is Outcome.MISSED]
    numbers = sorted({one.unit.call.customer_number for one in missed if one.unit.call.customer_number is not None})
    if not numbers:
        return []
    since = min(one.unit.at for one in missed)
    rows = yield Query(_TALKS, {"numbers": compact_json(numbers), "b_since": since})
    own = {call_key(one.unit) for one in done}
    talks = [call for row in rows if ((call := call_of(row)).pbx, call.call_id) not in own]
    found = [(call, reached(call)) for call in talks]
    return [Unit(call.answered_at, call, (close,)) for call, close in found if close and call.answered_at is not None]
