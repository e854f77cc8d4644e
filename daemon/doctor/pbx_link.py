"""The link to each PBX: the checks of the PBX page, and what is lost where one of them fails."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

from daemon.ami.failures import ActionRefused
from daemon.ami.link import AmiLink
from daemon.call.model import PbxName
from daemon.diagnosis import Finding, State
from daemon.doctor.patient import Patient
from daemon.message import Message
from daemon.pbx import Finding as Tested
from daemon.store.call_pages import read_calls
from daemon.store.call_search import CallFilter
from daemon.store.live_calls import last_alive, living_calls
from daemon.store.settings import read_settings

FOLLOWED_MS: Final = 60_000
"""The daemon writes every 15 s that it follows a PBX."""
ANSWERS_S: Final = 6.0
_LATELY_MS: Final = 24 * 3_600_000
_OFFSET: Final = re.compile(r"([+-])(\d\d)(\d\d)")

_NOTHING_FOLLOWED: Final = Message(
    "Calls go on as before, but nobody follows them: no tickets, no popups, no missed calls to call back."
)
_LOST: Final = Message("The setting that hangs up calls whose connection is lost works less well without it.")
_COSTS: Final[dict[str, tuple[State, Message | None]]] = {
    "connected": (State.PROBLEM, _NOTHING_FOLLOWED),
    "login": (State.PROBLEM, _NOTHING_FOLLOWED),
    "version": (State.PROBLEM, Message("Older versions do not tell who answered a call.")),
    "clock": (State.WARNING, Message("Times of calls, and how long customers waited, are off by as much.")),
    "rights": (State.PROBLEM, None),
    "list_calls": (
        State.PROBLEM,
        Message("After a reconnect Callwarden cannot see which calls go on: those are followed no further."),
    ),
    "hang_up": (State.WARNING, Message("Calls whose connection is lost stay; the desk's button hangs up nothing.")),
    "originate": (State.WARNING, Message("Click-to-call does not work, and ringtones cannot be written to the PBX.")),
    "variables": (State.WARNING, Message("Muting from the desk, ringtones, and what phones tell do not work.")),
    "transfer": (State.WARNING, Message("Agents cannot transfer calls from the desk; their phones' keys still can.")),
    "pause": (State.WARNING, Message("Agents cannot take a break from the desk: the queues go on ringing them.")),
    "phone_messages": (State.WARNING, Message("The setting is on, and phones show nothing.")),
    "events": (State.PROBLEM, _NOTHING_FOLLOWED),
    "timestamps": (State.WARNING, Message("When the network is slow, times of calls are off by as much.")),
    "reports": (State.WARNING, _LOST),
    "unreachable": (State.WARNING, _LOST),
    "queues": (State.WARNING, Message("Which queues there are, and who is in them, cannot be shown.")),
    "endpoints": (State.WARNING, Message("Which phones there are, and whether they are registered, cannot be shown.")),
    "in_time": (State.WARNING, None),
    "ringtone_dialplan": (State.WARNING, Message("Ringtones are chosen, and no phone plays them.")),
    "ringtones": (State.WARNING, Message("Some phones do not play the ringtone that was chosen.")),
}
_NOT_NEEDED: Final = frozenset({"phone_keys", "queues"})
"""What is deliberately not there is in order."""
_HEARD: Final = frozenset({"events", "timestamps", "reports"})
"""Told by what a link has heard: one made a second ago cannot tell, the store can."""


async def look_at_links(patient: Patient) -> Iterable[Finding]:
    if not patient.links:
        what = Message("No PBX is configured.")
        fix = Message("Name one in a [[pbx]] table of the configuration file, and start Callwarden again.")
        return [Finding(check="pbx.connected", state=State.PROBLEM, what=what, why=_NOTHING_FOLLOWED, fix=fix)]
    found = await asyncio.gather(*(_tested(patient, name, link) for name, link in patient.links.items()))
    return [finding for findings in found for finding in findings]


async def _tested(patient: Patient, name: PbxName, link: AmiLink) -> list[Finding]:
    """One that takes our login and then answers nothing is as bad as one that is not there."""
    try:
        async with asyncio.timeout(ANSWERS_S):
            tests = await patient.desk.check_link(name)
    except TimeoutError:
        what = Message(
            "The PBX at {where} did not answer in time: it hangs or is overloaded.",
            where=f"{link.config.host}:{link.config.port}",
        )
        fix = Message("Try again; if it stays so, look into the PBX's log.")
        return [
            Finding(check="pbx.connected", state=State.PROBLEM, what=what, why=_NOTHING_FOLLOWED, fix=fix, about=name)
        ]
    return [from_test("pbx", name, one) for one in tests if patient.is_daemon or one.name not in _HEARD]


def from_test(group: str, pbx: str, tested: Tested) -> Finding:
    """A test of the PBX page, with what it costs where it failed."""
    weight, why = _COSTS.get(tested.name, (State.PROBLEM, None))
    is_fine = tested.ok or (tested.ok is None and tested.name in _NOT_NEEDED)
    state = State.OK if is_fine else State.UNKNOWN if tested.ok is None else weight
    return Finding(
        check=f"{group}.{tested.name}",
        state=state,
        what=tested.words,
        why=why if tested.ok is False else None,
        fix=tested.fix,
        about=pbx,
    )


async def look_at_events(patient: Patient) -> Iterable[Finding]:
    """Beside a daemon: whether what it hears is kept. The daemon itself knows from its own link."""
    if patient.is_daemon:
        return []
    alive, now = await last_alive(patient.reads), patient.clock()
    return [
        await _heard(patient, name, link) if now - alive.get(name, 0) < FOLLOWED_MS else _not_followed(name)
        for name, link in patient.connected().items()
    ]


def _not_followed(name: PbxName) -> Finding:
    what = Message("Callwarden has not followed this PBX in the last minute, so whether events arrive is not known.")
    fix = Message("If it was started only now, check again in a moment; else its log says what keeps it from the PBX.")
    return Finding(check="pbx.events", state=State.UNKNOWN, what=what, fix=fix, about=name)


async def _heard(patient: Patient, name: PbxName, link: AmiLink) -> Finding:
    check, now = "pbx.events", patient.clock()
    last = await read_calls(patient.reads, CallFilter(pbx=name), 1, None)
    if last and now - last[0].call.started_at < _LATELY_MS:
        return Finding(check=check, state=State.OK, what=Message("Events of calls arrive."), about=name)
    on_the_line = await _calls_now(link)
    if on_the_line and not [call for call in await living_calls(patient.reads) if call.pbx == name]:
        what = Message("The PBX has calls on the line: {count}. Callwarden follows none.", count=on_the_line)
        fix = Message(
            "In [{user}] of manager.conf: read = call,agent,reporting,system, and the eventfilter line as "
            "callwarden asterisk-config prints it; then run: {command}",
            user=link.config.username,
            command="asterisk -rx 'manager reload'",
        )
        return Finding(check=check, state=State.PROBLEM, what=what, why=_NOTHING_FOLLOWED, fix=fix, about=name)
    what = Message(
        "No call was kept in the last 24 hours, and none is on the line: whether events arrive is not known."
    )
    fix = Message("Make a call, and check again while it goes on.")
    return Finding(check=check, state=State.UNKNOWN, what=what, fix=fix, about=name)


async def _calls_now(link: AmiLink) -> int:
    """0 also where it may not be asked, which another finding says."""
    try:
        said = (await link.actions.send("CoreStatus", limit=5.0)).get("CoreCurrentCalls", "")
    except ActionRefused:
        return 0
    return int(said) if said.isascii() and said.isdigit() and len(said) < 10 else 0


async def look_at_zones(patient: Patient) -> Iterable[Finding]:
    """Opening hours of a dialplan go by the PBX's zone, days of tickets by the call settings'."""
    wanted = (await read_settings(patient.reads)).settings.time_zone
    links = patient.connected()
    told = await asyncio.gather(*(_offset(link) for link in links.values()))
    now = datetime.fromtimestamp(patient.clock() / 1000, UTC)
    ours = ZoneInfo(wanted).utcoffset(now)
    assert ours is not None, "a ZoneInfo always knows"
    minutes = round(ours.total_seconds() / 60)
    return [_zone(name, said, minutes, wanted) for name, said in zip(links, told, strict=True) if said is not None]


async def _offset(link: AmiLink) -> int | None:
    """Minutes east of UTC of the PBX's local time; None where it does not tell."""
    try:
        said = _OFFSET.fullmatch(await link.actions.getvar("STRFTIME(,,%z)") or "")
    except ActionRefused:
        return None
    if said is None:
        return None
    return (int(said[2]) * 60 + int(said[3])) * (-1 if said[1] == "-" else 1)


def _zone(pbx: str, theirs: int, ours: int, zone: str) -> Finding:
    if theirs == ours:
        what = Message("The PBX's time zone is that of the call settings ({zone}).", zone=zone)
        return Finding(check="pbx.zone", state=State.OK, what=what, about=pbx)
    what = Message(
        "The PBX's local time is {theirs}, that of the call settings ({zone}) is {ours}.",
        theirs=utc_offset(theirs),
        zone=zone,
        ours=utc_offset(ours),
    )
    why = Message("Opening hours of the dialplan and days of tickets and reports begin at different moments.")
    fix = Message(
        "Set the right zone on the PBX (timedatectl set-timezone {zone}) and start Asterisk again, or correct the time "
        "zone on the page Settings, Calls.",
        zone=zone,
    )
    return Finding(check="pbx.zone", state=State.WARNING, what=what, why=why, fix=fix, about=pbx)


def utc_offset(minutes: int) -> str:
    """`UTC+07:00`."""
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}"
