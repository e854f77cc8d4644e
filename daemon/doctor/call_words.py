"""Decisions and their reasons in words for people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from daemon.call.model import UserId
from daemon.call.signals import UnixMs
from daemon.diagnosis import Step
from daemon.message import Message
from daemon.policy.decision import (
    AnnounceCall,
    CloseMissed,
    Decision,
    OpenTicket,
    PopScreen,
    Reason,
    SkipPop,
    SkipTicket,
)

_REASONS: Final[Mapping[Reason, Message]] = {
    Reason.CALL_ANSWERED: Message("the call was answered."),
    Reason.MISSED_MERGED_BY_CUSTOMER: Message("missed calls of one customer and day share a ticket."),
    Reason.MISSED_MERGED_BY_QUEUE: Message("missed calls of one customer, queue and day share a ticket."),
    Reason.MISSED_NOT_MERGED_BY_MODE: Message("the setting merges no missed calls of this kind."),
    Reason.MISSED_ANONYMOUS: Message("the number was withheld, and such calls are never merged."),
    Reason.INTERNAL_CALL: Message("it is a call between agents."),
    Reason.GLOBAL_SWITCH_OFF: Message("tickets are switched off in the call settings."),
    Reason.QUEUE_SWITCH_OFF: Message("tickets are switched off for this queue."),
    Reason.CUSTOMER_NEVER_REACHED: Message("the customer's phone was never called."),
    Reason.CALLED_BACK: Message("an agent called the customer back."),
    Reason.CUSTOMER_GOT_THROUGH: Message("the customer got through."),
    Reason.TICKET_MADE_AT_ANSWER: Message("its ticket was made at the answer."),
    Reason.AGENT_ANSWERED: Message("the agent answered."),
    Reason.CUSTOMER_ANSWERED: Message("the customer answered."),
    Reason.AGENT_JOINED: Message("the call came to this agent later."),
    Reason.NO_POPUP_URL: Message("no popup URL was set in the call settings."),
    Reason.SUBSCRIBED: Message("webhooks are told of it."),
}
_DECIDED: Final[Mapping[type, Message]] = {
    OpenTicket: Message("A ticket was to be opened or added to: {why}"),
    SkipTicket: Message("No ticket: {why}"),
    CloseMissed: Message("Missed calls of the customer were to be closed: {why}"),
    PopScreen: Message("A popup was due: {why}"),
    SkipPop: Message("No popup: {why}"),
}
_ANNOUNCED: Final = Message("Webhooks that want {event} were to be told.")


def reason_words(reason: Reason) -> Message:
    return _REASONS.get(reason, Message("{reason}", reason=reason.value))


def decided(at: UnixMs, decision: Decision) -> Step:
    """A decision as a step; `decision` is its name in the code, in words: `skip_pop`."""
    kind = type(decision)
    why = reason_words(decision.reason)
    what = (
        Message(_ANNOUNCED, event=decision.event_type.value)
        if isinstance(decision, AnnounceCall)
        else Message(_DECIDED.get(kind, Message("{why}")), why=why)
    )
    user_id: UserId | None = decision.user_id if isinstance(decision, PopScreen | SkipPop) else None
    return Step(at=at, what=what, decision=_snake(kind.__name__), reason=decision.reason.value, user_id=user_id)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
