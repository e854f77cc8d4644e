"""`/settings/queues`: which queues make tickets, also those that nobody configured, and what overrules their switch."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from aiohttp import web

from daemon.pbx import MemberSeen
from daemon.policy.call_settings import QueueSettings
from daemon.store.queues import read_queues
from daemon.store.settings import read_settings
from daemon.web.csv_kinds import QUEUES
from daemon.web.discovery import Discovery, discover
from daemon.web.page import show_many, words
from daemon.web.pages.agents import pbx_values
from daemon.web.pages.choices import Options, called, column_words, ringtone_options
from daemon.web.pages.paged import ROWS, Paged, asked_of, paged, place_of
from daemon.web.queues import QUEUE_LIMIT
from daemon.web.services import services

_PATH: Final = "/settings/queues"
_DEFAULT: Final = QueueSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """`settings` None: nobody configured it; `tone` is its ringtone in words. `members` None: no PBX told of it."""

    name: str
    settings: QueueSettings | None
    tone: str | None = None
    members: Sequence[MemberSeen] | None = None
    strangers: int = 0
    """Members that belong to no agent."""

    @property
    def api(self) -> str:
        return f"/api/v1/queues/{quote(self.name, safe='')}"

    @property
    def now(self) -> QueueSettings:
        return self.settings or _DEFAULT

    @property
    def place(self) -> str:
        """Where it stands in the list."""
        return place_of(self.name)[0]


_Named = tuple[str, QueueSettings]


async def show_queues(request: web.Request) -> web.Response:
    parts, _ = services(request), words(request)
    page, tones = await _page(request), await ringtone_options(parts.reads, _)
    settings = (await read_settings(parts.reads)).settings
    return await show_many(
        request,
        "queues.html",
        page=page,
        rows=[QueueRow(name=name, settings=queue, tone=called(tones, queue.ringtone)) for name, queue in page.shown],
        tones=tones,
        found=page.same("/settings/found/queues"),
        settings=settings,
        overruled=not settings.auto_create_tickets,
        columns=column_words(QUEUES, _),
        name_limit=QUEUE_LIMIT,
    )


async def show_found_queues(request: web.Request) -> web.Response:
    """A part of the page, asked for after it: rows to put among those that stand there."""
    parts, found = services(request), await discover(request, again="again" in request.query)
    page, tones = await _page(request), await ringtone_options(parts.reads, words(request))
    names, more = await asyncio.to_thread(_names, found, page)
    known = dict(page.shown)
    rows = await asyncio.to_thread(_found_rows, names, known, tones, found)
    settings = (await read_settings(parts.reads)).settings
    return await show_many(
        request,
        "found_queues.html",
        rows=rows,
        more=more,
        settings=settings,
        overruled=not settings.auto_create_tickets,
        **pbx_values(found),
    )


async def _page(request: web.Request) -> Paged[_Named]:
    asked = asked_of(request, _PATH)
    queues = await read_queues(services(request).reads)
    return await asyncio.to_thread(paged, queues.items(), _name, _name, asked)


def _name(named: _Named) -> str:
    return named[0]


def _names(found: Discovery, page: Paged[_Named]) -> tuple[Sequence[str], int]:
    """Those that belong on this page, and how many more. Several PBXs may have a queue of the same name: it is one."""
    names = {queue.name for inventory in found.inventories for queue in inventory.queues}
    known = {name for name, _ in page.shown}
    free = sorted((name for name in names - found.configured if page.holds(name)), key=place_of)
    return sorted([*(names & known), *free[:ROWS]], key=place_of), max(0, len(free) - ROWS)


def _found_rows(
    names: Sequence[str], known: Mapping[str, QueueSettings], tones: Options, found: Discovery
) -> list[QueueRow]:
    members: dict[str, list[MemberSeen]] = defaultdict(list)
    for inventory in found.inventories:
        for queue in inventory.queues:
            members[queue.name] += queue.members
    return [_found_row(name, known.get(name), members[name], tones, found) for name in names]


def _found_row(
    name: str, settings: QueueSettings | None, members: Sequence[MemberSeen], tones: Options, found: Discovery
) -> QueueRow:
    return QueueRow(
        name=name,
        settings=settings,
        tone=called(tones, settings.ringtone if settings else None),
        members=members,
        strangers=sum(member.endpoint is None or member.endpoint not in found.agents for member in members),
    )
