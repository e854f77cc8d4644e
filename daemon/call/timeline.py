"""What happened on the way of each living call, gathered until the next change of the call is kept. It decides nothing.

A ring or a hold alone is no reason to write: it waits here, whole with its end, for the change that follows.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from daemon.call.events import (
    PASSING,
    AgentConnected,
    AgentReturned,
    AgentRinging,
    AgentRingingEnded,
    CallAnswered,
    CallChanged,
    CallEnded,
    CallEvent,
    CallHeld,
    CallResumed,
    CallStarted,
    ConnectionLost,
    ConnectionRestored,
    ConnectionStillLost,
)
from daemon.call.model import CallId, PbxName, UserId
from daemon.call.signals import ChannelId, UnixMs

MOST_OF_A_CALL = 200
_MOST_CALLS = 20_000


class What(StrEnum):
    """Kinds of moments. `about` says of each: see beside it."""

    QUEUED = "queued"  # the queue
    RANG = "rang"  # the endpoint; from `at` to `until`
    CONNECTED = "connected"
    RETURNED = "returned"
    HELD = "held"  # from `at` to `until`
    LOST = "lost"  # whose connection; to `until`, open where it never came back
    NO_TICKET = "no_ticket"  # the reason
    NO_POPUP = "no_popup"  # the reason
    MORE = "more"  # the call had too many moments: none after this one is kept


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened in a call; together with the call it is its own key."""

    at: UnixMs
    what: What
    user_id: UserId | None = None
    about: str = ""
    until: UnixMs | None = None


@dataclass(slots=True)
class _Story:
    """`begun` are rings and holds that go on, by kind and channel."""

    queue: str | None
    count: int = 0
    waiting: list[Moment] = field(default_factory=list)
    begun: dict[tuple[What, ChannelId], Moment] = field(default_factory=dict)

    def add(self, moment: Moment) -> None:
        self.count += 1
        if self.count < MOST_OF_A_CALL:
            self.waiting.append(moment)
        elif self.count == MOST_OF_A_CALL:
            self.waiting.append(Moment(moment.at, What.MORE))

    def begin(self, channel: ChannelId, moment: Moment) -> None:
        if len(self.begun) < MOST_OF_A_CALL:
            self.begun.setdefault((moment.what, channel), moment)

    def finish(self, what: What, channel: ChannelId, at: UnixMs) -> None:
        begun = self.begun.pop((what, channel), None)
        if begun is not None:
            self.add(Moment(begun.at, what, begun.user_id, begun.about, at))


class Timeline:
    """Of all living calls. A call that was taken up after a restart goes on from there."""

    def __init__(self) -> None:
        self._stories: OrderedDict[tuple[PbxName, CallId], _Story] = OrderedDict()

    def note(self, event: CallEvent) -> None:
        call = event.call
        if call.ended_at is not None and not isinstance(event, CallEnded):
            return  # a phone that lags behind: the story is told
        key = (call.pbx, call.call_id)
        story = self._stories.get(key)
        if story is None:
            known = None if isinstance(event, CallStarted) else call.queue
            story = self._stories[key] = _Story(known)
            if len(self._stories) > _MOST_CALLS:
                self._stories.popitem(last=False)
        if call.queue is not None and call.queue != story.queue:
            story.queue = call.queue
            story.add(Moment(event.at, What.QUEUED, None, call.queue))
        _note(story, event)

    def add(self, event: CallEvent, moment: Moment) -> None:
        """What others know of this moment of the call."""
        story = self._stories.get((event.call.pbx, event.call.call_id))
        if story is not None:
            story.add(moment)

    def take(self, event: CallEvent) -> tuple[Moment, ...]:
        """All that is whole and was not handed out yet; nothing for an event that changes nothing which is kept."""
        if isinstance(event, PASSING):
            return ()
        key = (event.call.pbx, event.call.call_id)
        story = self._stories.get(key)
        if story is None:
            return ()
        if isinstance(event, CallEnded):
            del self._stories[key]
        taken, story.waiting = tuple(story.waiting), []
        return taken


def _note(story: _Story, event: CallEvent) -> None:
    match event:
        case AgentRinging():
            story.begin(event.channel, Moment(event.at, What.RANG, event.user_id, str(event.endpoint or "")))
        case AgentRingingEnded():
            story.finish(What.RANG, event.channel, event.at)
        case CallHeld():
            story.begin(event.channel, Moment(event.at, What.HELD, event.user_id))
        case CallResumed():
            story.finish(What.HELD, event.channel, event.at)
        case AgentConnected():
            story.add(Moment(event.at, What.CONNECTED, event.user_id))
        case AgentReturned():
            story.add(Moment(event.at, What.RETURNED, event.user_id))
        case ConnectionRestored():
            story.add(Moment(event.lost.since, What.LOST, None, event.lost.side.value, event.at))
        case CallEnded():
            _end(story, event)
        case CallStarted() | CallChanged() | CallAnswered() | ConnectionLost() | ConnectionStillLost():
            pass
        case _:
            assert_never(event)


def _end(story: _Story, event: CallEnded) -> None:
    for what, channel in list(story.begun):
        story.finish(what, channel, event.at)
    if (lost := event.call.lost) is not None:
        story.add(Moment(lost.since, What.LOST, None, lost.side.value))
