"""`/reports`: what happened in a stretch of time, in charts and tables; the stretch and filters stand in the address.

The page is shown at once and asks for its parts one by one, as those of a year take a second each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from enum import StrEnum
from typing import Final

from aiohttp import web

from daemon.call.model import Direction
from daemon.call.rendering import iso_utc
from daemon.message import Message
from daemon.policy.call_settings import CallSettings
from daemon.policy.report import call_backs
from daemon.policy.report_span import Grain
from daemon.store.hotlines import read_hotlines
from daemon.store.queues import read_queues
from daemon.store.reader import Reader
from daemon.store.report_agent_times import read_agent_times
from daemon.store.report_agents import read_agents_report
from daemon.store.report_call_backs import read_call_backs
from daemon.store.report_calls import Calls, read_calls_report
from daemon.store.report_customers import read_missed, read_not_served
from daemon.store.settings import read_settings
from daemon.web.formats import Formats
from daemon.web.page import language_of, show_many, words
from daemon.web.pages.filters import address_of, filters
from daemon.web.pages.tickets import agent_choices, teller
from daemon.web.report_agent_times import agent_times_table
from daemon.web.report_query import NAMES, PARAMETERS, Report, Wanted, Way, grains, span_of, wanted_of_page
from daemon.web.report_sections import MOST_ROWS, Maker, Section
from daemon.web.report_tables import (
    agents_table,
    call_backs_table,
    calls_table,
    customers_table,
    hours_table,
    level_table,
    read_levels,
    waiting_table,
)
from daemon.web.report_words import GRAINS, SPANS, TITLES, WAYS, Words
from daemon.web.services import services
from daemon.web.ticket_words import Teller
from daemon.web.words import Translate

_PATH: Final = "/reports"
_DAYS: Final = ("from", "to")
_PARTS: Final = ("part",)
_MOST_REASONS: Final = 3
"""Of pauses beside one another; files have more."""


Draw = Callable[[], Sequence[Section]]


class Part(StrEnum):
    """What is counted together, by its first report."""

    CALLS = "calls"
    SERVICE_LEVEL = "service-level"
    CUSTOMERS = "customers"
    CALL_BACKS = "call-backs"
    AGENTS = "agents"
    AGENT_TIMES = "agent-times"


async def show_reports(request: web.Request) -> web.Response:
    """With `part` that one is counted now; the others, and all without it, are left to be asked for."""
    parts, _, given = services(request), words(request), filters(request, (*PARAMETERS, *_PARTS))
    chosen = {name: value for name, value in given.items() if name not in _PARTS}
    settings = (await read_settings(parts.reads)).settings
    wanted, tells = wanted_of_page(chosen, settings, parts.clock()), await teller(request, settings.country)
    part = Part(given["part"]) if given.get("part") in list(Part) else None
    sections = await _sections(request, part, wanted, tells, chosen) if part else []
    return await show_many(
        request,
        "reports.html",
        parts=[(one.value, sections if one is part else None, _(TITLES[Report(one)])) for one in Part],
        exports=_exports(wanted, chosen),
        toggles=_toggles(chosen, wanted, _),
        taken=_taken(chosen, tells, _),
        chosen=chosen,
        kept=[(name, value) for name, value in chosen.items() if name not in (*_DAYS, *NAMES, "span")],
        fields=await _fields(parts.reads, tells, _),
        stretch=_stretch(request, wanted, settings),
        is_by_agent=wanted.asked.user_id is not None,
        missed_page=_missed_page(chosen, wanted, settings),
    )


async def _sections(
    request: web.Request, part: Part, wanted: Wanted, tells: Teller, chosen: Mapping[str, str]
) -> Sequence[Section]:
    """Read, then drawn in a thread: calls are followed meanwhile."""
    reads = services(request).reads
    formats = Formats(language_of(request), wanted.settings.time_zone, services(request).clock())
    maker = Maker(Words(words(request), formats), wanted.grain, tells.names)
    days = _days(wanted, formats)
    make: Mapping[Part, Callable[[], Awaitable[Draw]]] = {
        Part.CALLS: lambda: _calls(reads, wanted, maker),
        Part.SERVICE_LEVEL: lambda: _level(reads, wanted, maker),
        Part.CUSTOMERS: lambda: _customers(reads, wanted, maker, tells),
        Part.CALL_BACKS: lambda: _call_backs(reads, wanted, maker),
        Part.AGENTS: lambda: _agents(reads, wanted, maker, {**_narrowing(chosen), **days}),
        Part.AGENT_TIMES: lambda: _agent_times(reads, wanted, maker),
    }
    return await asyncio.to_thread(await make[part]())


async def _calls(reads: Reader, wanted: Wanted, maker: Maker) -> Draw:
    found = await _count(reads, wanted, wanted.asked.direction)
    waited = found
    if wanted.asked.direction is not Direction.INCOMING:
        waited = await _count(reads, wanted, Direction.INCOMING)
    return lambda: [
        maker.calls(calls_table(found)),
        maker.hours(hours_table(found)),
        maker.waiting(waiting_table(waited)),
    ]


async def _count(reads: Reader, wanted: Wanted, direction: Direction | None) -> Calls:
    asked = wanted.incoming if direction is Direction.INCOMING else wanted.asked
    return await read_calls_report(reads, asked, wanted.grain, wanted.zone)


async def _level(reads: Reader, wanted: Wanted, maker: Maker) -> Draw:
    found = await read_levels(reads, wanted)
    return lambda: [maker.level(level_table(found))]


async def _customers(reads: Reader, wanted: Wanted, maker: Maker, tells: Teller) -> Draw:
    asked = wanted.of_everybody
    missed, still = await read_missed(reads, asked), await read_not_served(reads, asked, MOST_ROWS)
    return lambda: [
        maker.customers(
            customers_table(missed, still),
            tells.number,
            lambda number: address_of("/calls", {}, customer_number=number),
        )
    ]


async def _call_backs(reads: Reader, wanted: Wanted, maker: Maker) -> Draw:
    found = await read_call_backs(reads, wanted.of_everybody)
    return lambda: [maker.call_backs(call_backs_table(call_backs(found, wanted.zone)))]


async def _agents(reads: Reader, wanted: Wanted, maker: Maker, others: Mapping[str, str]) -> Draw:
    found = await read_agents_report(reads, wanted.asked)
    return lambda: [
        maker.agents(agents_table(found, maker.names), lambda agent: address_of("/calls", others, user_id=agent))
    ]


async def _agent_times(reads: Reader, wanted: Wanted, maker: Maker) -> Draw:
    found = await read_agent_times(reads, wanted.asked, wanted.now)
    return lambda: [maker.agent_times(agent_times_table(found, maker.names, _MOST_REASONS))]


def _narrowing(chosen: Mapping[str, str]) -> dict[str, str]:
    return {name: chosen[name] for name in ("queue", "hotline") if name in chosen}


def _days(wanted: Wanted, formats: Formats) -> dict[str, str]:
    """The stretch as the history takes it."""
    first, last = (formats.date(at) for at in (wanted.asked.stretch.begin, wanted.asked.stretch.last))
    return {"from": first, "to": last}


def _stretch(request: web.Request, wanted: Wanted, settings: CallSettings) -> tuple[str, str]:
    formats = Formats(language_of(request), settings.time_zone, services(request).clock())
    return formats.day(wanted.asked.stretch.begin), formats.day(wanted.asked.stretch.last)


def _missed_page(chosen: Mapping[str, str], wanted: Wanted, settings: CallSettings) -> str:
    days = _days(wanted, Formats("en", settings.time_zone, wanted.asked.stretch.begin))
    return address_of("/calls", {**_narrowing(chosen), **days}, direction="incoming", outcome="missed")


def _exports(wanted: Wanted, chosen: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The same figures as files, by report; programs are told the stretch to the millisecond."""
    given = {name: value for name, value in chosen.items() if name in NAMES}
    direction = wanted.asked.direction
    given["direction"] = Way.ALL.value if direction is None else direction.value
    given["by"] = wanted.grain.value
    span = {"from": iso_utc(wanted.asked.stretch.begin) or "", "to": iso_utc(wanted.asked.stretch.end) or ""}
    return {
        report: {kind: address_of(f"/api/v1/reports/{report}.{kind}", {**given, **span}) for kind in ("csv", "xlsx")}
        for report in Report
    }


