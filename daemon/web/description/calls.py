"""Calls, tickets and the stream of events."""

from __future__ import annotations

from typing import Final

from daemon.call.model import CallState, Direction, Outcome
from daemon.policy.decision import TicketKind
from daemon.store.values import TicketStatus
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
from daemon.web.tickets import TicketForm

_CALL_ID: Final = path("call_id", "The id of a call.", 150)
_TICKET_ID: Final = path("ticket_id", "The number of a ticket.", 18, "^[0-9]+$")

CALLS: Final[Descriptions] = {
    ("GET", "/calls"): Description(
        tag="Calls",
        summary="Calls, newest first.",
        parameters=(
            text("pbx", "Of this PBX."),
            text("queue", "That waited in this queue."),
            text("hotline", "Of this number of yours."),
            text("user_id", "That this agent answered."),
            text("customer_number", "With this customer, in E.164."),
            choice("direction", "Incoming, outgoing or internal.", Direction),
            choice("state", "That are in this state now.", CallState),
            choice("outcome", "That ended so.", Outcome),
            time("from", "That began then or later."),
            time("to", "That began before."),
            *PAGING,
        ),
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

TICKETS: Final[Descriptions] = {
    ("GET", "/tickets"): Description(
        tag="Tickets",
        summary="Tickets, newest first.",
        parameters=(
            text("queue", "Of this queue."),
            text("hotline", "Of this number of yours."),
            text("assignee", "Of this agent."),
            text("customer_number", "Of this customer, in E.164."),
            choice("status", "With this status.", TicketStatus),
            choice("kind", "Of this kind.", TicketKind),
            *PAGING,
        ),
        answers={200: Answer("A page of tickets.", ListOf(answers.Ticket))},
    ),
    ("GET", "/tickets/{ticket_id}"): Description(
        tag="Tickets",
        summary="One ticket.",
        parameters=(_TICKET_ID,),
        answers={200: Answer("The ticket.", answers.Ticket)},
    ),
    ("PATCH", "/tickets/{ticket_id}"): Description(
        tag="Tickets",
        summary="Changes status, assignee or note of a ticket.",
        more="Closing sends `ticket.closed`; a ticket that is closed already is left as it is.",
        parameters=(_TICKET_ID,),
        body=Body(TicketForm, partial=True),
        answers={200: Answer("The ticket as it is now.", answers.Ticket)},
    ),
}

EVENTS: Final[Descriptions] = {
    ("GET", "/events"): Description(
        tag="Events",
        summary="Everything that happens, as Server-Sent Events.",
        more=(
            "Each event has an `id`, the `event` (the types of the webhooks, and `agent.ringing`, "
            "`agent.ringing_ended` and `popup`) and as `data` one line of JSON: the call or ticket. "
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
