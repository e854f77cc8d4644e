"""Tickets and their calls in words: states with their colour, kinds, and the lines of a ticket's history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

from daemon.call.model import Call, CallState, Direction, EndedBy, HangupReason, MissedReason, Outcome
from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.policy.decision import Reason, TicketKind
from daemon.store.ticket_changes import CLOSED_BY_HAND
from daemon.store.ticket_events import ANOTHER_CALL, TicketEvent
from daemon.store.values import Ticket, TicketStatus
from daemon.web.words import Translate

KINDS: Final[Mapping[str, Message]] = {
    TicketKind.INCOMING: Message("Incoming"),
    TicketKind.OUTGOING: Message("Outgoing"),
    TicketKind.MISSED_INCOMING: Message("Missed"),
    TicketKind.MISSED_OUTGOING: Message("Not reached"),
}
STATUSES: Final[Mapping[str, tuple[Message, str]]] = {
    TicketStatus.OPEN: (Message("Open"), "warn"),
    TicketStatus.PENDING: (Message("Follow up"), ""),
    TicketStatus.CLOSED: (Message("Closed"), "good"),
}
CLOSED_WHY: Final[Mapping[str, Message]] = {
    CLOSED_BY_HAND: Message("Closed"),
    Reason.CALLED_BACK: Message("Called back"),
    Reason.CUSTOMER_GOT_THROUGH: Message("Customer got through"),
}
_BY_TALK: Final = (Reason.CALLED_BACK, Reason.CUSTOMER_GOT_THROUGH)
MISSED_WHY: Final[Mapping[str, Message]] = {
    MissedReason.ABANDONED: Message("the customer hung up"),
    MissedReason.QUEUE_TIMEOUT: Message("nobody came in time"),
    MissedReason.NO_ANSWER: Message("no answer"),
    MissedReason.BUSY: Message("busy"),
    MissedReason.REJECTED: Message("rejected"),
    MissedReason.UNREACHABLE: Message("not reachable"),
    MissedReason.LEFT_IN_IVR: Message("the customer hung up in the menu"),
    MissedReason.FORWARDED: Message("forwarded"),
    MissedReason.CANCELLED: Message("the agent hung up first"),
    MissedReason.FAILED: Message("the call failed"),
    MissedReason.UNOBSERVED: Message("ended while Callwarden was not connected"),
}
_ENDED: Final[Mapping[str, Message]] = {
    EndedBy.CUSTOMER: Message("the customer hung up"),
    EndedBy.AGENT: Message("the agent hung up"),
    EndedBy.SYSTEM: Message("the connection ended"),
}
_HUNG_UP: Final[Mapping[str, Message]] = {
    HangupReason.CONNECTION_LOST: Message("hung up, because the connection was lost"),
}
MISSED_KINDS: Final = (TicketKind.MISSED_INCOMING, TicketKind.MISSED_OUTGOING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a history. `before` and `after` are a note's texts."""

    at: UnixMs
    text: str
    about: str = ""
    colour: str = ""
    before: str | None = None
    after: str | None = None
    story: str = ""
    """Of a call the page that says why it went so."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells it in the reader's language. `names` are those of agents by user id and by account.

    `number` writes a telephone number as people do; `labels` are what hotlines are called.
    """

    _: Translate
    names: Mapping[str, str]
    number: Callable[[str], str]
    labels: Mapping[str, str] = field(default_factory=dict)

    def state(self, ticket: Ticket) -> tuple[str, str]:
        """A word and its colour; of a missed one that nobody has called back it says so."""
        if ticket.status is TicketStatus.CLOSED:
            why = CLOSED_WHY.get(ticket.closed_reason or "", STATUSES[TicketStatus.CLOSED][0])
            return self._(why), "good"
        word, colour = STATUSES[ticket.status]
        if ticket.kind in MISSED_KINDS and ticket.status is TicketStatus.OPEN:
            return self._(Message("Not called back")), "bad"
        return self._(word), colour

    def reached_after(self, ticket: Ticket) -> str:
        """Of one that a talk closed, how long the customer had waited for it."""
        if ticket.call_back_seconds is None or ticket.closed_reason not in _BY_TALK:
            return ""
        return self._("after {time}").format(time=self.lasts(ticket.call_back_seconds))

    def kind(self, ticket: Ticket) -> str:
        word = self._(KINDS[ticket.kind])
        return self._("{kind}, {n} times").format(kind=word, n=ticket.missed_count) if ticket.missed_count > 1 else word

    def who(self, name: str | None) -> str:
        """An agent or account by the name people call him."""
        if name is None:
            return ""
        kind, colon, label = name.partition(":")
        if colon and kind == "token":
            return self._("Token {name}").format(name=label)
        return self.names.get(name, name)

    def hotline(self, number: str | None) -> str:
        return self.labels.get(number, "") or self.number(number) if number else ""

    def lasts(self, seconds: float | None) -> str:
        whole = int(seconds or 0)
        hours, rest = divmod(whole, 3600)
        return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"

    def history(self, calls: Iterable[Call], events: Iterable[TicketEvent]) -> Sequence[Line]:
        """Oldest first."""
        lines = [*(self.call(call) for call in calls), *(self.event(event) for event in events)]
        return sorted(lines, key=lambda line: line.at)

    def call(self, call: Call) -> Line:
        read = self._("read afterwards from the PBX's records") if call.caught_up else ""
        where = " · ".join(filter(None, (call.queue, self.hotline(call.hotline), read)))
        text, colour = self._call_words(call)
        return Line(at=call.started_at, text=text, about=where, colour=colour, story=decisions_path(call))

    def _call_words(self, call: Call) -> tuple[str, str]:
        who = ", ".join(self.who(user_id) for user_id in call.user_ids)
        waited = self.lasts(call.wait_seconds)
        if call.state is not CallState.ENDED:
            said = Message("Talking with {agent} now") if call.answered_at else Message("Rings now")
            return self._(said).format(agent=who), "good"
        if call.outcome is Outcome.ANSWERED:
            said = (
                Message("{agent} called, talked {talked}; {ended}")
                if call.direction is Direction.OUTGOING
                else Message("{agent} answered after {waited}, talked {talked}; {ended}")
            )
            ended = self._(_HUNG_UP.get(call.hangup_reason or "") or _who_ended(call))
            talked = self.lasts(call.talk_seconds)
            return self._(said).format(agent=who, waited=waited, talked=talked, ended=ended), ""
        why = self._(MISSED_WHY.get(call.missed_reason or "", MISSED_WHY[MissedReason.NO_ANSWER]))
        if call.direction is Direction.OUTGOING:
            return self._(Message("{agent} called, not reached: {why}")).format(agent=who, why=why), "bad"
        return self._(Message("Missed after {waited}: {why}")).format(waited=waited, why=why), "bad"

    def event(self, event: TicketEvent) -> Line:
        by = self.who(event.by)
        if event.what == "note":
            return Line(
                at=event.at, text=self._("{name} wrote in the note").format(name=by), before=event.old, after=event.new
            )
        return Line(at=event.at, text=self._event_words(event, by))

    def _event_words(self, event: TicketEvent, by: str) -> str:
        match event.what:
            case "assignee" if event.new is None:
                return self._("{name} gave it back: nobody works on it").format(name=by)
            case "assignee":
                to = self.who(event.new)
                return (
                    self._("{name} claimed it").format(name=by)
                    if to == by
                    else self._("{name} gave it to {agent}").format(name=by, agent=to)
                )
            case "tags":
                return self._("{name} set the tags: {tags}").format(name=by, tags=", ".join(event.new) or "-")
            case _ if event.by is None:
                return self._rule_words(event)
            case _:
                word = STATUSES.get(event.new, (Message(str(event.new)), ""))[0]
                return self._("{name} set it to: {state}").format(name=by, state=self._(word))

    def _rule_words(self, event: TicketEvent) -> str:
        if event.reason == ANOTHER_CALL:
            return self._("Open again: one more missed call")
        called = event.reason == Reason.CALLED_BACK
        if event.call_back_seconds is None:
            plain = Message("Closed by itself: an agent reached the customer")
            return self._(plain if called else Message("Closed by itself: the customer got through"))
        timed = (
            Message("Closed by itself: an agent reached the customer, {time} after the missed call")
            if called
            else Message("Closed by itself: the customer got through, {time} after the missed call")
        )
        return self._(timed).format(time=self.lasts(event.call_back_seconds))


def _who_ended(call: Call) -> Message:
    """Records do not always tell."""
    if call.ended_by is None and call.caught_up:
        return Message("it is not known who hung up")
    return _ENDED[call.ended_by or EndedBy.SYSTEM]


def decisions_path(call: Call) -> str:
    """The page that tells what was decided about a call, and why."""
    return f"/calls/{quote(call.call_id, safe='')}/decisions?pbx={quote(call.pbx, safe='')}"