def _toggles(chosen: Mapping[str, str], wanted: Wanted, _: Translate) -> list[list[tuple[str, str, bool]]]:
    """Groups of chips: the stretch, the length of a period, the direction."""
    is_free = any(name in chosen for name in _DAYS)
    away = dict.fromkeys(_DAYS)
    direction = wanted.asked.direction
    way = Way.ALL if direction is None else Way(direction)
    spans = [
        (
            address_of(_PATH, chosen, **{**away, "span": key, "by": None}),
            _(word),
            not is_free and key == span_of(chosen),
        )
        for key, word in SPANS.items()
    ]
    usable = grains(wanted.asked.stretch)
    periods = [
        (address_of(_PATH, chosen, by=grain.value), _(GRAINS[grain]), grain is wanted.grain)
        for grain in Grain
        if grain in usable
    ]
    ways = [(address_of(_PATH, chosen, direction=key), _(word), key == way) for key, word in WAYS.items()]
    return [spans, *([periods] if len(periods) > 1 else []), ways]


def _taken(chosen: Mapping[str, str], tells: Teller, _: Translate) -> list[tuple[str, str]]:
    """The filters in force: the address without each, and what it says."""
    spoken: dict[str, tuple[Message, Callable[[str], str]]] = {
        "user_id": (Message("Agent: {value}"), tells.who),
        "queue": (Message("Queue: {value}"), str),
        "hotline": (Message("Hotline: {value}"), tells.hotline),
    }
    return [
        (address_of(_PATH, chosen, **{name: None}), _(word).format(value=say(chosen[name])))
        for name, (word, say) in spoken.items()
        if name in chosen
    ]


async def _fields(
    reads: Reader, tells: Teller, _: Translate
) -> list[tuple[str, str, Sequence[tuple[str | None, str]]]]:
    """The selects: name, label, options."""
    queues = [(name, name) for name in sorted(await read_queues(reads))]
    hotlines = [(one.number, tells.hotline(one.number)) for one in await read_hotlines(reads)]
    return [
        ("queue", _("Queue"), [(None, _("All queues")), *queues]),
        ("hotline", _("Hotline"), [(None, _("All hotlines")), *hotlines]),
        ("user_id", _("Agent"), [(None, _("All agents")), *await agent_choices(reads)]),
    ]
