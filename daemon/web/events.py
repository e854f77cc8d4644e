"""`/api/v1/events`: Server-Sent Events. A listener that stops reading is dropped; it never holds anything up."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from daemon.policy.decision import EventType
from daemon.web.feed import RESET, EventFeed
from daemon.web.problem import FieldError, Problem, invalid
from daemon.web.query import Query, unusable
from daemon.web.services import services

KEEP_ALIVE_S: Final = 15.0
SEND_TIMEOUT_S: Final = 10.0
_LISTENERS_LIMIT: Final = 500
_RETRY_MS: Final = 3000


async def stream_events(request: web.Request) -> web.StreamResponse:
    """`types=call.answered,ticket.created` chooses; `Last-Event-ID` goes on where a broken connection ended."""
    types = _types(Query(request, ("types",)).text("types"))
    last_id = request.headers.get("Last-Event-ID") or None
    if last_id is not None and unusable(last_id, 64):
        raise invalid([FieldError("Last-Event-ID", "is not an id of these events")])
    feed = services(request).feed
    if feed.listeners >= _LISTENERS_LIMIT:
        raise Problem(503, "too many listen already", headers={"Retry-After": "30"})
    async with sse_response(request, ping_interval=KEEP_ALIVE_S, send_timeout=SEND_TIMEOUT_S) as response:
        await response.send("{}", event="hello", id=last_id or feed.last_id, retry=_RETRY_MS)
        await _copy(feed, last_id, types, response)
    return response


async def _copy(feed: EventFeed, last_id: str | None, types: frozenset[str], response: EventSourceResponse) -> None:
    """Until the feed closes, the listener goes, or it fell so far behind that events were lost to it."""
    copying = asyncio.current_task()
    assert copying is not None
    try:
        async for event in feed.listen(last_id, types):
            if not response.is_connected():
                return
            await response.send(event.data, id=event.event_id, event=event.event_type)
    except (ConnectionError, TimeoutError):
        return  # gone, or reading so slowly that it is let go


def _types(text: str | None) -> frozenset[str]:
    if text is None:
        return frozenset()
    chosen = frozenset(text.split(","))
    known = {event.value for event in EventType} | {"screen.pop"}
    if unknown := sorted(chosen - known):
        raise invalid([FieldError("types", f"{unknown[0][:40]!r} is no event; there are {', '.join(sorted(known))}")])
    return chosen | {RESET}
