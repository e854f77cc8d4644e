"""Which of a PBX's endpoints look like agents' phones that nobody entered, why, and what to call their agents. Pure.

The rule: an endpoint that belongs to no agent is like an agent when it is itself a member of a queue, or when it
registers as phones do and a call from outside made it ring. A trunk takes no registration (it has a fixed address or
logs in at the other side) and stands in no queue.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from daemon.message import Message
from daemon.pbx import EndpointSeen, Inventory
from daemon.store.endpoint_name import endpoint_name


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPhone:
    """An endpoint of a PBX; the suggestions are for the form that makes an agent of it, None where it has one."""

    pbx: str
    endpoint: str
    registered: bool | None
    user_agent: str | None
    agent: str | None
    trunk: bool | None
    like_agent: bool
    why: Message | None
    suggested_user_id: str | None
    suggested_name: str | None


def found_phones(inventory: Inventory, agents: Mapping[str, str], user_ids: Iterable[str]) -> list[FoundPhone]:
    """Those like agents first. `agents` are user ids by endpoint, `user_ids` all that are taken."""
    queues, names = _memberships(inventory)
    taken = set(user_ids)
    found = []
    for seen in sorted(inventory.endpoints, key=lambda seen: seen.endpoint):
        if _usable(seen.endpoint):
            agent = agents.get(seen.endpoint)
            why = None if agent is not None else _why(seen, queues.get(seen.endpoint))
            user_id = _free_user_id(seen.endpoint, inventory.pbx, taken) if agent is None else None
            name = (seen.name or names.get(seen.endpoint) or user_id) if agent is None else None
            found.append(_found(inventory.pbx, seen, agent, why, user_id, name, in_queue=seen.endpoint in queues))
    return sorted(found, key=lambda phone: not phone.like_agent)


def _found(
    pbx: str,
    seen: EndpointSeen,
    agent: str | None,
    why: Message | None,
    user_id: str | None,
    name: str | None,
    *,
    in_queue: bool,
) -> FoundPhone:
    return FoundPhone(
        pbx=pbx,
        endpoint=seen.endpoint,
        registered=seen.registered,
        user_agent=seen.user_agent,
        agent=agent,
        trunk=None if seen.takes_registrations is None else not seen.takes_registrations and not in_queue,
        like_agent=why is not None,
        why=why,
        suggested_user_id=user_id,
        suggested_name=name,
    )


def _why(seen: EndpointSeen, queue: str | None) -> Message | None:
    if queue is not None:
        return Message("It is a member of the queue {queue}, and belongs to no agent.", queue=queue)
    if seen.takes_registrations and seen.rung_at is not None:
        return Message("A call from outside made it ring, and it belongs to no agent.")
    return None


def _memberships(inventory: Inventory) -> tuple[dict[str, str], dict[str, str]]:
    """The first queue of each endpoint, and what the queue calls it."""
    queues: dict[str, str] = {}
    names: dict[str, str] = {}
    for queue in inventory.queues:
        for member in queue.members:
            if member.endpoint is not None:
                queues.setdefault(member.endpoint, queue.name)
                if member.name != member.interface:
                    names.setdefault(member.endpoint, _one_line(member.name))
    return queues, names


def _usable(endpoint: str) -> bool:
    try:
        return endpoint_name(endpoint) == endpoint
    except ValueError:
        return False


def _free_user_id(endpoint: str, pbx: str, taken: set[str]) -> str:
    """`1001` for PJSIP/1001; where that is somebody else's, with the PBX's name behind it."""
    plain = re.sub(r"[^A-Za-z0-9_.@+-]", "_", endpoint.partition("/")[2])[:60]
    wanted = (plain, f"{plain}-{pbx}", *(f"{plain}-{pbx}-{number}" for number in range(2, 1000)))
    free = next((user_id for user_id in wanted if user_id not in taken), plain)
    taken.add(free)
    return free


def _one_line(text: str) -> str:
    return "".join(char for char in text if char.isprintable()).strip()[:200]
