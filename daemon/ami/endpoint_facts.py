"""What single endpoints are: phone or trunk, which device, whose name. Asked by Getvar, which `call` may.

Names go into the functions' arguments, so only those that cannot end an argument are asked about.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from daemon.ami.actions import Actions
from daemon.pbx import EndpointSeen

_AT_ONCE: Final = 8
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.+@;:=~\[\]-]{1,120}")
_CALLER_ID: Final = re.compile(r'"?([^"<>]*?)"?\s*<[^<>]*>')


async def add_facts(actions: Actions, endpoints: dict[str, EndpointSeen], asked: Iterable[str]) -> None:
    """Complete these entries, a few at a time. Raises what an action raises; what is complete by then stays."""
    waiting = iter(list(asked))

    async def work() -> None:
        for endpoint in waiting:
            endpoints[endpoint] = await _with_facts(actions, endpoints[endpoint])

    try:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(_AT_ONCE):
                tasks.create_task(work())
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


async def _with_facts(actions: Actions, seen: EndpointSeen) -> EndpointSeen:
    technology, _, name = seen.endpoint.partition("/")
    if not _PLAIN.fullmatch(name):
        return seen
    match technology:
        case "PJSIP":
            return await _pjsip(actions, seen, name)
        case "SIP":
            agent = await actions.getvar(f"SIPPEER({name},useragent)")
            called = await actions.getvar(f"SIPPEER({name},callerid_name)")
            return replace(seen, user_agent=_text(agent), name=_text(called))
    return seen


async def _pjsip(actions: Actions, seen: EndpointSeen, name: str) -> EndpointSeen:
    """An AOR that takes no contact, or a login of ours at the other side, makes a trunk."""
    aors = await actions.getvar(f"PJSIP_ENDPOINT({name},aors)")
    outbound = await actions.getvar(f"PJSIP_ENDPOINT({name},outbound_auth)")
    aor = (aors or "").partition(",")[0].strip()
    contact = most = None
    if _PLAIN.fullmatch(aor):
        most = await actions.getvar(f"PJSIP_AOR({aor},max_contacts)")
        contact = await actions.getvar(f"PJSIP_AOR({aor},contact)")
    return replace(
        seen,
        takes_registrations=None if most is None and aor else (most or "0") != "0" and outbound is None,
        user_agent=await _user_agent(actions, (contact or "").partition(",")[0]),
        name=_name(await actions.getvar(f"PJSIP_ENDPOINT({name},callerid)")),
    )


async def read_user_agent(actions: Actions, endpoint: str) -> str | None:
    """What the phone registered for this endpoint calls itself; None where none is, or it cannot be asked."""
    aor = await _aor(actions, endpoint)
    if aor is None:
        return None
    contact = await actions.getvar(f"PJSIP_AOR({aor},contact)")
    return await _user_agent(actions, (contact or "").partition(",")[0])


async def read_qualify(actions: Actions, endpoint: str) -> int | None:
    """Every how many seconds the PBX asks this phone whether it is still there; 0: never, None: it cannot be told."""
    aor = await _aor(actions, endpoint)
    said = await actions.getvar(f"PJSIP_AOR({aor},qualify_frequency)") if aor is not None else None
    return int(said) if said is not None and said.isascii() and said.isdigit() and len(said) < 10 else None


async def _aor(actions: Actions, endpoint: str) -> str | None:
    """Where this phone registers; None for what is no PJSIP phone."""
    technology, _, name = endpoint.partition("/")
    if technology != "PJSIP" or not _PLAIN.fullmatch(name):
        return None
    aor = ((await actions.getvar(f"PJSIP_ENDPOINT({name},aors)")) or "").partition(",")[0].strip()
    return aor if _PLAIN.fullmatch(aor) else None


async def _user_agent(actions: Actions, contact: str) -> str | None:
    if not _PLAIN.fullmatch(contact):
        return None
    return _text(await actions.getvar(f"PJSIP_CONTACT({contact},user_agent)"))


def _name(caller_id: str | None) -> str | None:
    """`"Agent 1001" <1001>` is Agent 1001; a number alone is no name."""
    found = _CALLER_ID.fullmatch(caller_id or "")
    return _text(found[1]) if found else None


def _text(value: str | None) -> str | None:
    """What a phone or an admin wrote, as one short line."""
    line = "".join(char for char in value or "" if char.isprintable()).strip()
    return line[:200] or None
