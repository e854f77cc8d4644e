"""The PBX's own call records, from which an outage of ours is read afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from daemon.ami.call_records import CallRecords, RecordsLook
from daemon.call.model import CallState, PbxName
from daemon.call.signals import UnixMs
from daemon.catch_ups import call_records
from daemon.diagnosis import Finding, State
from daemon.doctor.patient import Patient
from daemon.doctor.wording import one_line
from daemon.errors import CallwardenError
from daemon.message import Message
from daemon.store.call_pages import read_calls
from daemon.store.call_search import CallFilter

_CHECK: Final = "pbx.records"
_BEHIND_MS: Final = 10 * 60_000
_LOST: Final = Message(
    "Calls that begin and end while Callwarden is down or not connected leave no trace: no ticket, ever."
)


async def look_at_records(patient: Patient) -> Iterable[Finding]:
    configured = call_records(patient.config.pbx)
    names = [PbxName(pbx.name) for pbx in patient.config.pbx]
    return [
        await _look(patient, name, configured[name]) if name in configured else _none_configured(name) for name in names
    ]


async def _look(patient: Patient, name: PbxName, records: CallRecords) -> Finding:
    try:
        look = await asyncio.to_thread(records.require_usable)
    except CallwardenError as error:
        what = Message("The PBX's call records cannot be used: {reason}", reason=one_line(str(error), 500))
        fix = Message("Put right what is named; cdr and cdr_time_zone stand in the [[pbx]] of the configuration.")
        return Finding(check=_CHECK, state=State.PROBLEM, what=what, why=_LOST, fix=fix, about=name)
    last = await read_calls(patient.reads, CallFilter(pbx=name, state=CallState.ENDED), 1, None)
    return _judged(name, look, last[0].call.ended_at if last else None, patient.clock())


def _judged(name: PbxName, look: RecordsLook, last_end: UnixMs | None, now: UnixMs) -> Finding:
    """`last_end`: of a call that was followed, so a record of it must be there."""
    if last_end is not None and (look.newest_at is None or look.newest_at < last_end - _BEHIND_MS):
        what = Message("The PBX's newest call record is older than the last call that was followed.")
        fix = Message("See whether the PBX still writes there (asterisk -rx 'cdr show status') and cdr names it.")
        return Finding(check=_CHECK, state=State.PROBLEM, what=what, why=_LOST, fix=fix, about=name)
    if look.newest_at is None:
        what = Message("The PBX's call records can be read; there is none yet.")
        return Finding(check=_CHECK, state=State.OK, what=what, about=name)
    if not look.has_links:
        what = Message("The PBX's call records do not say which channels belong together (linkedid).")
        why = Message("After an outage, transfers and Local channels may count as calls of their own.")
        fix = Message("Set newcdrcolumns = yes in cdr.conf, or add a column linkedid to the table.")
        return Finding(check=_CHECK, state=State.WARNING, what=what, why=why, fix=fix, about=name)
    minutes = max(0, round((now - look.newest_at) / 60_000))
    what = Message("The PBX's call records can be read; the newest is {minutes} minutes old.", minutes=minutes)
    return Finding(check=_CHECK, state=State.OK, what=what, about=name)


def _none_configured(name: PbxName) -> Finding:
    what = Message("The PBX's call records (CDR) are not read.")
    fix = Message('Write cdr = "/var/log/asterisk/cdr-csv/Master.csv", or a database\'s URL, in the [[pbx]].')
    return Finding(check=_CHECK, state=State.WARNING, what=what, why=_LOST, fix=fix, about=name)
