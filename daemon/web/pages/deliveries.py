"""`/settings/deliveries`: every message that left or should have, newest first, and what came of each attempt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, quote, urlsplit

from aiohttp import web

from daemon.message import Message
from daemon.store.delivery_pages import (
    DeliveryFilter,
    delivery_place,
    read_attempt_rows,
    read_deliveries,
    read_delivery,
)
from daemon.store.outbox import POPUP
from daemon.store.values import DeliveryStatus
from daemon.store.work import Row
from daemon.web.page import show, words
from daemon.web.pages.filters import ROWS, address_of, cursor, filters, older
from daemon.web.pages.webhooks import page_of, read_names
from daemon.web.problem import not_found
from daemon.web.query import path_part
from daemon.web.services import services
from daemon.web.vocabulary import MESSAGES, REASONS, STATUSES
from daemon.web.words import Translate

_PATH: Final = "/settings/deliveries"
_ID_LIMIT: Final = 64
_FILTERS: Final = ("status", "webhook", "event", "call")
_FAILED: Final = "not-delivered"
_CHIPS: Final[Mapping[str | None, Message]] = {
    None: Message("All"),
    DeliveryStatus.PENDING.value: Message("Waiting"),
    DeliveryStatus.DELIVERED.value: Message("Delivered"),
    _FAILED: Message("Not delivered"),
}


async def show_deliveries(request: web.Request) -> web.Response:
    """`webhook=popup` chooses the popups, `status=not-delivered` what was given up or ran out of time."""
    parts, _, chosen = services(request), words(request), filters(request, _FILTERS)
    rows = await read_deliveries(parts.reads, _wanted(chosen), ROWS + 1, cursor(request, int, str))
    names = await read_names(parts.reads)
    shown = rows[:ROWS]
    return await show(
        request,
        "deliveries.html",
        deliveries=[summary(row, names, _) for row in shown],
        chips=[
            (address_of(_PATH, chosen, status=key), _(word), chosen.get("status") == key)
            for key, word in _CHIPS.items()
        ],
        chosen=chosen,
        webhooks=[(None, _("All targets")), (POPUP, _("Popups")), *_by_name(names)],
        events=[(None, _("All events")), *((str(key), _(word)) for key, word in MESSAGES.items())],
        older=older(_PATH, chosen, delivery_place(shown[-1])) if len(rows) > ROWS else None,
        newest=address_of(_PATH, chosen) if "cursor" in request.query else None,
    )


async def show_delivery(request: web.Request) -> web.Response:
    parts, _ = services(request), words(request)
    row = await read_delivery(parts.reads, path_part(request, "delivery_id", _ID_LIMIT))
    if row is None:
        raise not_found("delivery")
    names = await read_names(parts.reads)
    return await show(
        request,
        "delivery.html",
        row=row,
        **summary(row, names, _),
        key=quote(row["delivery_id"], safe=""),
        known=row["webhook_id"] in names,
        payload=_pretty(row["body"]),
        parameters=parse_qsl(urlsplit(row["url"]).query, keep_blank_values=True) if row["method"] == "GET" else [],
        same_call=address_of(_PATH, {"call": row["call_id"]}) if row["call_id"] else None,
        attempts=await read_attempt_rows(parts.reads, row["delivery_id"]),
    )


def _wanted(chosen: Mapping[str, str]) -> DeliveryFilter:
    status, webhook = chosen.get("status"), chosen.get("webhook")
    return DeliveryFilter(
        status=None if status == _FAILED else status,
        failed=status == _FAILED,
        webhook_id="" if webhook == POPUP else webhook,
        event_type=chosen.get("event"),
        call_id=chosen.get("call"),
    )


def summary(row: Row, names: Mapping[str, str], _: Translate) -> dict[str, Any]:
    """What the list and the page of one say alike."""
    word, colour = STATUSES.get(row["status"], (Message(row["status"]), ""))
    error = row["last_error"]
    return {
        "page": f"{_PATH}/{quote(row['delivery_id'], safe='')}",
        "event": _(MESSAGES[row["event_type"]]) if row["event_type"] in MESSAGES else row["event_type"],
        "created_at": row["created_at"],
        "target": _target(row, names, _),
        "target_page": page_of(row["webhook_id"]) if row["webhook_id"] else "/settings/calls",
        "state": _(word),
        "colour": colour,
        "why": (_(REASONS[error]) if error in REASONS else error) if error and colour != "good" else "",
        "attempts_made": row["attempt_count"],
        "next_at": row["next_attempt_at"] if row["status"] == DeliveryStatus.PENDING else None,
    }


def _target(row: Row, names: Mapping[str, str], _: Translate) -> str:
    if not row["webhook_id"]:
        return _("Popup for {agent}").format(agent=row["user_id"]) if row["user_id"] else _("Popup")
    known = names.get(row["webhook_id"])
    return known or _("{host} (webhook deleted)").format(host=urlsplit(row["url"]).netloc)


def _by_name(names: Mapping[str, str]) -> list[tuple[str, str]]:
    return sorted(names.items(), key=lambda pair: pair[1].casefold())


def _pretty(body: str) -> str:
    """JSON in lines, letters as letters; anything else as it is."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2) if body else ""
    except ValueError:
        return body
