"""`/tickets/{ticket_id}`: one ticket with its calls, its note, the customer's history and the customer's page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from aiohttp import web

from daemon.call.model import Call, CallState
from daemon.policy.call_settings import CallSettings
from daemon.store.call_pages import read_calls
from daemon.store.call_search import CallFilter
from daemon.store.settings import read_settings
from daemon.store.ticket_calls import read_last_calls, read_ticket_calls
from daemon.store.ticket_events import read_ticket_events
from daemon.store.ticket_pages import TicketFilter, read_ticket, read_tickets
from daemon.store.values import Ticket
from daemon.web.frames import frame_of, frame_origins
from daemon.web.page import show, words
from daemon.web.pages.tickets import agent_choices, reader_values, teller, ticket_row
from daemon.web.problem import not_found
from daemon.web.query import Query
from daemon.web.services import services
from daemon.web.ticket_words import STATUSES, Teller
from daemon.web.tickets import own_user_id, ticket_id_of

_EARLIER: Final = 8
_ONLY: Final = "1"


async def show_ticket(request: web.Request) -> web.Response:
    """With `bare=1` the ticket alone, for a page that has it inside."""
    query, reads = Query(request, ("bare",)), services(request).reads
    ticket = await read_ticket(reads, ticket_id_of(request))
    if ticket is None:
        raise not_found("ticket")
    settings = (await read_settings(reads)).settings
    template = "ticket_body.html" if query.text("bare") == _ONLY else "ticket.html"
    values = await _values(request, ticket, settings)
    return await show(request, template, frames=frame_origins(settings), **values, **reader_values(request))


async def _values(request: web.Request, ticket: Ticket, settings: CallSettings) -> dict[str, Any]:
    reads, tells, _ = services(request).reads, await teller(request, settings.country), words(request)
    calls = await read_ticket_calls(reads, int(ticket.ticket_id))
    last = calls[-1] if calls else None
    agents = await agent_choices(reads)
    if ticket.assignee and ticket.assignee not in dict(agents):
        agents.append((ticket.assignee, ticket.assignee))
    return {
        **ticket_row(ticket, last, tells),
        "last": last,
        "lives": last is not None and last.state is not CallState.ENDED,
        "facts": _facts(last, tells) if last else {},
        "lines": tells.history(calls, await read_ticket_events(reads, int(ticket.ticket_id))),
        "statuses": [(str(status), _(word)) for status, (word, _colour) in STATUSES.items()],
        "agents": agents,
        "frame": await frame_of(request, last, settings, own_user_id(request)) if last else None,
        "earlier_tickets": await _earlier_tickets(request, ticket, tells),
        "earlier_calls": await _earlier_calls(request, ticket, calls, tells),
    }


def _facts(call: Call, tells: Teller) -> dict[str, Any]:
    """Of the last call, which is the one that goes on."""
    return {
        "agents": ", ".join(tells.who(user_id) for user_id in call.user_ids),
        "waited": tells.lasts(call.wait_seconds) if call.wait_seconds is not None else None,
        "talked": tells.lasts(call.talk_seconds) if call.talk_seconds else None,
        "words": tells.call(call).text,
        "colour": tells.call(call).colour,
    }


async def _earlier_tickets(request: web.Request, ticket: Ticket, tells: Teller) -> list[dict[str, Any]]:
    """The customer's others; of a caller without a number there are none."""
    if ticket.customer_number is None:
        return []
    reads = services(request).reads
    found = await read_tickets(reads, TicketFilter(customer_number=ticket.customer_number), _EARLIER + 1, None)
    others = [one for one in found if one.ticket_id != ticket.ticket_id][:_EARLIER]
    last = await read_last_calls(reads, [one.ticket_id for one in others])
    return [ticket_row(one, last.get(one.ticket_id), tells) for one in others]


async def _earlier_calls(request: web.Request, ticket: Ticket, mine: Sequence[Call], tells: Teller) -> list[Any]:
    if ticket.customer_number is None:
        return []
    wanted, own = CallFilter(customer_number=ticket.customer_number), {(call.pbx, call.call_id) for call in mine}
    found = await read_calls(services(request).reads, wanted, _EARLIER + len(own), None)
    others = [entry.call for entry in found if (entry.call.pbx, entry.call.call_id) not in own]
    return [tells.call(call) for call in others[:_EARLIER]]
