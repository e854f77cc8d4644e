"""`/settings/hotlines`: the company's numbers, what they are called, and those that were dialled but have no name."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
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
from daemon.web.page import show_many, words
from daemon.web.pages.choices import Options, called, column_words, ringtone_options, spoken
from daemon.web.pages.paged import Paged, asked_of, paged
from daemon.web.queues import HOTLINE_LIMIT
from daemon.web.services import services

_PATH: Final = "/settings/hotlines"
_FOUND_ROWS: Final = 300
_DAYS: Final = HOTLINES_OF_MS // 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class HotlineRow:
    """`spoken` is the number in groups, where that differs from how calls show it; `tone` its ringtone in words."""

    hotline: Hotline
    spoken: str
    tone: str | None

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
    page, tones = await _page(request), await ringtone_options(parts.reads, _)
    return await show_many(
        request,
        "hotlines.html",
        page=page,
        rows=await asyncio.to_thread(_rows, page.shown, country, tones),
        tones=tones,
        found=page.same("/settings/found/hotlines"),
        days=_DAYS,
        columns=column_words(HOTLINES, _),
        number_limit=HOTLINE_LIMIT,
    )


async def show_found_hotlines(request: web.Request) -> web.Response:
    """A part of the page, asked for after it: counting a month's calls may take a moment."""
    parts = services(request)
    country = (await read_settings(parts.reads)).settings.country
    seen = await read_seen_hotlines(parts.reads, UnixMs(parts.clock() - HOTLINES_OF_MS))
    shown = {hotline.number for hotline in (await _page(request)).shown}
    unknown = [one for one in seen if not one.configured]
    return await show_many(
        request,
        "found_hotlines.html",
        any_known=len(unknown) < len(seen),
        known=[one for one in seen if one.number in shown],
        unknown=await asyncio.to_thread(_dialled, unknown[:_FOUND_ROWS], country),
        more=max(0, len(unknown) - _FOUND_ROWS),
        days=_DAYS,
    )


async def _page(request: web.Request) -> Paged[Hotline]:
    asked, hotlines = asked_of(request, _PATH), await read_hotlines(services(request).reads)
    return await asyncio.to_thread(paged, hotlines, _number, _searched, asked)


def _number(hotline: Hotline) -> str:
    return hotline.number


def _searched(hotline: Hotline) -> str:
    return f"{hotline.number} {hotline.label}"


def _rows(hotlines: Sequence[Hotline], country: str, tones: Options) -> list[HotlineRow]:
    return [
        HotlineRow(hotline=one, spoken=spoken(one.number, country), tone=called(tones, one.ringtone))
        for one in hotlines
    ]


def _dialled(seen: Sequence[SeenHotline], country: str) -> list[DialledRow]:
    return [DialledRow(seen=one, spoken=spoken(one.number, country)) for one in seen]
