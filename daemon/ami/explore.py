"""What an Asterisk has: its phones and trunks, its queues with their members. Only asks, and only within bounds.

The manager user we print may not list PJSIP endpoints (class `system`, which could also rewrite the PBX's database), so
where that is refused the device states are listed, which `call` may. What a phone is, single functions tell.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from daemon.ami.actions import Actions
from daemon.ami.endpoint_facts import add_facts
from daemon.ami.failures import ActionRefused, ActionTimeout, LinkLost
from daemon.ami.message import Message as Row
from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.pbx import EndpointSeen, Inventory, MemberSeen, QueueSeen

LIST_S: Final = 5.0
WHOLE_S: Final = 12.0
MAX_ENDPOINTS: Final = 20_000
MAX_DETAILS: Final = 300
_BATCH: Final = 500

_NO_RIGHT: Final = "Permission denied"
_NO_ACTION: Final = "Invalid/unknown command"

# Not `Queue:sales_avail`, `Custom:night`, `confbridge:1`: those are states of things, not of phones.
_PHONE: Final = re.compile(r"(?!Local/)[A-Za-z][A-Za-z0-9_]{0,31}/[^\s,&|;:/]{1,100}")
_AWAY: Final = frozenset({"UNAVAILABLE", "INVALID", "UNKNOWN"})


@dataclass(frozen=True, slots=True)
class Wanted:
    """`known` endpoints belong to agents and need no further look; `rung` have rung lately and are looked at first."""

    known: Collection[str] = frozenset()
    rung: Mapping[str, UnixMs] = field(default_factory=dict)


async def explore(pbx: str, actions: Actions, wanted: Wanted) -> Inventory:
    """What could be learned in time; what could not is a problem in words, never an exception of the PBX."""
    found = _Found()
    try:
        async with asyncio.timeout(WHOLE_S):
            await found.explore(actions, wanted)
    except TimeoutError:
        found.problems.append(Message("The PBX took too long to answer; not everything it has is shown."))
    except LinkLost:
        found.problems.append(Message("There is no connection to this PBX now; what it has cannot be asked."))
    rung = wanted.rung
    endpoints = (replace(seen, rung_at=rung.get(seen.endpoint)) for seen in found.endpoints.values())
    return Inventory(
        pbx=pbx, endpoints=tuple(endpoints), queues=tuple(found.queues), problems=tuple(dict.fromkeys(found.problems))
    )


async def read_queues(actions: Actions) -> list[QueueSeen] | None:
    """All queues; None where the PBX has no queues at all. Raises what an action raises."""
    try:
        rows = await actions.rows("QueueStatus", "QueueStatusComplete", limit=LIST_S)
    except ActionRefused as refused:
        if _NO_ACTION in str(refused):
            return None
        raise
    return await _queues(rows)


async def read_members(actions: Actions) -> list[tuple[str, MemberSeen, Row]]:
    """Every member of every queue, with the row that tells more of it. Raises what an action raises."""
    try:
        rows = await actions.rows("QueueStatus", "QueueStatusComplete", limit=LIST_S)
    except ActionRefused as refused:
        if _NO_ACTION in str(refused):
            return []  # no queues at all: app_queue is not loaded
        raise
    found = []
    for count, row in enumerate(rows):
        if count % _BATCH == 0:
            await asyncio.sleep(0)
        if row.get("Event") == "QueueMember" and len(queue := row.get("Queue") or "") in range(1, 129):
            found.append((queue, _member(row), row))
    return found


async def read_endpoints(actions: Actions) -> dict[str, EndpointSeen] | None:
    """All phones and trunks by name; None where none of the ways to list them is open."""
    lists = (
        await _rows(actions, "PJSIPShowEndpoints", "EndpointListComplete"),
        await _rows(actions, "SIPpeers", "PeerlistComplete"),
    )
    # The device states hold what no other list does (DAHDI, SCCP), and all where the lists are refused.
    states = await _rows(actions, "DeviceStateList", "DeviceStateListComplete")
    if states is None and all(rows is None for rows in lists):
        return None
    found: dict[str, EndpointSeen] = {}
    for count, row in enumerate(row for rows in (states, *lists) for row in rows or ()):
        if count % _BATCH == 0:
            await asyncio.sleep(0)  # calls are followed meanwhile
        seen = _endpoint(row)
        if seen is not None and (seen.endpoint in found or len(found) < MAX_ENDPOINTS):
            found[seen.endpoint] = seen
    return found


class _Found:
    """What has been learned so far, so that running out of time loses nothing of it."""

    def __init__(self) -> None:
        self.endpoints: dict[str, EndpointSeen] = {}
        self.queues: list[QueueSeen] = []
        self.problems: list[Message] = []

    async def explore(self, actions: Actions, wanted: Wanted) -> None:
        try:
            self.queues = await read_queues(actions) or []
        except (ActionRefused, ActionTimeout) as error:
            self.problems.append(Message("The queues could not be listed: {reason}", reason=str(error)))
        await self._list_endpoints(actions)
        self.queues = [_queue_of_endpoints(queue, self.endpoints) for queue in self.queues]
        members = [m.endpoint for queue in self.queues for m in queue.members if m.endpoint is not None]
        for endpoint in (*members, *wanted.rung):  # whatever lists leave out
            if len(self.endpoints) < MAX_ENDPOINTS:
                self.endpoints.setdefault(endpoint, EndpointSeen(endpoint=endpoint))
        telling = dict.fromkeys((*members, *wanted.rung, *self.endpoints))
        unknown = [endpoint for endpoint in telling if endpoint in self.endpoints and endpoint not in wanted.known]
        if len(unknown) > MAX_DETAILS:
            self.problems.append(
                Message("Only {count} of the unknown endpoints were looked at more closely.", count=MAX_DETAILS)
            )
        await self._look_closer(actions, unknown[:MAX_DETAILS])

    async def _list_endpoints(self, actions: Actions) -> None:
        try:
            found = await read_endpoints(actions)
        except (ActionRefused, ActionTimeout) as error:
            self.problems.append(Message("The phones could not be listed: {reason}", reason=str(error)))
            return
        if found is None:
            self.problems.append(NO_WAY)
        elif len(found) >= MAX_ENDPOINTS:
            self.problems.append(Message("Only the first {count} endpoints are shown.", count=MAX_ENDPOINTS))
        self.endpoints = found or {}

    async def _look_closer(self, actions: Actions, endpoints: Iterable[str]) -> None:
        try:
            await add_facts(actions, self.endpoints, endpoints)
        except (ActionRefused, ActionTimeout) as error:
            self.problems.append(Message("The phones could not be looked at more closely: {reason}", reason=str(error)))


NO_WAY: Final = Message(
    "The phones cannot be listed: the manager user may not, or the module res_manager_devicestate is not loaded. "
    "Load it (module load res_manager_devicestate.so), or enter phones by hand."
)


async def _rows(actions: Actions, action: str, last: str) -> list[Row] | None:
    """None: refused or not there. An empty list is an error to Asterisk (`No endpoints found`)."""
    try:
        return await actions.rows(action, last, limit=LIST_S)
    except ActionRefused as refused:
        return None if any(why in str(refused) for why in (_NO_RIGHT, _NO_ACTION)) else []


def _endpoint(row: Row) -> EndpointSeen | None:
    match row.get("Event"):
        case "EndpointList":
            name, registered = f"PJSIP/{row.get('ObjectName')}", bool((row.get("Contacts") or "").strip(","))
            seen = EndpointSeen(endpoint=name, registered=registered)
        case "PeerEntry":
            address = row.get("IPaddress")
            seen = EndpointSeen(
                endpoint=f"{row.get('Channeltype') or 'SIP'}/{row.get('ObjectName')}",
                registered=address is not None and address != "-none-",
                takes_registrations=row.get("Dynamic") == "yes",
            )
        case "DeviceStateChange":
            seen = EndpointSeen(endpoint=row.get("Device") or "", registered=row.get("State") not in _AWAY)
        case _:
            return None
    return seen if _PHONE.fullmatch(seen.endpoint) else None


async def _queues(rows: list[Row]) -> list[QueueSeen]:
    members: dict[str, list[MemberSeen]] = {}
    for count, row in enumerate(rows):
        if count % _BATCH == 0:
            await asyncio.sleep(0)
        if (queue := row.get("Queue")) is None or len(queue) > 128:
            continue
        known = members.setdefault(queue, [])
        if row.get("Event") == "QueueMember":
            known.append(_member(row))
    return [QueueSeen(name, tuple(known)) for name, known in members.items()]


def _queue_of_endpoints(queue: QueueSeen, known: Collection[str]) -> QueueSeen:
    """`PJSIP/0901701234@trunk` is a number behind a trunk, unless there is an endpoint of this very name."""
    numbers = {m for m in queue.members if m.endpoint is not None and "@" in m.endpoint and m.endpoint not in known}
    return QueueSeen(queue.name, tuple(replace(m, endpoint=None) if m in numbers else m for m in queue.members))


def _member(row: Row) -> MemberSeen:
    """A Local member is a way to the phone whose state it names."""
    interface = (row.get("Location") or row.get("Interface") or "")[:128]
    ways = (interface, row.get("StateInterface") or "")
    endpoint = next((way for way in ways if _PHONE.fullmatch(way)), None)
    return MemberSeen(interface, (row.get("Name") or row.get("MemberName") or interface)[:255], endpoint)
