"""Whether each PBX has our dialplan, and its table of ringtones what was chosen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Final

from daemon.ami import ringtone_db
from daemon.ami.failures import ActionRefused, ActionTimeout, LinkLost
from daemon.ami.link import AmiLink, LinkState
from daemon.call.model import PbxName
from daemon.diagnosis import Finding, State
from daemon.doctor.patient import Patient
from daemon.doctor.pbx_link import from_test
from daemon.message import Message
from daemon.pbx import Finding as Tested
from daemon.ringtone_findings import handler_finding, nothing_chosen
from daemon.store.agents import read_agents
from daemon.store.hotlines import read_hotlines
from daemon.store.queues import read_queues
from daemon.store.reader import Reader
from daemon.store.settings import read_settings

_NO_LINK: Final = Message("Not looked at: there is no connection to the PBX.")


async def look_at_dialplans(patient: Patient) -> Iterable[Finding]:
    connected = patient.connected()
    tested = await asyncio.gather(*(patient.desk.check_ringtones(name) for name in connected))
    found = [from_test("dialplan", name, one) for name, tests in zip(connected, tested, strict=True) for one in tests]
    away = [name for name in patient.links if name not in connected]
    return [
        *found,
        *(Finding(check="dialplan.ringtones", state=State.UNKNOWN, what=_NO_LINK, about=name) for name in away),
    ]


def only_looking(links: Mapping[PbxName, AmiLink], reads: Reader) -> Callable[[PbxName], Awaitable[Sequence[Tested]]]:
    """The same tests for one who must not write the table: the daemon that does may be running."""

    async def look(name: PbxName) -> Sequence[Tested]:
        link = links[name]
        if link.state is not LinkState.CONNECTED:
            return []
        if not await _any_chosen(reads):
            return [nothing_chosen()]
        try:
            handler = await ringtone_db.is_there(link.actions, ringtone_db.HANDLER)
            store = await ringtone_db.is_there(link.actions, ringtone_db.STORE)
        except (ActionRefused, ActionTimeout, LinkLost):
            handler = store = None
        return [handler_finding(handler, store)]

    return look


async def _any_chosen(reads: Reader) -> bool:
    """Whether anybody chose a ringtone anywhere."""
    return (
        (await read_settings(reads)).settings.ringtone is not None
        or any(agent.ringtone is not None for agent in await read_agents(reads))
        or any(queue.ringtone is not None for queue in (await read_queues(reads)).values())
        or any(hotline.ringtone is not None for hotline in await read_hotlines(reads))
    )
