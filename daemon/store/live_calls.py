"""What a restart needs: the calls that lived when the daemon was last alive, and when that was."""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import bindparam, literal_column, select
from sqlalchemy.dialects.sqlite import insert

from daemon.call.model import Call, CallId, CallState, PbxName
from daemon.call.signals import UnixMs
from daemon.store.reader import Reader
from daemon.store.row import call_of
from daemon.store.tables import calls, settings
from daemon.store.work import Query, Work

_LAST_ALIVE = "last_alive_at:"  # and the PBX's name
_FIRST_ALIVE = "first_alive_at:"
# In the very words of its index, and unsorted: to be sorted, SQLite would rather walk through all calls in their order.
LIVING = select(calls).where(calls.c.state != literal_column(f"'{CallState.ENDED.value}'"))
_ENDED_LATELY = select(calls.c.pbx, calls.c.call_id).where(
    calls.c.started_at >= bindparam("b_since"), calls.c.state == CallState.ENDED.value
)
BEATS = select(settings.c.key, settings.c.value).where(settings.c.key.startswith(_LAST_ALIVE, autoescape=True))
_new_beat = insert(settings)
_SET_BEAT = _new_beat.on_conflict_do_update(
    index_elements=[settings.c.key],
    set_={"value": _new_beat.excluded.value, "changed_at": _new_beat.excluded.changed_at},
)

_FIRSTS = select(settings.c.key, settings.c.value).where(settings.c.key.startswith(_FIRST_ALIVE, autoescape=True))
_SET_FIRST = insert(settings).on_conflict_do_nothing()


async def living_calls(reader: Reader) -> list[Call]:
    """Calls that have not ended, oldest first."""
    living = [call_of(row) for row in await reader.fetch(LIVING)]
    return sorted(living, key=lambda call: (call.started_at, call.call_id))


async def ended_lately(reader: Reader, since: UnixMs) -> list[tuple[PbxName, CallId]]:
    """Calls begun since then that have ended; a leg of theirs may still be on the line."""
    return [(row["pbx"], row["call_id"]) for row in await reader.fetch(_ENDED_LATELY, {"b_since": since})]


async def last_alive(reader: Reader) -> dict[PbxName, UnixMs]:
    """When each PBX was last surely followed; nothing for one that never was."""
    rows = await reader.fetch(BEATS)
    return {PbxName(row["key"].removeprefix(_LAST_ALIVE)): UnixMs(int(json.loads(row["value"]))) for row in rows}


def heartbeat(at: UnixMs, followed: Iterable[PbxName]) -> Work[None]:
    """Write it every few seconds: after a crash it bounds when the daemon stopped seeing."""
    yield Query(_SET_BEAT, [{"key": _LAST_ALIVE + pbx, "value": str(at), "changed_at": at} for pbx in followed])


async def first_alive(reader: Reader) -> dict[PbxName, UnixMs]:
    """Since when each PBX has been followed; nothing for one that was before this was kept."""
    rows = await reader.fetch(_FIRSTS)
    return {PbxName(row["key"].removeprefix(_FIRST_ALIVE)): UnixMs(int(json.loads(row["value"]))) for row in rows}


def first_heartbeat(at: UnixMs, pbx: PbxName) -> Work[None]:
    """It is followed from now on; where it was before, that stays its first time."""
    yield Query(_SET_FIRST, [{"key": _FIRST_ALIVE + pbx, "value": str(at), "changed_at": at}])
    yield from heartbeat(at, [pbx])
