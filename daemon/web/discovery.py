"""`/api/v1/discovery`: what the PBXs have beside what Callwarden knows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.pbx import Inventory
from daemon.store.agents import read_phone_owners, read_user_ids
from daemon.store.queues import read_queue_names
from daemon.store.seen_hotlines import SeenHotline, read_seen_hotlines
from daemon.web.found_phones import FoundPhone, found_phones
from daemon.web.pbx import Say, say_to
from daemon.web.query import Query
from daemon.web.services import services

HOTLINES_OF_MS: Final = 30 * 86_400_000
_BATCH: Final = 250


@dataclass(frozen=True, slots=True)
class Discovery:
    """All PBXs together. `agents` is whose phone each known endpoint is, `configured` are the queues an admin set."""

    inventories: Sequence[Inventory]
    phones: Sequence[FoundPhone]
    agents: dict[str, str]
    configured: frozenset[str]
    hotlines: Sequence[SeenHotline]


async def discover(request: web.Request, *, again: bool = False) -> Discovery:
    """For the page as for the API. `again`: also a PBX that did not answer lately is asked now."""
    parts = services(request)
    agents = await read_phone_owners(parts.reads)
    user_ids = set(await read_user_ids(parts.reads))
    inventories = await parts.pbxs.inventories(agents.keys(), again=again)
    phones: list[FoundPhone] = []
    for inventory in inventories:
        found = await asyncio.to_thread(found_phones, inventory, agents, user_ids)  # of 10,000 it takes a while
        user_ids |= {phone.suggested_user_id for phone in found if phone.suggested_user_id is not None}
        phones += found
    hotlines = await read_seen_hotlines(parts.reads, UnixMs(parts.clock() - HOTLINES_OF_MS))
    return Discovery(inventories, phones, agents, await read_queue_names(parts.reads), hotlines)


async def get_discovery(request: web.Request) -> web.Response:
    Query(request, ())
    found, say = await discover(request), say_to(request)
    lists = {
        "endpoints": (_phone_json(phone, say) for phone in found.phones),
        "queues": _queues_json(found),
        "hotlines": (_hotline_json(hotline) for hotline in found.hotlines),
        "problems": ({"pbx": i.pbx, "words": say(problem)} for i in found.inventories for problem in i.problems),
    }
    parts = [f"{json.dumps(name)}: [{await _written(items)}]" for name, items in lists.items()]
    return web.Response(text="{" + ", ".join(parts) + "}", content_type="application/json")


async def _written(items: Iterable[object]) -> str:
    """JSON in pieces: between them calls are followed."""
    written: list[str] = []
    for count, item in enumerate(items):
        if count % _BATCH == 0:
            await asyncio.sleep(0)
        written.append(json.dumps(item))
    return ", ".join(written)


def _phone_json(phone: FoundPhone, say: Say) -> dict[str, object]:
    return {
        "pbx": phone.pbx,
        "endpoint": phone.endpoint,
        "user_agent": phone.user_agent,
        "registered": phone.registered,
        "trunk": phone.trunk,
        "agent": phone.agent,
        "like_agent": phone.like_agent,
        "why": say(phone.why) if isinstance(phone.why, Message) else None,
        "suggested_user_id": phone.suggested_user_id,
        "suggested_name": phone.suggested_name,
    }


def _queues_json(found: Discovery) -> Iterable[dict[str, object]]:
    for inventory in found.inventories:
        for queue in inventory.queues:
            members = [
                {
                    "interface": member.interface,
                    "name": member.name,
                    "endpoint": member.endpoint,
                    "agent": found.agents.get(member.endpoint) if member.endpoint else None,
                }
                for member in queue.members
            ]
            yield {
                "pbx": inventory.pbx,
                "name": queue.name,
                "members": members,
                "configured": queue.name in found.configured,
            }


def _hotline_json(hotline: SeenHotline) -> dict[str, object]:
    return {
        "number": hotline.number,
        "calls": hotline.calls,
        "last_call_at": iso_utc(hotline.last_call_at),
        "configured": hotline.configured,
    }
