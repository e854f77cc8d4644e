"""`/calls`: every call in a dense list, whose filters stand in the address; each row leads to the page of its call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, urlencode

from aiohttp import web

from daemon.call.model import Call, Direction, Outcome
from daemon.call.rendering import iso_utc
from daemon.message import Message
from daemon.policy.call_settings import CallSettings
from daemon.store.call_pages import CallEntry, find_call, read_page
from daemon.store.call_search import CallFilter
from daemon.store.hotlines import read_hotlines
from daemon.store.queues import read_queues
from daemon.store.role import Role
from daemon.store.settings import read_settings
from daemon.web.call_query import FILTERS, call_filter
from daemon.web.call_words import DIRECTIONS, ENDED_BY, MISSED_REASONS, OUTCOMES, CallTeller
from daemon.web.caller import caller
from daemon.web.page import address, show, words
from daemon.web.pages.filters import ROWS, address_of, day_begins, older
from daemon.web.pages.tickets import agent_choices, reader_values, teller
from daemon.web.problem import FieldError, invalid
from daemon.web.query import Query
from daemon.web.services import services
from daemon.web.ticket_query import Yes
from daemon.web.tickets import own_user_id
from daemon.web.words import Translate

CALLS: Final = "/calls"
_DAYS: Final = ("from", "to")
_ALL: Final = (*FILTERS, *_DAYS)
_LEAST_WAITS: Final = (10, 20, 60, 300)
_LEAST_TALKS: Final = (30, 60, 300, 900, 1800)


async def show_calls(request: web.Request) -> web.Response:
    """All of them, of an agent his own, unless the address says otherwise. A whole call id leads to its call."""
    parts, query = services(request), Query(request, (*_ALL, "cursor"))
    settings, me = (await read_settings(parts.reads)).settings, own_user_id(request)
    chosen = {name: value.strip() for name in _ALL if (value := query.text(name)) and value.strip()}
    if found := await _called_so(request, chosen.get("number")):
        return web.Response(status=303, headers={"Location": address(request, page_of(found.call))})
    wanted, mine = _wanted(query, chosen, me, settings), chosen.get("mine") == Yes.TRUE
    if not chosen and me and caller(request).role is Role.AGENT:
        wanted, mine = replace(wanted, user_id=me), True
    place = query.cursor(int, str, str)
    page = await read_page(parts.reads, wanted, ROWS, place)
    tells = CallTeller(await teller(request, settings.country))
    return await show(
        request,
        "calls.html",
        rows=[call_row(entry, tells) for entry in page.entries],
        chosen=chosen,
        toggles=_toggles(chosen, words(request), mine if me else None),
        taken=_taken(chosen, tells, words(request)),
        fields=await _fields(request, tells),
        exports=_exports(wanted, chosen) if caller(request).role is not Role.AGENT else None,
        older=older(CALLS, chosen, page.following) if page.following is not None else None,
        looked_back_to=page.looked_back_to,
        newest=address_of(CALLS, chosen) if place else None,
        **reader_values(request),
    )


def page_of(call: Call) -> str:
    return f"{CALLS}/{quote(call.call_id, safe='')}?{urlencode({'pbx': call.pbx})}"


def call_row(entry: CallEntry, tells: CallTeller) -> dict[str, Any]:
    """What the list and the head of a call say alike."""
    call, teller_ = entry.call, tells.teller
    state, colour = tells.state(call)
    return {
        "call": call,
        "key": f"{call.pbx}/{call.call_id}",
        "page": page_of(call),
        "number": teller_.number(call.customer_number) if call.customer_number else "",
        "name": call.customer_name or "",
        "direction": teller_._(DIRECTIONS[call.direction]),
        "is_missed": call.outcome is Outcome.MISSED,
        "is_internal": call.direction is Direction.INTERNAL,
        "state": state,
        "colour": colour,
        "why": tells.why(call),
        "agents": tells.agents(call),
        "hotline": teller_.hotline(call.hotline),
        "waited": teller_.lasts(call.wait_seconds) if call.wait_seconds is not None else "",
        "talked": teller_.lasts(call.talk_seconds) if call.talk_seconds else "",
        "ticket_id": entry.ticket_id,
    }


async def _called_so(request: web.Request, typed: str | None) -> CallEntry | None:
    """What was typed may be a call's id: those of Asterisk have a dot, numbers have none."""
    if typed is None or "." not in typed or len(typed) > 150:
        return None
    found = await find_call(services(request).reads, typed)
    return found[0] if len(found) == 1 else None


def _wanted(query: Query, chosen: Mapping[str, str], me: str | None, settings: CallSettings) -> CallFilter:
    days = {name: day_begins(chosen[name], settings.time_zone, name == "to") for name in _DAYS if name in chosen}
    if wrong := [name for name, at in days.items() if at is None]:
        raise invalid([FieldError(name, Message("must be a day as 2026-11-22")) for name in wrong])
    wanted = call_filter(query, me, settings.country)
    return replace(wanted, started_from=days.get("from"), started_before=days.get("to"))


