"""`/api/v1/tickets`: what came of calls, and what people change of it, one or many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web
from annotated_types import Len
from pydantic import StringConstraints, TypeAdapter

from daemon.message import Message
from daemon.policy.decision import EventType
from daemon.store.role import Role
from daemon.store.settings import read_settings
from daemon.store.ticket_changes import ChangedTicket, TicketChanged, change_ticket, change_tickets
from daemon.store.ticket_pages import TicketFilter, count_tickets, read_ticket, read_tickets
from daemon.store.values import Ticket, TicketStatus
from daemon.web.body import json_object, validated
from daemon.web.caller import by, caller
from daemon.web.listing import json_response, page_response
from daemon.web.problem import FieldError, Problem, invalid, not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services
from daemon.web.texts import Label, Note
from daemon.web.ticket_query import FILTERS, MISSED, UNDONE, ticket_filter

TICKET_CHANGED: Final = "ticket.changed"
"""Told to listeners only, at every change by people: the pages that show the ticket renew it."""

MOST_AT_ONCE: Final = 100

Tag = Annotated[Label, Len(1, 40)]
Tags = Annotated[tuple[Tag, ...], Len(0, 20)]
Assignee = Annotated[Label, Len(1, 128)] | None
TicketId = Annotated[str, StringConstraints(pattern="^[0-9]{1,18}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketForm:
    """The body of a PATCH; what is left out stays. Only an assignee can be taken away again (null)."""

    status: TicketStatus = TicketStatus.OPEN
    assignee: Assignee = None
    note: Note = ""
    tags: Tags = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketsForm:
    """The body of a change of several; what is left out stays."""

    ticket_ids: Annotated[tuple[TicketId, ...], Len(1, MOST_AT_ONCE)] = ()
    status: TicketStatus = TicketStatus.OPEN
    assignee: Assignee = None
    add_tags: Tags = ()


_FORM: Final = TypeAdapter(TicketForm)
_SEVERAL: Final = TypeAdapter(TicketsForm)


async def list_tickets(request: web.Request) -> web.Response:
    query, parts = Query(request, (*FILTERS, "cursor", "limit")), services(request)
    limit, after = query.limit(), query.cursor(int)
    wanted = ticket_filter(query, own_user_id(request), (await read_settings(parts.reads)).settings.country)
    found = await read_tickets(parts.reads, wanted, limit + 1, int(after[0]) if after else None)
    return page_response(found, limit, Ticket.as_json, lambda ticket: [int(ticket.ticket_id)])


async def count_undone(request: web.Request) -> web.Response:
    """For the navigation: `tickets` to be done (of an agent: his own) and `missed` ones not called back."""
    Query(request, ())
    reads, is_agent = services(request).reads, caller(request).role is Role.AGENT
    user_id = own_user_id(request) if is_agent else None
    mine = TicketFilter(statuses=UNDONE, assignee=user_id)
    missed = TicketFilter(statuses=UNDONE, kinds=MISSED)
    return json_response({"tickets": await count_tickets(reads, mine), "missed": await count_tickets(reads, missed)})


async def get_ticket(request: web.Request) -> web.Response:
    Query(request, ())
    ticket = await read_ticket(services(request).reads, ticket_id_of(request))
    if ticket is None:
        raise not_found("ticket")
    return _answer(ticket)


async def patch_ticket(request: web.Request) -> web.Response:
    """Closing tells the subscribers and the listeners; a ticket that is closed already is left as it is.

    `If-Match` with the ticket's `ETag` refuses the change (412) when somebody else was faster, and shows the ticket.
    """
    Query(request, ())
    ticket_id, given = ticket_id_of(request), await json_object(request)
    form, expected, who = validated(_FORM, given), _expected(request), by(request)
    values = {name: getattr(form, name) for name in given}
    try:
        changed = await services(request).writes.change(lambda: change_ticket(ticket_id, values, who, expected))
    except TicketChanged as error:
        raise _overtaken(error.ticket) from error
    if changed is None:
        raise not_found("ticket")
    _tell(request, [changed])
    return _answer(changed.ticket)


async def patch_tickets(request: web.Request) -> web.Response:
    """All or none of them, except those that do not exist: they are named."""
    Query(request, ())
    given = await json_object(request)
    form, who = validated(_SEVERAL, given), by(request)
    if not form.ticket_ids:
        raise invalid([FieldError("ticket_ids", Message("is missing"))])
    values = {name: getattr(form, name) for name in given if name != "ticket_ids"}
    ids = [int(ticket_id) for ticket_id in form.ticket_ids]
    changed = await services(request).writes.change(lambda: change_tickets(ids, values, who))
    _tell(request, changed)
    found = {one.ticket.ticket_id for one in changed}
    missing = [str(ticket_id) for ticket_id in dict.fromkeys(ids) if str(ticket_id) not in found]
    return json_response({"items": [one.ticket.as_json() for one in changed], "missing": missing})


def own_user_id(request: web.Request) -> str | None:
    """The agent who asks; None: a program, or a person who is none."""
    account = caller(request).account
    return account.user_id if account else None


def ticket_id_of(request: web.Request) -> int:
    text = path_part(request, "ticket_id", 18)
    if not (text.isascii() and text.isdigit()):
        raise not_found("ticket")
    return int(text)


def _tell(request: web.Request, changes: Iterable[ChangedTicket]) -> None:
    parts = services(request)
    for one in changes:
        if one.closed:
            parts.announced(one.deliveries)
            parts.feed.publish(EventType.TICKET_CLOSED.value, one.ticket.as_json())
        elif one.changed:
            parts.feed.publish(TICKET_CHANGED, one.ticket.as_json())


def _expected(request: web.Request) -> int | None:
    tag = request.headers.get("If-Match", "*").strip()
    if tag == "*":
        return None
    digits = tag.removeprefix('"').removesuffix('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise Problem(412, Message("If-Match is not the ETag of this ticket; read it again"))
    return int(digits)


def _overtaken(ticket: Ticket) -> Problem:
    said = Message("somebody else changed this ticket meanwhile; nothing was changed")
    return Problem(412, said, headers=_tagged(ticket), ticket=ticket.as_json())


def _answer(ticket: Ticket) -> web.Response:
    return json_response(ticket.as_json(), headers=_tagged(ticket))


def _tagged(ticket: Ticket) -> dict[str, Any]:
    return {"ETag": f'"{ticket.version}"'}
