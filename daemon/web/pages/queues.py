"""`/settings/queues`: which queues make tickets, also those that nobody configured, and what overrules their switch."""

from __future__ import annotations

from collections.abc import Sequence
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
from daemon.web.page import show, words
from daemon.web.pages.agents import pbx_values
from daemon.web.pages.choices import Options, column_words, ringtone_options, with_kept
from daemon.web.queues import QUEUE_LIMIT
from daemon.web.services import services

_DEFAULT: Final = QueueSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """`settings` None: nobody configured it. `members` None: no PBX has told of it."""

    name: str
    settings: QueueSettings | None
    tones: Options
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
        return self.name.casefold()


async def show_queues(request: web.Request) -> web.Response:
    parts, _ = services(request), words(request)
    tones = await ringtone_options(parts.reads, _)
    rows = [_row(name, queue, tones) for name, queue in (await read_queues(parts.reads)).items()]
    settings = (await read_settings(parts.reads)).settings
    return await show(
        request,
        "queues.html",
        rows=sorted(rows, key=lambda row: row.place),
        overruled=not settings.auto_create_tickets,
        columns=column_words(QUEUES, _),
        name_limit=QUEUE_LIMIT,
    )


async def show_found_queues(request: web.Request) -> web.Response:
    """A part of the page, asked for after it: rows to put among those that stand there."""
    parts, found = services(request), await discover(request)
    tones = await ringtone_options(parts.reads, words(request))
    known = await read_queues(parts.reads)
    rows = [_found_row(name, known.get(name), tones, found) for name in _names(found)]
    settings = (await read_settings(parts.reads)).settings
    return await show(
        request, "found_queues.html", rows=rows, overruled=not settings.auto_create_tickets, **pbx_values(found)
    )


def _names(found: Discovery) -> Sequence[str]:
    """Several PBXs may have a queue of the same name: its settings are one."""
    return sorted({queue.name for inventory in found.inventories for queue in inventory.queues}, key=str.casefold)


def _row(name: str, settings: QueueSettings | None, tones: Options) -> QueueRow:
    return QueueRow(name=name, settings=settings, tones=with_kept(tones, settings.ringtone if settings else None))


def _found_row(name: str, settings: QueueSettings | None, tones: Options, found: Discovery) -> QueueRow:
    queues = [queue for inventory in found.inventories for queue in inventory.queues if queue.name == name]
    members = [member for queue in queues for member in queue.members]
    return QueueRow(
        name=name,
        settings=settings,
        tones=with_kept(tones, settings.ringtone if settings else None),
        members=members,
        strangers=sum(member.endpoint is None or member.endpoint not in found.agents for member in members),
    )
