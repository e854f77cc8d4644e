"""A call in words: its state with a colour, its direction, and the lines of its story. It decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from daemon.call.model import Call, CallState, Direction, EndedBy, HangupReason, LostSide, MissedReason, Outcome
from daemon.call.timeline import Moment, What
from daemon.message import Message
from daemon.policy.decision import Reason
from daemon.store.pops import Pop
from daemon.web.ticket_words import Line, Teller

DIRECTIONS: Final[Mapping[str, Message]] = {
    Direction.INCOMING: Message("Incoming"),
    Direction.OUTGOING: Message("Outgoing"),
    Direction.INTERNAL: Message("Internal"),
}
OUTCOMES: Final[Mapping[str, Message]] = {
    Outcome.ANSWERED: Message("Answered"),
    Outcome.MISSED: Message("Missed"),
}
MISSED_REASONS: Final[Mapping[str, Message]] = {
    MissedReason.ABANDONED: Message("Customer hung up"),
    MissedReason.QUEUE_TIMEOUT: Message("Nobody came in time"),
    MissedReason.NO_ANSWER: Message("No answer"),
    MissedReason.BUSY: Message("Busy"),
    MissedReason.REJECTED: Message("Rejected"),
    MissedReason.UNREACHABLE: Message("Not reachable"),
    MissedReason.LEFT_IN_IVR: Message("Hung up in the menu"),
    MissedReason.FORWARDED: Message("Forwarded"),
    MissedReason.CANCELLED: Message("Agent hung up first"),
    MissedReason.FAILED: Message("Failed"),
    MissedReason.UNOBSERVED: Message("Not seen by Callwarden"),
}
ENDED_BY: Final[Mapping[str, Message]] = {
    EndedBy.CUSTOMER: Message("Customer"),
    EndedBy.AGENT: Message("Agent"),
    EndedBy.SYSTEM: Message("Network or PBX"),
}
_ENDED: Final[Mapping[str | None, Message]] = {
    EndedBy.CUSTOMER: Message("The customer hung up"),
    EndedBy.AGENT: Message("The agent hung up"),
    EndedBy.SYSTEM: Message("The connection ended"),
    None: Message("The call was over when Callwarden looked again"),
}
_LOST: Final[Mapping[str, Message]] = {
    LostSide.CUSTOMER: Message("The customer's connection was lost"),
    LostSide.AGENT: Message("The agent's connection was lost"),
    LostSide.OTHER: Message("Another party's connection was lost"),
}
_NO_TICKET: Final[Mapping[str, Message]] = {
    Reason.GLOBAL_SWITCH_OFF: Message("No ticket: the call settings switch tickets off"),
    Reason.QUEUE_SWITCH_OFF: Message("No ticket: its queue has tickets switched off"),
    Reason.CUSTOMER_NEVER_REACHED: Message("No ticket: the customer was never called"),
}
_NO_POPUP: Final[Mapping[str, Message]] = {
    Reason.NO_POPUP_URL: Message("No popup for {agent}: the call settings name no page to open"),
}
_BEFORE_THE_ANSWER: Final = (What.QUEUED, What.RANG)
"""What comes first of several things in one moment."""


@dataclass(frozen=True, slots=True)
class CallTeller:
    """Tells of one call; names and numbers as `teller` writes them."""

    teller: Teller

    def state(self, call: Call) -> tuple[str, str]:
        """A word and its colour."""
        _ = self.teller._
        match call.state:
            case CallState.RINGING:
                return _("Rings now"), "warn"
            case CallState.ANSWERED:
                return _("Talking now"), "good"
        if call.outcome is Outcome.ANSWERED:
            return _("Answered"), "good"
        if call.outcome is None:
            return _("Not connected"), ""
        return (_("Not reached"), "bad") if call.direction is Direction.OUTGOING else (_("Missed"), "bad")

    def why(self, call: Call) -> str:
        """Of a missed one."""
        return self.teller._(MISSED_REASONS[call.missed_reason]) if call.missed_reason else ""

    def agents(self, call: Call) -> str:
        return ", ".join(self.teller.who(user_id) for user_id in call.user_ids)

    def story(self, call: Call, moments: Iterable[Moment], pops: Iterable[Pop]) -> Sequence[Line]:
        """From the first ring to the end, oldest first; what happened in one moment in the order in which it came."""
        known = list(moments)
        before = [one for one in known if one.what in _BEFORE_THE_ANSWER]
        after = [one for one in known if one.what not in _BEFORE_THE_ANSWER]
        lines = [self._began(call), *self._moments(before), *self._answer(call)]
        lines += [*self._moments(after), *map(self._pop, pops), *self._end(call)]
        return sorted(lines, key=lambda line: line.at)

    def _began(self, call: Call) -> Line:
        tells, _ = self.teller, self.teller._
        if call.direction is Direction.INCOMING:
            said = _("The customer called {hotline}") if call.hotline else _("The customer called")
            return Line(at=call.started_at, text=said.format(hotline=tells.hotline(call.hotline)))
        said = _("The call to the customer began") if call.direction is Direction.OUTGOING else _("The call began")
        return Line(at=call.started_at, text=said)

    def _answer(self, call: Call) -> Iterator[Line]:
        if call.answered_at is not None:
            said = self.teller._("Answered after {time}").format(time=self.teller.lasts(call.wait_seconds))
            yield Line(at=call.answered_at, text=said, colour="good")

    def _end(self, call: Call) -> Iterator[Line]:
        _ = self.teller._
        if call.ended_at is None:
            return
        text = _(_ENDED[call.ended_by])
        if call.hangup_reason is HangupReason.CONNECTION_LOST:
            text = _("Callwarden hung up, because the connection was lost")
        cause = _("cause {number}").format(number=call.hangup_cause) if call.hangup_cause else ""
        talked = _("talked {time}").format(time=self.teller.lasts(call.talk_seconds)) if call.talk_seconds else ""
        yield Line(at=call.ended_at, text=text, about=" · ".join(filter(None, (talked, self.why(call), cause))))

    def _moments(self, moments: Iterable[Moment]) -> Iterator[Line]:
        connected: set[str] = set()
        for moment in moments:
            yield self._moment(moment, first=not connected)
            if moment.what is What.CONNECTED and moment.user_id:
                connected.add(moment.user_id)

    def _moment(self, moment: Moment, *, first: bool) -> Line:
        _, who, about, colour = self.teller._, self.teller.who(moment.user_id), "", ""
        lasted = self.teller.lasts((moment.until - moment.at) / 1000) if moment.until is not None else ""
        match moment.what:
            case What.QUEUED:
                text = _("Waits in the queue {queue}").format(queue=moment.about)
            case What.RANG:
                text, about = _("{agent}'s phone rang {time}").format(agent=who, time=lasted), moment.about
            case What.CONNECTED:
                said = Message("{agent} has the customer") if first else Message("Handed over to {agent}")
                text = _(said).format(agent=who)
            case What.RETURNED:
                text = _("Back with {agent}").format(agent=who)
            case What.HELD:
                text = _("{agent} held the call for {time}").format(agent=who, time=lasted)
            case What.LOST:
                text, colour = _(_LOST[moment.about]), "bad"
                about = _("back after {time}").format(time=lasted) if lasted else _("it never came back")
            case What.NO_TICKET:
                text = _(_NO_TICKET.get(moment.about, Message("No ticket")))
            case What.NO_POPUP:
                text = _(_NO_POPUP.get(moment.about, Message("No popup for {agent}"))).format(agent=who)
            case What.MORE:
                text = _("More happened than is kept of one call")
        return Line(at=moment.at, text=text, about=about, colour=colour)

    def _pop(self, pop: Pop) -> Line:
        _, who = self.teller._, self.teller.who(pop.user_id)
        if pop.opened_at is not None:
            waited = (pop.opened_at - pop.at) / 1000
            fate = _("opened on the desk after {time}").format(time=f"{waited:.1f} s")
        elif pop.blocked_at is not None:
            fate = _("the browser blocked it")
        else:
            fate = _("not opened on a desk") if pop.to_desk else _("by webhook only")
        return Line(at=pop.at, text=_("Customer page for {agent}").format(agent=who), about=fate)
