"""`/api/v1/events`: Server-Sent Events. A listener that stops reading is dropped; it never holds anything up."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import aclosing, suppress
from typing import Any, Final

from aiohttp import web
from aiohttp_sse import EventSourceResponse, sse_response

from daemon.message import Message
from daemon.policy.decision import EventType
from daemon.web.auth import until_refused
from daemon.web.caller import caller
from daemon.web.feed import PROGRESS, FeedEvent
from daemon.web.problem import FieldError, Problem, invalid
from daemon.web.query import Query, unusable
from daemon.web.services import services

KEEP_ALIVE_S: Final = 15.0
SEND_TIMEOUT_S: Final = 10.0
_TYPES: Final = frozenset(
    {
        *EventType,
        "agent.connected",
        "agent.hold",
        "agent.phone_keys",
        "agent.ringing",
        "agent.ringing_ended",
        "agent.state",
        "click_to_call.failed",
        "customer.known",
        "popup",
        "ticket.changed",
    }
)
"""What `live_feed` publishes: the webhooks' events, and those that only a desk needs."""

Job = Callable[[EventSourceResponse], Coroutine[Any, Any, None]]

_LISTENERS_LIMIT: Final = 4_000  # a thousand desks, and their tabs
_EACH_LIMIT: Final = 50  # of one account or token: nobody alone takes the desks of all
_RETRY_MS: Final = 3000

LISTENING: Final = web.AppKey("listening", Counter[str])


async def stream_events(request: web.Request) -> web.StreamResponse:
    """`types=call.answered,ticket.created` chooses; `Last-Event-ID` goes on where a broken connection ended."""
    types = _types(Query(request, ("types",)).text("types"))
    return await stream(request, last_event_id(request), types)


def last_event_id(request: web.Request) -> str | None:
    """What a browser sends by itself when it connects again."""
    last_id = request.headers.get("Last-Event-ID") or None
    if last_id is not None and unusable(last_id, 64):
        raise invalid([FieldError("Last-Event-ID", Message("is not an id of these events"))])
    return last_id


async def stream(
    request: web.Request,
    last_id: str | None,
    types: frozenset[str],
    user_id: str | None = None,
    *,
    beat_s: float | None = None,
) -> web.StreamResponse:
    """Until the listener leaves, loses the right to it, or the server stops. `beat_s`: so often a `beat` is sent."""
    feed, who, listening = services(request).feed, caller(request).name, request.app[LISTENING]
    if feed.listeners >= _LISTENERS_LIMIT or listening[who] >= _EACH_LIMIT:
        raise Problem(503, Message("too many listen already"), headers={"Retry-After": "30"})
    listening[who] += 1
    try:
        return await _stream(request, last_id or feed.last_id, types, user_id, beat_s)
    finally:
        listening -= Counter({who: 1})  # forgets who has none


async def _stream(
    request: web.Request, begin: str, types: frozenset[str], user_id: str | None, beat_s: float | None
) -> web.StreamResponse:
    feed = services(request).feed
    jobs: list[Job] = [
        lambda response: _copy(feed.listen(begin, types, user_id), response),
        lambda _: until_refused(request),
    ]
    if beat_s is not None:
        jobs.append(lambda response: _beat(response, beat_s))
    return await attend(request, _id_line(begin, f"retry: {_RETRY_MS}\n"), *jobs)


async def attend(request: web.Request, first: bytes, *jobs: Job) -> web.StreamResponse:
    """A stream that begins with `first` and lasts until a job ends or the listener is gone."""
    async with sse_response(request, ping_interval=KEEP_ALIVE_S, send_timeout=SEND_TIMEOUT_S) as response:
        await response.write(first)
        # Its pings notice a listener who is gone.
        tasks = [asyncio.create_task(each) for each in (response.wait(), *(job(response) for job in jobs))]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    return response


async def _copy(listening: AsyncGenerator[FeedEvent], response: EventSourceResponse) -> None:
    """Until the feed closes, or the listener is gone or reads so slowly that it is let go."""
    try:
        async with aclosing(listening) as events:
            async for event in events:
                if event.event_type == PROGRESS:
                    await response.write(_id_line(event.event_id))
                else:
                    await response.send(event.data, id=event.event_id, event=event.event_type)
    except (ConnectionError, TimeoutError, RuntimeError):
        return  # RuntimeError: aiohttp, when the response was ended meanwhile


async def _beat(response: EventSourceResponse, every_s: float) -> None:
    with suppress(ConnectionError, TimeoutError, RuntimeError):
        while True:
            await asyncio.sleep(every_s)
            await response.send("{}", event="beat")


def _id_line(event_id: str, more: str = "") -> bytes:
    """Moves the listener's last id without an event: one without data is not dispatched (HTML §9.2.6)."""
    return f"{more}id: {event_id}\n\n".encode()


def _types(text: str | None) -> frozenset[str]:
    if text is None:
        return frozenset()
    chosen = frozenset(text.split(","))
    if unknown := sorted(chosen - _TYPES):
        raise invalid([FieldError("types", f"{unknown[0][:40]!r} is no event; there are {', '.join(sorted(_TYPES))}")])
    return chosen
