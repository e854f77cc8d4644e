"""What happens now, for whoever listens: a bounded ring of events with ids. It never waits for a listener.

A listener has a place in the ring, no queue of its own; one that falls out of the ring is told so (`reset`).
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Collection, Mapping
from dataclasses import dataclass
from typing import Final

RESET: Final = "reset"
"""The event that says: something was missed, read the lists again."""

PROGRESS: Final = "progress"
_PROGRESS_EVERY: Final = 256


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """`event_id` is what a listener sends back to go on from here; `data` is one line of JSON.

    `users` are the agents whom it concerns; None: everybody.
    """

    event_id: str
    event_type: str
    data: str
    users: frozenset[str] | None = None

    def concerns(self, user_id: str | None) -> bool:
        """None is a listener who sees everything."""
        return user_id is None or self.users is None or user_id in self.users


class EventFeed:
    """The last `capacity` events. Ids begin with a name drawn at start, so ids of an earlier run are recognised."""

    def __init__(self, capacity: int = 2048, run: str | None = None) -> None:
        self.listeners = 0
        self.desks = 0  # those of them that listen for one agent
        self._ring: deque[FeedEvent] = deque(maxlen=capacity)
        self._run = run or secrets.token_hex(4)
        self._count = 0
        self._closed = False
        self._news = asyncio.Event()

    @property
    def last_id(self) -> str:
        """The id of the newest event; one with the number 0 before there is any."""
        return self._id(self._count)

    def publish(self, event_type: str, data: Mapping[str, object], users: frozenset[str] | None = None) -> None:
        """Callable from the event loop only; costs the same however many listen."""
        self._count += 1
        text = json.dumps(data, separators=(",", ":"))  # ASCII: no line end, no broken surrogate gets out
        self._ring.append(FeedEvent(self.last_id, event_type, text, users))
        self._wake()

    def close(self) -> None:
        """Ends every listener; the server is stopping."""
        self._closed = True
        self._wake()

    async def listen(
        self, last_id: str | None, types: Collection[str] = (), user_id: str | None = None
    ) -> AsyncGenerator[FeedEvent]:
        """Events after `last_id` (None: from now on) of these types (none: all), until the feed closes.

        With a `user_id` only those that concern this agent.

        Yields `reset` when events in between are gone: the id is of another run or fell out of the ring. Yields
        `progress` now and then while only events of other types pass, so that the listener's id does not grow old.
        """
        place = self._count if last_id is None else self._place_of(last_id)
        self.listeners += 1
        self.desks += user_id is not None
        try:
            while not self._closed:
                if place is None or place < self._count - len(self._ring):
                    place = self._count
                    yield FeedEvent(self._id(place), RESET, '{"reason":"events were missed"}')
                elif place == self._count:
                    await self._news.wait()
                else:
                    event = self._ring[place - self._count]
                    place += 1
                    if event.concerns(user_id) and (not types or event.event_type in types):
                        yield event
                    elif place % _PROGRESS_EVERY == 0:
                        yield FeedEvent(event.event_id, PROGRESS, "")
        finally:
            self.listeners -= 1
            self.desks -= user_id is not None

    def _place_of(self, last_id: str) -> int | None:
        run, _, count = last_id.rpartition("-")
        if run != self._run or not count.isascii() or not count.isdigit() or len(count) > 18:
            return None
        return int(count) if int(count) <= self._count else None

    def _id(self, count: int) -> str:
        return f"{self._run}-{count}"

    def _wake(self) -> None:
        """Everybody who waits now is woken; who comes later waits for the next event."""
        self._news.set()
        self._news = asyncio.Event()
