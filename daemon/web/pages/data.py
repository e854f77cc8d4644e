"""`/settings/data`: how long what is kept, and what tonight would go by what is typed."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from daemon.message import Message
from daemon.store.retention import Keeping
from daemon.store.settings import read_settings, settings_json
from daemon.web.page import show, words
from daemon.web.query import Query
from daemon.web.retention import NAMES, doomed
from daemon.web.services import services

LABELS: Final = {
    Keeping.CALLS: Message("Calls"),
    Keeping.TICKETS: Message("Closed tickets"),
    Keeping.NOTES: Message("Notes of closed tickets"),
    Keeping.DELIVERIES: Message("Deliveries"),
}
_MEANS: Final = {
    Keeping.CALLS: Message(
        "With their popups and agents' pauses. Calls of tickets that are not closed stay. "
        "Figures of those days go with them."
    ),
    Keeping.TICKETS: Message(
        "With their notes and history, so long after their last change. Their calls stay for their own time."
    ),
    Keeping.NOTES: Message("The ticket stays, what was written about the customer goes."),
    Keeping.DELIVERIES: Message("What was sent to webhooks, with the answers. What is not delivered yet stays."),
}


async def show_data(request: web.Request) -> web.Response:
    """With periods in the address: what those would delete, which is how the page looks ahead."""
    parts, query, _ = services(request), Query(request, NAMES), words(request)
    stored = await read_settings(parts.reads)
    asked = {name: text for name in NAMES if (text := query.text(name)) is not None}
    return await show(
        request,
        "data.html",
        kept=settings_json(stored.settings),
        version=stored.version,
        kinds=[(f"retention_days_{kind}", _(label), _(_MEANS[kind])) for kind, label in LABELS.items()],
        doomed=[(one, _(LABELS[one.period.kind])) for one in await doomed(parts, asked)],
    )
