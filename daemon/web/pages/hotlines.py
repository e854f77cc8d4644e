"""`/settings/hotlines`: the company's numbers, what they are called, and those that were dialled but have no name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from aiohttp import web

from daemon.call.signals import UnixMs
from daemon.store.hotlines import Hotline, read_hotlines
from daemon.store.seen_hotlines import SeenHotline, read_seen_hotlines
from daemon.store.settings import read_settings
from daemon.web.csv_kinds import HOTLINES
from daemon.web.discovery import HOTLINES_OF_MS
from daemon.web.page import show, words
from daemon.web.pages.choices import Options, column_words, ringtone_options, spoken, with_kept
from daemon.web.queues import HOTLINE_LIMIT
from daemon.web.services import services

_DAYS: Final = HOTLINES_OF_MS // 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HotlineRow:
    """`spoken` is the number in groups, where that differs from how calls show it."""

    hotline: Hotline
    spoken: str
    tones: Options

    @property
    def api(self) -> str:
        return f"/api/v1/hotlines/{quote(self.hotline.number, safe='')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DialledRow:
    seen: SeenHotline
    spoken: str

    @property
    def api(self) -> str:
        return f"/api/v1/hotlines/{quote(self.seen.number, safe='')}"


async def show_hotlines(request: web.Request) -> web.Response:
    parts, _ = services(request), words(request)
    country = (await read_settings(parts.reads)).settings.country
    tones = await ringtone_options(parts.reads, _)
    return await show(
        request,
        "hotlines.html",
        rows=[
            HotlineRow(hotline=one, spoken=spoken(one.number, country), tones=with_kept(tones, one.ringtone))
            for one in await read_hotlines(parts.reads)
        ],
        days=_DAYS,
        columns=column_words(HOTLINES, _),
        number_limit=HOTLINE_LIMIT,
    )


async def show_found_hotlines(request: web.Request) -> web.Response:
    """A part of the page, asked for after it: counting a month's calls may take a moment."""
    parts = services(request)
    country = (await read_settings(parts.reads)).settings.country
    seen = await read_seen_hotlines(parts.reads, UnixMs(parts.clock() - HOTLINES_OF_MS))
    rows = [DialledRow(seen=one, spoken=spoken(one.number, country)) for one in seen]
    return await show(
        request,
        "found_hotlines.html",
        known=[row for row in rows if row.seen.configured],
        unknown=[row for row in rows if not row.seen.configured],
        days=_DAYS,
    )