def _toggles(chosen: Mapping[str, str], _: Translate, mine: bool | None) -> list[list[tuple[str, str, bool]]]:
    """Groups of chips, each an address, a word, and whether it is on. `mine` None: the reader has none of his own."""
    whose = [
        (address_of(CALLS, chosen, mine=value), _(word), on)
        for value, word, on in (("true", Message("Mine"), bool(mine)), ("false", Message("Everybody's"), not mine))
    ]
    return [
        *([] if mine is None else [whose]),
        [_switch(chosen, "direction", key, _(word)) for key, word in DIRECTIONS.items()],
        [_switch(chosen, "outcome", key, _(word)) for key, word in OUTCOMES.items()],
    ]


def _switch(chosen: Mapping[str, str], name: str, value: str, word: str) -> tuple[str, str, bool]:
    on = chosen.get(name) == value
    return address_of(CALLS, chosen, **{name: None if on else value}), word, on


def _taken(chosen: Mapping[str, str], tells: CallTeller, _: Translate) -> list[tuple[str, str]]:
    """The filters in force that are no chip already: the address without each, and what it says."""
    spoken: dict[str, tuple[Message, Callable[[str], str]]] = {
        "user_id": (Message("Agent: {value}"), tells.teller.who),
        "queue": (Message("Queue: {value}"), str),
        "hotline": (Message("Hotline: {value}"), tells.teller.hotline),
        "pbx": (Message("PBX: {value}"), str),
        "state": (Message("State: {value}"), str),
        "number": (Message("Customer: {value}"), str),
        "customer_number": (Message("Customer: {value}"), tells.teller.number),
        "missed_reason": (Message("Reason: {value}"), lambda key: _(MISSED_REASONS[key])),
        "ended_by": (Message("Ended by: {value}"), lambda key: _(ENDED_BY[key])),
        "wait_from": (Message("Waited {value} or more"), lambda text: tells.teller.lasts(int(text))),
        "wait_before": (Message("Waited less than {value}"), lambda text: tells.teller.lasts(int(text))),
        "talk_from": (Message("Talked {value} or more"), lambda text: tells.teller.lasts(int(text))),
        "talk_before": (Message("Talked less than {value}"), lambda text: tells.teller.lasts(int(text))),
        "from": (Message("From {value}"), str),
        "to": (Message("To {value}"), str),
    }
    return [
        (address_of(CALLS, chosen, **{name: None}), _(word).format(value=say(chosen[name])))
        for name, (word, say) in spoken.items()
        if name in chosen
    ]


async def _fields(request: web.Request, tells: CallTeller) -> list[tuple[str, str, Sequence[tuple[str | None, str]]]]:
    """The selects: name, label, options."""
    reads, _ = services(request).reads, words(request)
    queues = [(name, name) for name in sorted(await read_queues(reads))]
    hotlines = [(one.number, tells.teller.hotline(one.number)) for one in await read_hotlines(reads)]
    return [
        ("user_id", _("Agent"), _options(_("All agents"), await agent_choices(reads))),
        ("queue", _("Queue"), _options(_("All queues"), queues)),
        ("hotline", _("Hotline"), _options(_("All hotlines"), hotlines)),
        ("missed_reason", _("Why missed"), _options(_("Any reason"), _said(MISSED_REASONS, _))),
        ("ended_by", _("Ended by"), _options(_("Anybody"), _said(ENDED_BY, _))),
        ("wait_from", _("Waited"), _options(_("Any time"), _least(_LEAST_WAITS, tells, _))),
        ("talk_from", _("Talked"), _options(_("Any time"), _least(_LEAST_TALKS, tells, _))),
    ]


def _options(every: str, options: Iterable[tuple[str, str]]) -> list[tuple[str | None, str]]:
    return [(None, every), *options]


def _said(said: Mapping[str, Message], _: Translate) -> list[tuple[str, str]]:
    return [(str(key), _(word)) for key, word in said.items()]


def _least(seconds: Iterable[int], tells: CallTeller, _: Translate) -> list[tuple[str, str]]:
    return [(str(one), _("{time} or more").format(time=tells.teller.lasts(one))) for one in seconds]


def _exports(wanted: CallFilter, chosen: Mapping[str, str]) -> dict[str, str]:
    """The same calls as files; programs are told the span to the millisecond."""
    span = {"from": iso_utc(wanted.started_from), "to": iso_utc(wanted.started_before)}
    given = {
        **{name: value for name, value in chosen.items() if name not in _DAYS},
        **{n: v for n, v in span.items() if v},
    }
    return {kind: address_of(f"/api/v1/calls.{kind}", given) for kind in ("csv", "xlsx")}
