"""`/api/v1/retention`: what the periods of the settings, or others, would delete now. It deletes nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from daemon.call.rendering import iso_utc
from daemon.policy.call_settings import CallSettings
from daemon.store.retention import Keeping, Period, count_old, periods
from daemon.store.settings import read_settings
from daemon.web.body import validated
from daemon.web.listing import json_response
from daemon.web.query import Query
from daemon.web.services import Services, services

NAMES: Final = tuple(f"retention_days_{kind}" for kind in Keeping)
_ADAPTER: Final = TypeAdapter(CallSettings)


@dataclass(frozen=True, slots=True)
class Doomed:
    """`count` of `period.kind` would be deleted now."""

    period: Period
    count: int

    def as_json(self) -> dict[str, object]:
        before = iso_utc(self.period.before)
        return {"kind": self.period.kind.value, "days": self.period.days, "before": before, "count": self.count}


async def get_retention(request: web.Request) -> web.Response:
    """By the settings in force; with parameters named like them, by those alone."""
    query, parts = Query(request, NAMES), services(request)
    found = await doomed(parts, {name: text for name in NAMES if (text := query.text(name)) is not None})
    return json_response({"items": [one.as_json() for one in found]})


async def doomed(parts: Services, asked: Mapping[str, str]) -> list[Doomed]:
    """What is asked for is checked as a setting is; with nothing asked for the settings count."""
    settings = (await read_settings(parts.reads)).settings
    if asked:
        typed = validated(_ADAPTER, {name: _number(text) for name, text in asked.items()})
        settings = replace(settings, **{name: getattr(typed, name) for name in NAMES})
    return [Doomed(period, await count_old(parts.reads, period)) for period in periods(settings, parts.clock())]


def _number(text: str) -> int | str | None:
    """`` is for ever."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text or None
