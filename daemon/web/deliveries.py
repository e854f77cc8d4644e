"""`/api/v1/deliveries`: what was sent to whom, every attempt, and sending it again."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from daemon.store.delivery_pages import (
    DeliveryFilter,
    delivery_json,
    delivery_place,
    read_attempts,
    read_deliveries,
    read_delivery,
)
from daemon.store.values import DeliveryStatus
from daemon.store.work import Row
from daemon.web.caller import by
from daemon.web.listing import json_response, page_response
from daemon.web.problem import not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services

_ID_LIMIT: Final = 64
_TEXTS: Final = ("webhook_id", "event_type", "call_id")


async def list_deliveries(request: web.Request) -> web.Response:
    """`webhook_id=` (empty) chooses the popups."""
    query = Query(request, (*_TEXTS, "status", "cursor", "limit"))
    limit, after = query.limit(), query.cursor(int, str)
    wanted = DeliveryFilter(
        status=query.choice("status", DeliveryStatus),
        webhook_id=query.text("webhook_id"),
        event_type=query.text("event_type"),
        call_id=query.text("call_id"),
    )
    found = await read_deliveries(services(request).reads, wanted, limit + 1, after)
    return page_response(found, limit, delivery_json, delivery_place)


async def get_delivery(request: web.Request) -> web.Response:
    Query(request, ())
    return await _answer(request, await _existing(request))


async def replay_delivery(request: web.Request) -> web.Response:
    """Pending again, under the same id: the receiver can tell that it is the same message."""
    Query(request, ())
    row = await _existing(request)
    if not await services(request).replay(row["delivery_id"], by(request)):
        raise not_found("delivery")
    return await _answer(request, await _existing(request), 202)


async def _existing(request: web.Request) -> Row:
    row = await read_delivery(services(request).reads, path_part(request, "delivery_id", _ID_LIMIT))
    if row is None:
        raise not_found("delivery")
    return row


async def _answer(request: web.Request, row: Row, status: int = 200) -> web.Response:
    attempts = await read_attempts(services(request).reads, row["delivery_id"])
    return json_response({**delivery_json(row), "attempts": attempts}, status)
