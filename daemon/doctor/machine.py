"""The machine itself: room on its disk, and its clock."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from daemon.diagnosis import Finding, State
from daemon.doctor.patient import Patient
from daemon.doctor.pbx_link import utc_offset
from daemon.doctor.wording import one_line
from daemon.message import Message
from daemon.store.call_pages import read_calls
from daemon.store.call_search import CallFilter
from daemon.store.settings import read_settings
from daemon.store.sqlite import MEMORY
from daemon.store.store import database_path

_MB: Final = 1_000_000
NO_ROOM_MB: Final = 256
LITTLE_ROOM_MB: Final = 1024
_FEW_FILES: Final = 1_000
_AHEAD_MS: Final = 5 * 60_000


async def look_at_disk(patient: Patient) -> Iterable[Finding]:
    path = database_path(patient.config.store.url)
    return [] if path == MEMORY else await asyncio.to_thread(_look_at_disk, path)  # a network's disk may hang


def _look_at_disk(path: str) -> list[Finding]:
    folder = Path(path).absolute().parent
    room = os.statvfs(folder)
    free = room.f_bavail * room.f_frsize // _MB
    few_files = bool(room.f_files) and room.f_favail < _FEW_FILES
    check, where = "machine.disk", one_line(str(folder), 255)
    if free >= LITTLE_ROOM_MB and not few_files:
        what = Message("{free} MB are free where the database is ({where}).", free=free, where=where)
        return [Finding(check=check, state=State.OK, what=what)]
    what = Message("Only {free} MB are free where the database is ({where}).", free=free, where=where)
    if few_files:
        what = Message("Hardly any file can be made any more where the database is ({where}).", where=where)
    why = Message("When the disk is full, calls are followed in memory only, and a restart loses them.")
    fix = Message("Free some space, or move the database to a bigger disk (store.url).")
    state = State.PROBLEM if free < NO_ROOM_MB or few_files else State.WARNING
    return [Finding(check=check, state=state, what=what, why=why, fix=fix)]


async def look_at_clock(patient: Patient) -> Iterable[Finding]:
    """A clock set back shows in calls that began in the future."""
    now = patient.clock()
    last = await read_calls(patient.reads, CallFilter(), 1, None)
    ahead = last[0].call.started_at - now if last else 0
    if ahead <= _AHEAD_MS:
        what = Message("No call is kept that begins in the future.")
        return [Finding(check="machine.clock", state=State.OK, what=what)]
    return [
        Finding(
            check="machine.clock",
            state=State.WARNING,
            what=Message("The last call began {minutes} minutes in the future.", minutes=round(ahead / 60_000)),
            why=Message("This machine's clock or the PBX's was wrong, then or now: waiting times are wrong too."),
            fix=Message("Set both clocks by NTP (chrony, systemd-timesyncd)."),
        )
    ]


async def look_at_zone(patient: Patient) -> Iterable[Finding]:
    wanted = (await read_settings(patient.reads)).settings.time_zone
    now = datetime.fromtimestamp(patient.clock() / 1000, UTC)
    theirs, ours = now.astimezone().utcoffset(), now.astimezone(ZoneInfo(wanted)).utcoffset()
    assert theirs is not None, "an aware time always knows"
    assert ours is not None, "an aware time always knows"
    if theirs == ours or not theirs:
        what = Message("Days and reports go by the time zone of the call settings ({zone}).", zone=wanted)
        return [Finding(check="machine.zone", state=State.OK, what=what)]
    what = Message(
        "This machine's local time is {theirs}, that of the call settings ({zone}) is {ours}.",
        theirs=utc_offset(round(theirs.total_seconds() / 60)),
        zone=wanted,
        ours=utc_offset(round(ours.total_seconds() / 60)),
    )
    why = Message("Days of tickets and reports begin by the call settings; if those are wrong, so are they.")
    fix = Message("Correct the one that is wrong: timedatectl set-timezone here, or the page Settings, Calls.")
    return [Finding(check="machine.zone", state=State.WARNING, what=what, why=why, fix=fix)]
