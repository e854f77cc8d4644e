"""Which tickets are asked for, in the words of an address: the same for the API and for the pages."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, TypeVar

from daemon.message import Message
from daemon.policy.decision import TicketKind
from daemon.store.number_search import number_search
from daemon.store.ticket_pages import TicketFilter
from daemon.store.values import TicketStatus
from daemon.web.problem import FieldError, invalid
from daemon.web.query import Query

E = TypeVar("E", bound=StrEnum)

TEXTS: Final = ("queue", "hotline", "assignee", "customer_number", "tag")
FILTERS: Final = (*TEXTS, "status", "kind", "number", "unassigned", "mine")
MISSED: Final = (TicketKind.MISSED_INCOMING.value, TicketKind.MISSED_OUTGOING.value)
UNDONE: Final = (TicketStatus.OPEN.value, TicketStatus.PENDING.value)
NOBODY: Final = "\n"
"""A user id that nobody can have."""


class Yes(StrEnum):
    TRUE = "true"
    FALSE = "false"


def ticket_filter(query: Query, user_id: str | None, country: str) -> TicketFilter:
    """`user_id` is the agent who asks: who is none has no tickets of his own."""
    texts = {name: query.text(name) for name in TEXTS}
    if query.choice("mine", Yes) == Yes.TRUE:
        texts["assignee"] = user_id or NOBODY
    typed = (query.text("number") or "").strip()
    return TicketFilter(
        **texts,
        statuses=several(query, "status", TicketStatus),
        kinds=several(query, "kind", TicketKind),
        number=number_search(typed, country) if typed else None,
        unassigned=query.choice("unassigned", Yes) == Yes.TRUE,
    )


def several(query: Query, name: str, kind: type[E]) -> tuple[str, ...] | None:
    """One or more of a closed set, separated by commas. None: it says nothing."""
    text = query.text(name)
    if text is None:
        return None
    chosen = tuple(text.split(","))
    if not set(chosen) <= set(kind):
        raise invalid([FieldError(name, Message("must be of {names}, separated by commas", names=", ".join(kind)))])
    return chosen
