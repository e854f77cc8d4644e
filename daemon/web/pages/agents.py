"""`/settings/agents`: who has which phone; one agent; and the phones of the PBX that nobody has yet."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from aiohttp import web

from daemon.message import Message
from daemon.store.accounts import read_accounts, read_owners
from daemon.store.agents import Agent, count_agents, read_agent, read_agents
from daemon.store.phone_brands import phone_brands
from daemon.store.settings import read_settings
from daemon.web.agents import ENDPOINTS_LIMIT, USER_ID_LIMIT
from daemon.web.csv_kinds import AGENTS
from daemon.web.discovery import Discovery, discover
from daemon.web.found_phones import FoundPhone
from daemon.web.if_match import version
from daemon.web.page import show, show_many, words
from daemon.web.pages.choices import column_words, ringtone_options, searchable, with_kept
from daemon.web.pages.filters import address_of, cursor, filters
from daemon.web.problem import not_found
from daemon.web.query import pack, path_part
from daemon.web.services import services
from daemon.web.words import Translate

_PATH: Final = "/settings/agents"
_ROWS: Final = 500
_FOUND_ROWS: Final = 300
_GENERIC: Final = Message("Another make")


async def show_agents(request: web.Request) -> web.Response:
    parts, _, place = services(request), words(request), cursor(request, str)
    asked = filters(request, ("q",))
    count = await count_agents(parts.reads)
    found, matching = await _found(request, asked.get("q", ""), str(place[0]) if place else "", count)
    shown = found[:_ROWS]
    owners = await read_owners(parts.reads, [agent.user_id for agent in shown])
    tones = dict(await ringtone_options(parts.reads, _))
    return await show_many(
        request,
        "agents.html",
        agents=await asyncio.to_thread(lambda: [_row(agent, owners, tones) for agent in shown]),
        count=count,
        matching=matching,
        query=asked.get("q", ""),
        several_pages=count > _ROWS,
        following=address_of(_PATH, asked, cursor=pack([shown[-1].user_id])) if len(found) > _ROWS else None,
        first=address_of(_PATH, asked) if place else None,
        columns=column_words(AGENTS, _),
    )


async def _found(request: web.Request, query: str, after: str, count: int) -> tuple[list[Agent], int]:
    """A page's agents and one more if there is one; and how many match. Only a search has to look at all of them."""
    reads = services(request).reads
    if not query:
        return await read_agents(reads, after, _ROWS + 1), count
    everybody = await read_agents(reads)
    matching = await asyncio.to_thread(lambda: [agent for agent in everybody if _matches(agent, query)])
    return [agent for agent in matching if agent.user_id > after][: _ROWS + 1], len(matching)


async def show_new_agent(request: web.Request) -> web.Response:
    """The query may bring what is known already: `user_id`, `name`, `endpoint`."""
    given = filters(request, ("user_id", "name", "endpoint"))
    endpoints = (given["endpoint"],) if "endpoint" in given else ()
    blank = Agent(user_id=given.get("user_id", ""), name=given.get("name", ""), endpoints=endpoints)
    return await show(request, "agent.html", agent=blank, new=True, **await _choices(request, blank))


async def show_agent(request: web.Request) -> web.Response:
    parts = services(request)
    agent = await read_agent(parts.reads, path_part(request, "user_id", USER_ID_LIMIT))
    if agent is None:
        raise not_found("agent")
    account = (await read_owners(parts.reads, [agent.user_id])).get(agent.user_id)
    accounts = await read_accounts(parts.reads)
    return await show(
        request,
        "agent.html",
        agent=agent,
        new=False,
        version=version(agent.facts()),
        key=quote(agent.user_id, safe=""),
        account=account,
        account_key=quote(account or "", safe=""),
        free_accounts=[one.name for one in accounts if one.user_id is None and one.disabled_at is None],
        **await _choices(request, agent),
    )


async def show_found_agents(request: web.Request) -> web.Response:
    """A part of the list's page, asked for after it: the PBX may take its time."""
    found = await discover(request, again="again" in request.query)
    free = [phone for phone in found.phones if phone.agent is None and not phone.trunk]
    alike = [phone for phone in free if phone.like_agent]
    others = [phone for phone in free if not phone.like_agent]
    return await show_many(
        request,
        "found_agents.html",
        alike=[_found_row(phone) for phone in alike[:_FOUND_ROWS]],
        more_alike=max(0, len(alike) - _FOUND_ROWS),
        others=[_found_row(phone) for phone in others[:_FOUND_ROWS]],
        more_others=max(0, len(others) - _FOUND_ROWS),
        trunks=sum(phone.trunk is True for phone in found.phones),
        phones=[phone for phone in found.phones if phone.agent is not None],
        **pbx_values(found),
    )


def pbx_values(found: Discovery) -> dict[str, Any]:
    """What each PBX could not tell; `complete`: what is not among what was found is not there."""
    problems = [(one.pbx, problem) for one in found.inventories for problem in one.problems]
    return {
        "pbxs": [one.pbx for one in found.inventories],
        "problems": problems,
        "complete": bool(found.inventories) and not problems,
    }


def page_of(user_id: str) -> str:
    return f"{_PATH}/{quote(user_id, safe='')}"


def _row(agent: Agent, owners: Mapping[str, str], tones: Mapping[str, str]) -> dict[str, object]:
    account = owners.get(agent.user_id)
    return {
        "agent": agent,
        "search": _searched(agent),
        "path": page_of(agent.user_id),
        "ringtone": tones.get(agent.ringtone or "", agent.ringtone),
        "account": account,
        "account_path": account and f"/settings/accounts/{quote(account, safe='')}",
    }


def _found_row(phone: FoundPhone) -> dict[str, object]:
    assert phone.suggested_user_id is not None, "it belongs to nobody"
    given = {
        "user_id": phone.suggested_user_id,
        "name": phone.suggested_name or "",
        "endpoint": phone.endpoint,
    }
    return {
        "phone": phone,
        "api": f"/api/v1/agents/{quote(phone.suggested_user_id, safe='')}",
        "form": address_of("/settings/new-agent", given),
    }


async def _choices(request: web.Request, agent: Agent) -> dict[str, Any]:
    parts, _ = services(request), words(request)
    tones = await ringtone_options(parts.reads, _)
    default = (await read_settings(parts.reads)).settings.ringtone
    return {
        "tones": with_kept(tones, agent.ringtone),
        "default_tone": default,
        "default_tone_word": dict(tones).get(default or "", default),
        "brands": with_kept(_brands(_), agent.phone_brand),
        "endpoints_limit": ENDPOINTS_LIMIT,
        "user_id_limit": USER_ID_LIMIT,
    }


def _brands(_: Translate) -> list[tuple[str, str]]:
    return [(brand.key, brand.label or _(_GENERIC)) for brand in phone_brands().values()]


def _matches(agent: Agent, query: str) -> bool:
    """Each word of the query is somewhere in it."""
    text = _searched(agent)
    return all(word in text for word in searchable(query).split())


def _searched(agent: Agent) -> str:
    return searchable(" ".join((agent.name, agent.user_id, *agent.endpoints)))
