"""`/tickets` and `/missed`: dense lists whose filters stand in the address, beside them the ticket that is open.

For the desk and everybody else who shows a ticket inside a page of his own: `/tickets/{ticket_id}?bare=1` is the
ticket alone, without the shell. `import { showTicket } from "./ticket.js"` and `showTicket(place, ticketId)` puts it
into `place`, keeps it live and its note safe, and returns `{ticketId, close()}`. Calling it again for another ticket
closes the one before. The page must be made with `show(…, frames=frame_origins(settings))` (daemon/web/frames.py), or
its policy keeps the customer's page out. The events `call.answered` and `popup` bring `call.ticket_id`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from aiohttp import web

from daemon.call.model import Call
from daemon.message import Message
from daemon.policy.call_settings import CallSettings
from daemon.store.accounts import read_owners
from daemon.store.agents import read_agents
from daemon.store.hotlines import read_hotlines
from daemon.store.queues import read_queues
from daemon.store.reader import Reader
from daemon.store.role import Role
from daemon.store.settings import read_settings
from daemon.store.ticket_calls import read_last_calls
from daemon.store.ticket_pages import TicketFilter, read_tickets
from daemon.store.values import Ticket, TicketStatus
from daemon.web.auth import ACCESS
from daemon.web.caller import caller
from daemon.web.frames import frame_origins
from daemon.web.page import show, words
from daemon.web.pages.choices import spoken
from daemon.web.pages.filters import ROWS, address_of, older
from daemon.web.query import Query
from daemon.web.services import services
from daemon.web.ticket_query import FILTERS, MISSED, UNDONE, Yes, ticket_filter
from daemon.web.ticket_words import MISSED_KINDS, Teller
from daemon.web.tickets import own_user_id
from daemon.web.words import Translate

TICKETS: Final = "/tickets"
MISSED_CALLS: Final = "/missed"
_ALL: Final = ",".join(TicketStatus)
_STATES: Final[Mapping[str | None, Message]] = {
    None: Message("To be done"),
    TicketStatus.CLOSED.value: Message("Closed"),
    _ALL: Message("All"),
}
_CALL: Final = ("POST", "/api/v1/calls")


async def show_tickets(request: web.Request) -> web.Response:
    """Those to be done, of an agent his own, unless the address says otherwise."""
    return await _show(request, TICKETS, TicketFilter(statuses=UNDONE))


async def show_missed(request: web.Request) -> web.Response:
    """Missed calls that nobody has called back yet."""
    return await _show(request, MISSED_CALLS, TicketFilter(statuses=UNDONE, kinds=MISSED))


async def _show(request: web.Request, path: str, usual: TicketFilter) -> web.Response:
    parts, _ = services(request), words(request)
    query = Query(request, (*FILTERS, "cursor", "open"))
    settings = (await read_settings(parts.reads)).settings
    chosen = {name: value for name in FILTERS if (value := query.text(name))}
    asked = ticket_filter(query, own_user_id(request), settings.country)
    wanted = replace(asked, statuses=asked.statuses or usual.statuses, kinds=asked.kinds or usual.kinds)
    mine = chosen.get("mine") == Yes.TRUE
    if path == TICKETS and not chosen and caller(request).role is Role.AGENT and own_user_id(request):
        wanted, mine = replace(wanted, assignee=own_user_id(request)), True
    place = query.cursor(int)
    found = await read_tickets(parts.reads, wanted, ROWS + 1, int(place[0]) if place else None)
    return await show(
        request,
        "tickets.html",
        frames=frame_origins(settings),
        list_path=path,
        is_missed=path == MISSED_CALLS,
        rows=await _rows(request, found[:ROWS], settings),
        chosen=chosen,
        toggles=_toggles(path, chosen, _, mine if own_user_id(request) else None),
        queues=[(None, _("All queues")), *((name, name) for name in sorted(await read_queues(parts.reads)))],
        agents=await agent_choices(parts.reads),
        older=older(path, chosen, [int(found[ROWS - 1].ticket_id)]) if len(found) > ROWS else None,
        newest=address_of(path, chosen) if place else None,
        open_ticket=query.text("open") or "",
        **reader_values(request),
    )


def reader_values(request: web.Request) -> dict[str, Any]:
    """What scripts of a page with tickets need to know of who reads it."""
    role, account = caller(request).role, caller(request).account
    hears = "/api/v1/events" if role is not Role.AGENT else "/api/v1/desk/events" if own_user_id(request) else ""
    return {
        "me": own_user_id(request) or "",
        "account": account.name if account else "",
        "hears": hears,
        "may_ask_why": role is not Role.AGENT,
        "may_call": _CALL in request.app[ACCESS] and own_user_id(request) is not None,
    }


async def agent_choices(reads: Reader) -> list[tuple[str, str]]:
    """Whom a ticket can be given to."""
    return sorted(((one.user_id, one.name) for one in await read_agents(reads)), key=lambda pair: pair[1].casefold())


async def teller(request: web.Request, country: str) -> Teller:
    reads, _ = services(request).reads, words(request)
    labels = {one.number: one.label for one in await read_hotlines(reads)}
    names = {one.user_id: one.name for one in await read_agents(reads)}
    accounts = {account: names[user_id] for user_id, account in (await read_owners(reads)).items() if user_id in names}
    return Teller(_, {**accounts, **names}, lambda number: spoken(number, country), labels)


async def _rows(request: web.Request, tickets: Sequence[Ticket], settings: CallSettings) -> list[dict[str, Any]]:
    reads, tells = services(request).reads, await teller(request, settings.country)
    last = await read_last_calls(reads, [ticket.ticket_id for ticket in tickets])
    return [ticket_row(ticket, last.get(ticket.ticket_id), tells) for ticket in tickets]


def ticket_row(ticket: Ticket, last: Call | None, tells: Teller) -> dict[str, Any]:
    """What a list and the head of a ticket say alike."""
    state, colour = tells.state(ticket)
    return {
        "ticket": ticket,
        "page": f"{TICKETS}/{ticket.ticket_id}",
        "api": f"/api/v1/tickets/{ticket.ticket_id}",
        "number": tells.number(ticket.customer_number) if ticket.customer_number else "",
        "name": (last.customer_name if last else None) or "",
        "kind": tells.kind(ticket),
        "is_missed": ticket.kind in MISSED_KINDS,
        "state": state,
        "colour": colour,
        "reached_after": tells.reached_after(ticket),
        "closed": ticket.status is TicketStatus.CLOSED,
        "assignee": tells.who(ticket.assignee),
        "hotline": tells.hotline(ticket.hotline),
        "last_at": last.started_at if last else ticket.opened_at,
    }


def _toggles(
    path: str, chosen: Mapping[str, str], _: Translate, mine: bool | None
) -> list[list[tuple[str, str, bool]]]:
    """Groups of chips, each an address, a word, and whether it is on. `mine` None: the reader has none of his own."""
    states = [
        (address_of(path, chosen, status=key), _(word), chosen.get("status") == key) for key, word in _STATES.items()
    ]
    whose = [
        (address_of(path, chosen, mine=value, unassigned=None), _(word), on)
        for value, word, on in (("true", Message("Mine"), bool(mine)), ("false", Message("Everybody's"), not mine))
    ]
    nobodys = _switch(path, {**chosen, "mine": "false"}, "unassigned", "true", _("Nobody's"))
    groups = [] if mine is None else [whose]
    if path == MISSED_CALLS:
        return [*groups, [nobodys]]
    return [states, *groups, [nobodys, _switch(path, chosen, "kind", ",".join(MISSED), _("Missed"))]]


def _switch(path: str, chosen: Mapping[str, str], name: str, value: str, word: str) -> tuple[str, str, bool]:
    on = chosen.get(name) == value
    return address_of(path, chosen, **{name: None if on else value}), word, on
