"""`/api/v1/desk`: what an agent has before him now, his events, and the one window in which each popup opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from annotated_types import Len
from pydantic import TypeAdapter

from daemon.call.model import Call
from daemon.call.rendering import iso_utc
from daemon.message import Message
from daemon.policy.customer_lookup import Customer
from daemon.policy.decision import TicketKind
from daemon.store.call_pages import CallEntry, find_call, read_calls
from daemon.store.call_search import CallFilter
from daemon.store.pops import give_back_pop, open_pop, read_pops
from daemon.store.ticket_pages import TicketFilter, read_tickets
from daemon.store.values import Ticket, TicketStatus
from daemon.web.body import json_object, validated
from daemon.web.caller import caller
from daemon.web.desk_now import desk_call
from daemon.web.events import last_event_id, stream
from daemon.web.listing import json_response
from daemon.web.problem import FieldError, Problem, invalid, not_found
from daemon.web.query import Query, path_part, unusable
from daemon.web.services import Services, services
from daemon.web.texts import Label

_RECENT: Final = 20
_SHOWN: Final = 50
_MISSED: Final = (TicketKind.MISSED_INCOMING.value, TicketKind.MISSED_OUTGOING.value)
_UNDONE: Final = (TicketStatus.OPEN.value, TicketStatus.PENDING.value)
_BEAT_S: Final = 10.0
_EVENTS: Final = frozenset(
    {
        "agent.connected",
        "agent.hold",
        "agent.part",
        "agent.phone_keys",
        "agent.ringing",
        "agent.ringing_ended",
        "agent.state",
        "call.answered",
        "call.connection_lost",
        "call.ended",
        "click_to_call.failed",
        "customer.known",
        "popup",
        "popup.blocked",
        "popup.opened",
        "ticket.changed",
        "ticket.closed",
        "ticket.created",
        "ticket.merged",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPopForm:
    """The body of an opening. `browser` is the window that would open it, by a name it made up for itself."""

    browser: Annotated[Label, Len(8, 64)]


_OPEN: Final = TypeAdapter(OpenPopForm)


async def get_desk(request: web.Request) -> web.Response:
    """Everything as it is now; `event_id` is where to listen from, so that nothing is missed or told twice.

    `now` is our clock: a browser whose own is wrong counts seconds right by it.
    """
    Query(request, ())
    parts, user_id, now = services(request), agent_of(request), services(request).clock()
    event_id = parts.feed.last_id  # before the rest is read: what happens meanwhile is told once more, never not at all
    desk = parts.desks.of(user_id, now)
    return json_response(
        {
            "user_id": user_id,
            "event_id": event_id,
            "now": iso_utc(now),
            "ringing": [one.as_json(_customer(parts, one.call)) for one in desk.ringing],
            "calls": [
                {
                    **desk_call(entry.as_json(), _customer(parts, entry.call)),
                    **parts.acts.part_of(entry.call.pbx, entry.call.call_id, user_id).as_json(),
                }
                for entry in await _living(request, desk.calls)
            ],
            "held": [one.as_json() for one in desk.held],
            "keys": parts.acts.keys_of(user_id).as_json(),
            "pops": [pop.as_json() for pop in await read_pops(parts.reads, user_id, now)],
            "tickets": [ticket.as_json() for ticket in await _tickets(request, user_id)],
            "missed": [ticket.as_json() for ticket in await _missed(request)],
            "recent": [
                entry.as_json() for entry in await read_calls(parts.reads, CallFilter(user_id=user_id), _RECENT, None)
            ],
        }
    )


async def stream_desk(request: web.Request) -> web.StreamResponse:
    """The events of this desk. `after` is the desk's `event_id`; a browser that comes back sends `Last-Event-ID`.

    A `beat` comes every few seconds: no browser tells its page that a line is dead when nobody closed it.
    """
    after = Query(request, ("after",)).text("after")
    if after is not None and unusable(after, 64):
        raise invalid([FieldError("after", Message("is not an id of these events"))])
    return await stream(request, last_event_id(request) or after, _EVENTS, agent_of(request), beat_s=_BEAT_S)


async def open_popup(request: web.Request) -> web.Response:
    """`open` is true for the first window that asks, and for it again; every other one shows a card instead."""
    Query(request, ())
    pbx, call_id = path_part(request, "pbx", 64), path_part(request, "call_id", 150)
    parts, user_id = services(request), agent_of(request)
    browser, now = validated(_OPEN, await json_object(request)).browser, parts.clock()
    pop = await parts.writes.change(lambda: open_pop(pbx, call_id, user_id, browser, now))
    if pop is None:
        raise not_found("popup")
    if pop.opened_by == browser and pop.opened_at == now:
        parts.feed.publish("popup.opened", pop.as_json(), frozenset({user_id}))
    return json_response({**pop.as_json(), "open": pop.opened_by == browser})


async def give_back_popup(request: web.Request) -> web.Response:
    """The browser did not let it open: it is swallowed by nobody, every desk of this agent may open it again."""
    Query(request, ())
    pbx, call_id = path_part(request, "pbx", 64), path_part(request, "call_id", 150)
    parts, user_id = services(request), agent_of(request)
    browser, now = validated(_OPEN, await json_object(request)).browser, parts.clock()
    pop = await parts.writes.change(lambda: give_back_pop(pbx, call_id, user_id, browser, now))
    if pop is None:
        raise not_found("popup")
    if pop.blocked_at == now:
        parts.feed.publish("popup.blocked", pop.as_json(), frozenset({user_id}))
    return json_response(pop.as_json())


def agent_of(request: web.Request) -> str:
    """The agent whose account this is; a desk is a person's, a program has none."""
    account = caller(request).account
    if account is None or account.user_id is None:
        raise Problem(409, Message("this account belongs to no agent yet; an admin can say to which"))
    return account.user_id


def _customer(parts: Services, call: Call) -> Customer | None:
    return parts.customers.known(call.pbx, call.call_id)


async def _living(request: web.Request, living: Sequence[Call]) -> list[CallEntry]:
    """With their tickets, which are not the board's business."""
    found = [entry for call in living for entry in await find_call(services(request).reads, call.call_id)]
    tickets = {(entry.call.pbx, entry.call.call_id): entry.ticket_id for entry in found}
    return [CallEntry(call, tickets.get((call.pbx, call.call_id))) for call in living]


async def _tickets(request: web.Request, user_id: str) -> list[Ticket]:
    """What he works on."""
    wanted = TicketFilter(assignee=user_id, statuses=_UNDONE)
    return await read_tickets(services(request).reads, wanted, _SHOWN, None)


async def _missed(request: web.Request) -> list[Ticket]:
    """Whom nobody has called back yet, and nobody said he would."""
    wanted = TicketFilter(kinds=_MISSED, statuses=_UNDONE, unassigned=True)
    return await read_tickets(services(request).reads, wanted, _SHOWN, None)
