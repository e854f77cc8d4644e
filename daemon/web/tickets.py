"""`/api/v1/tickets`: what came of calls, and the three fields people change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from annotated_types import Len
from pydantic import TypeAdapter

from daemon.policy.decision import EventType, TicketKind
from daemon.store.ticket_pages import TicketFilter, change_ticket, read_ticket, read_tickets
from daemon.store.values import Ticket, TicketStatus
from daemon.web.body import json_object, validated
from daemon.web.listing import json_response, page_response
from daemon.web.problem import not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services
from daemon.web.texts import Label, Note

_TEXTS: Final = ("queue", "hotline", "assignee", "customer_number")
_PARAMETERS: Final = (*_TEXTS, "status", "kind", "cursor", "limit")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketForm:
    """The body of a PATCH; what is left out stays. Only an assignee can be taken away again (null)."""

    status: TicketStatus = TicketStatus.OPEN
    assignee: Annotated[Label, Len(1, 128)] | None = None
    note: Note = ""


_FORM: Final = TypeAdapter(TicketForm)


async def list_tickets(request: web.Request) -> web.Response:
    query = Query(request, _PARAMETERS)
    limit, after = query.limit(), query.cursor(int)
    wanted = TicketFilter(
        queue=query.text("queue"),
        hotline=query.text("hotline"),
        assignee=query.text("assignee"),
        customer_number=query.text("customer_number"),
        status=query.choice("status", TicketStatus),
        kind=query.choice("kind", TicketKind),
    )
    found = await read_tickets(services(request).reads, wanted, limit + 1, int(after[0]) if after else None)
    return page_response(found, limit, Ticket.as_json, lambda ticket: [int(ticket.ticket_id)])


async def get_ticket(request: web.Request) -> web.Response:
    Query(request, ())
    ticket = await read_ticket(services(request).reads, _ticket_id(request))
    if ticket is None:
        raise not_found("ticket")
    return json_response(ticket.as_json())


async def patch_ticket(request: web.Request) -> web.Response:
    """Closing tells the subscribers and the listeners; a ticket that is closed already is left as it is."""
    Query(request, ())
    parts, ticket_id = services(request), _ticket_id(request)
    given = await json_object(request)
    form = validated(_FORM, given)
    values = {name: getattr(form, name) for name in given}
    now = parts.clock()
    changed = await parts.writes.change(lambda: change_ticket(ticket_id, values, now))
    if changed is None:
        raise not_found("ticket")
    if changed.closed:
        parts.announced(changed.deliveries)
        parts.feed.publish(EventType.TICKET_CLOSED.value, changed.ticket.as_json())
    return json_response(changed.ticket.as_json())


def _ticket_id(request: web.Request) -> int:
    text = path_part(request, "ticket_id", 18)
    if not (text.isascii() and text.isdigit()):
        raise not_found("ticket")
    return int(text)
