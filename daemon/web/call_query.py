"""Which calls are asked for, in the words of an address: the same for the API, the pages and the exports."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from daemon.call.model import CallState, Direction, EndedBy, MissedReason, Outcome
from daemon.store.call_search import CallFilter
from daemon.store.number_search import number_search
from daemon.web.query import Query
from daemon.web.ticket_query import NOBODY, Yes

CHOICES: Final = {
    "direction": Direction,
    "state": CallState,
    "outcome": Outcome,
    "missed_reason": MissedReason,
    "ended_by": EndedBy,
}
SECONDS: Final = ("wait_from", "wait_before", "talk_from", "talk_before")
LONGEST_SECONDS: Final = 86_400
_TEXTS: Final = ("pbx", "queue", "hotline", "user_id", "customer_number")
FILTERS: Final = (*_TEXTS, *CHOICES, *SECONDS, "number", "mine")
"""All but the span of time, which programs give to the millisecond and people by the day."""


def call_filter(query: Query, user_id: str | None, country: str) -> CallFilter:
    """`user_id` is the agent who asks: who is none has no calls of his own."""
    typed = (query.text("number") or "").strip()
    wanted = CallFilter(
        pbx=query.text("pbx"),
        queue=query.text("queue"),
        hotline=query.text("hotline"),
        user_id=query.text("user_id"),
        customer_number=query.text("customer_number"),
        number=number_search(typed, country) if typed else None,
        direction=query.choice("direction", Direction),
        state=query.choice("state", CallState),
        outcome=query.choice("outcome", Outcome),
        missed_reason=query.choice("missed_reason", MissedReason),
        ended_by=query.choice("ended_by", EndedBy),
        wait_from=query.number("wait_from", 0, LONGEST_SECONDS),
        wait_before=query.number("wait_before", 0, LONGEST_SECONDS),
        talk_from=query.number("talk_from", 0, LONGEST_SECONDS),
        talk_before=query.number("talk_before", 0, LONGEST_SECONDS),
    )
    return replace(wanted, user_id=user_id or NOBODY) if query.choice("mine", Yes) == Yes.TRUE else wanted


def timed_call_filter(query: Query, user_id: str | None, country: str) -> CallFilter:
    """With the span as programs give it: `from` counts in, `to` does not."""
    wanted = call_filter(query, user_id, country)
    return replace(wanted, started_from=query.time("from"), started_before=query.time("to"))
