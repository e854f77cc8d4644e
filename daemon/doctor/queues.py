"""Queues: those that only one side knows, and phones in them that belong to nobody."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from daemon.diagnosis import Finding, State
from daemon.doctor.patient import Patient
from daemon.doctor.phones import NOT_ASKED
from daemon.doctor.wording import names
from daemon.message import Message
from daemon.pbx import Inventory
from daemon.store.agents import read_phone_owners
from daemon.store.queues import read_queue_names


async def look_at_queues(patient: Patient) -> Iterable[Finding]:
    connected = patient.connected()
    if not connected:
        return [Finding(check="queues.known", state=State.UNKNOWN, what=NOT_ASKED)]
    owners = await read_phone_owners(patient.reads)
    found = [one for one in await patient.desk.inventories(owners.keys(), again=True) if one.pbx in connected]
    configured = await read_queue_names(patient.reads)
    all_told = len(connected) == len(patient.links) and not any(one.problems for one in found)
    return [*(_unknown(configured, found) if all_told else ()), *_strangers(found, owners)]


def _unknown(configured: frozenset[str], found: Sequence[Inventory]) -> list[Finding]:
    there = {queue.name for inventory in found for queue in inventory.queues}
    gone = configured - there
    if not gone:
        what = Message("Queues on the PBX: {count}. None is set here that it does not have.", count=len(there))
        return [Finding(check="queues.known", state=State.OK, what=what)]
    what = Message(
        "Queues that are set here and the PBX does not know: {count} ({names}).", count=len(gone), names=names(gone)
    )
    why = Message("Their switches and ringtones do nothing; if a queue was renamed, the new name has none of them.")
    fix = Message("On the page Settings, Queues: add the new name, remove the old one.")
    return [Finding(check="queues.known", state=State.WARNING, what=what, why=why, fix=fix)]


def _strangers(found: Sequence[Inventory], owners: Mapping[str, str]) -> list[Finding]:
    """Members that are phones and no agent's: to us whoever answers there is somebody outside."""
    members = {
        (queue.name, member.endpoint)
        for inventory in found
        for queue in inventory.queues
        for member in queue.members
        if member.endpoint is not None
    }
    strange = [f"{endpoint} {queue}" for queue, endpoint in members if endpoint not in owners]
    if not strange:
        what = Message("Every phone in a queue belongs to an agent.")
        return [Finding(check="queues.members", state=State.OK, what=what)] if members else []
    what = Message(
        "Phones in queues that belong to no agent: {count} ({names}).", count=len(strange), names=names(strange)
    )
    why = Message("Calls that are answered there count as missed, and get a ticket to call back.")
    fix = Message("On the page Settings, Agents: add whose phones these are; they are offered there.")
    return [Finding(check="queues.members", state=State.PROBLEM, what=what, why=why, fix=fix)]
