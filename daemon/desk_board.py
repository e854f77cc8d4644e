"""Follows the bus and knows, for each agent, which phones ring and which calls live. It only watches."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from daemon.bus import AgentToNotify, Bus, CallHappened, News, Topic
from daemon.call.events import CallHeld, CallResumed
from daemon.call.model import Call, CallId, CallState, PbxName
from daemon.call.signals import ChannelId, UnixMs
from daemon.policy.decision import NotifyAgent
from daemon.web.desk_now import DeskNow, Held, Ringing, rings_until

CallKey = tuple[PbxName, CallId]


class DeskBoard:
    """Calls that lived before the start are told by `restore`."""

    def __init__(self, bus: Bus) -> None:
        self._ringing: dict[str, dict[ChannelId, Ringing]] = defaultdict(dict)
        self._calls: dict[str, dict[CallKey, Call]] = defaultdict(dict)
        self._owner: dict[CallKey, str] = {}
        self._held: dict[str, dict[ChannelId, Held]] = defaultdict(dict)
        bus.subscribe(Topic.NOTIFICATION, self._notified)
        bus.subscribe(Topic.CALL, self._happened)

    def restore(self, living: Iterable[Call]) -> None:
        for call in living:
            self._put(call)

    def of(self, user_id: str, now: UnixMs) -> DeskNow:
        """A ring that nobody ended is forgotten after the longest that a phone rings."""
        ringing = [one for one in self._ringing.get(user_id, {}).values() if rings_until(one.since) > now]
        calls = self._calls.get(user_id, {})
        return DeskNow(tuple(ringing), tuple(calls.values()), tuple(self._held.get(user_id, {}).values()))

    def _notified(self, news: News) -> None:
        if not isinstance(news, AgentToNotify):
            return
        decision = news.decision
        phones = self._ringing[decision.user_id]
        if isinstance(decision, NotifyAgent):
            phones[decision.channel] = Ringing(decision.channel, decision.call, news.at)
        else:
            phones.pop(decision.channel, None)

    def _happened(self, news: News) -> None:
        if not isinstance(news, CallHappened):
            return
        match news.event:
            case CallHeld(call=call, user_id=user_id, channel=channel):
                self._held[user_id][channel] = Held(channel, call.pbx, call.call_id)
            case CallResumed(user_id=user_id, channel=channel):
                self._held[user_id].pop(channel, None)
            case _:
                pass
        self._put(news.event.call)

    def _put(self, call: Call) -> None:
        """On the desk of who has it now, and on no other."""
        key = (call.pbx, call.call_id)
        owner = call.user_id if call.state is not CallState.ENDED else None
        before = self._owner.pop(key, None)
        if before is not None and before != owner:
            self._calls[before].pop(key, None)
        if owner is not None:
            self._owner[key] = owner
            self._calls[owner][key] = call
