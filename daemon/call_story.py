"""What is kept of a call besides the call itself: its moments, and why a policy let something be."""

from __future__ import annotations

from collections.abc import Iterable

from daemon.call.events import CallEvent
from daemon.call.timeline import Moment, Timeline, What
from daemon.policy.decision import Decision, Reason, SkipPop, SkipTicket

_PLAIN = (Reason.TICKET_MADE_AT_ANSWER, Reason.INTERNAL_CALL)
"""What nobody would ask about."""


class CallStory:
    """Fed with every event of every call, in order."""

    def __init__(self) -> None:
        self._timeline = Timeline()

    def tell(self, event: CallEvent, decisions: Iterable[Decision]) -> tuple[Moment, ...]:
        """Take the event in; what belongs into the transaction that keeps it."""
        self._timeline.note(event)
        for decision in decisions:
            if isinstance(decision, SkipTicket) and decision.reason not in _PLAIN:
                self._timeline.add(event, Moment(event.at, What.NO_TICKET, None, decision.reason.value))
            elif isinstance(decision, SkipPop) and decision.reason not in _PLAIN:
                self._timeline.add(event, Moment(event.at, What.NO_POPUP, decision.user_id, decision.reason.value))
        return self._timeline.take(event)
