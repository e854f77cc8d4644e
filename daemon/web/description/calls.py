"""Calls, tickets and the stream of events."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from daemon.call.model import CallState, Direction, EndedBy, MissedReason, Outcome
from daemon.policy.decision import TicketKind
from daemon.store.values import TicketStatus
from daemon.web.call_query import LONGEST_SECONDS
from daemon.web.description import answers
from daemon.web.description.model import (
    PAGING,
    Answer,
    Body,
    Description,
    Descriptions,
    ListOf,
    Parameter,
    choice,
    path,
    text,
    time,
)
from daemon.web.query import VALUE_LIMIT
from daemon.web.ticket_query import Yes
from daemon.web.tickets import TicketForm, TicketsForm

_CALL_ID: Final = path("call_id", "The id of a call.", 150)
_TICKET_ID: Final = path("ticket_id", "The number of a ticket.", 18, "^[0-9]+$")


def _seconds(name: str, about: str) -> Parameter:
    return Parameter(name, about, {"type": "integer", "minimum": 0, "maximum": LONGEST_SECONDS})


FILTERS: Final = (
    text("pbx", "Of this PBX."),
    text("queue", "That waited in this queue."),
    text("hotline", "Of this number of yours."),
    text("user_id", "In which this agent talked."),
    text("customer_number", "With this customer, in E.164."),
    text("number", "With this number in any form (0901…, +84901…, 84901…), its beginning or its end."),
    choice("direction", "Incoming, outgoing or internal.", Direction),
    choice("state", "That are in this state now.", CallState),
    choice("outcome", "That ended so.", Outcome),
    choice("missed_reason", "That were missed for this reason.", MissedReason),
    choice("ended_by", "That were ended by this side.", EndedBy),
    _seconds("wait_from", "Whose customer waited so many seconds or more."),
    _seconds("wait_before", "Whose customer waited less."),
    _seconds("talk_from", "In which was talked so many seconds or more."),
    _seconds("talk_before", "In which was talked less."),
    choice("mine", "Of the agent who is signed in.", Yes),
    time("from", "That began then or later."),
    time("to", "That began before."),
)

CALLS: Final[Descriptions] = {
    ("GET", "/calls"): Description(
        tag="Calls",
        summary="Calls, newest first.",
        more="A page may hold fewer than asked for, even none, while `next` leads further back.",
        parameters=(*FILTERS, *PAGING),
        answers={200: Answer("A page of calls.", ListOf(answers.Call))},
    ),
    ("GET", "/calls/{call_id}"): Description(
        tag="Calls",
        summary="One call.",
        parameters=(_CALL_ID, text("pbx", "Chooses when several PBXs have a call with this id.")),
        answers={200: Answer("The call.", answers.Call)},
        refusals={409: "Several PBXs have a call with this id; `pbxs` names them. Add `?pbx=`."},
    ),
}

_TICKET_ETAG: Final = {"ETag": "The version of the ticket, for `If-Match`."}


def _several(name: str, about: str, kind: type[StrEnum]) -> Parameter:
    words = ", ".join(f"`{member.value}`" for member in kind)
    schema = {"type": "string", "maxLength": VALUE_LIMIT, "examples": [next(iter(kind)).value]}
    return Parameter(name, f"{about} One or more, separated by commas, of {words}.", schema)


TICKETS: Final[Descriptions] = {
    ("GET", "/tickets"): Description(
        tag="Tickets",
        summary="Tickets, newest first.",
        parameters=(
            text("queue", "Of this queue."),
            text("hotline", "Of this number of yours."),
            text("assignee", "Of this agent."),
            text("customer_number", "Of this customer, in E.164."),
            text("number", "Of customers with this number in any form (0901…, +84901…, 84901…), or a part of it."),
            text("tag", "With this tag."),
            _several("status", "With this status.", TicketStatus),
            _several("kind", "Of this kind.", TicketKind),
            choice("unassigned", "That nobody works on.", Yes),
            choice("mine", "Of the agent who is signed in.", Yes),
            *PAGING,
        ),
        answers={200: Answer("A page of tickets.", ListOf(answers.Ticket))},
    ),
    ("GET", "/tickets/counts"): Description(
        tag="Tickets",
        summary="How many tickets are to be done.",
        answers={200: Answer("The counts.", answers.TicketCounts)},
    ),
    ("POST", "/tickets/bulk"): Description(
        tag="Tickets",
        summary="Changes several tickets alike, all or none of them.",
        more="Those that do not exist are named in `missing`. Closing sends `ticket.closed` for each.",
        body=Body(TicketsForm, partial=True, needed=("ticket_ids",)),
        answers={200: Answer("The tickets as they are now.", answers.ChangedTickets)},
    ),
    ("GET", "/tickets/{ticket_id}"): Description(
        tag="Tickets",
        summary="One ticket.",
        parameters=(_TICKET_ID,),
        answers={200: Answer("The ticket.", answers.Ticket, _TICKET_ETAG)},
    ),
    ("PATCH", "/tickets/{ticket_id}"): Description(
        tag="Tickets",
        summary="Changes status, assignee, note or tags of a ticket.",
        more="Closing sends `ticket.closed`; a ticket that is closed already is left as it is.",
        parameters=(
            _TICKET_ID,
            Parameter(
                "If-Match",
                "The `ETag` of the ticket as you read it: 412 when somebody else was faster. Left out: the last one "
                "wins.",
                {"type": "string"},
                "header",
            ),
        ),
        body=Body(TicketForm, partial=True),
        answers={200: Answer("The ticket as it is now.", answers.Ticket, _TICKET_ETAG)},
        refusals={412: "Somebody changed the ticket meanwhile; `ticket` is what it is now."},
    ),
}

EVENTS: Final[Descriptions] = {
    ("GET", "/events"): Description(
        tag="Events",
        summary="Everything that happens, as Server-Sent Events.",
        more=(
            "Each event has an `id`, the `event` (the types of the webhooks, and `agent.ringing`, "
            "`agent.ringing_ended`, `popup` and `ticket.changed`) and as `data` one line of JSON: the call or ticket. "
            "`reset` says that events are gone: read the lists again. Comments keep the connection alive."
        ),
        parameters=(
            Parameter(
                "types",
                "Only these, separated by commas.",
                {"type": "string", "maxLength": VALUE_LIMIT, "examples": ["call.answered,ticket.created"]},
            ),
            Parameter(
                "Last-Event-ID",
                "Goes on after this event, as a browser's EventSource asks.",
                {"type": "string", "maxLength": 64},
                "header",
            ),
        ),
        answers={200: Answer("The stream; it does not end.", media="text/event-stream")},
    ),
}
