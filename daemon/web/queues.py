"""`/api/v1/queues` and `/api/v1/hotlines`: what an admin set for a queue or a company number."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from daemon.policy.call_settings import AnswerWithinSeconds, Percent, QueueSettings
from daemon.store.hotlines import HOTLINE, Hotline, delete_hotline, put_hotline, read_hotline, read_hotlines
from daemon.store.queues import QUEUE, delete_queue, put_queue, read_queue, read_queue_page
from daemon.web.body import json_object, validated
from daemon.web.if_match import change_seen, etag
from daemon.web.listing import json_response, page_response
from daemon.web.only_new import put
from daemon.web.problem import not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services
from daemon.web.texts import Label, Ringtone

QUEUE_LIMIT: Final = 128
HOTLINE_LIMIT: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueForm:
    """The body of a PUT. What is left out is back to its default."""

    create_tickets: bool = True
    ringtone: Ringtone | None = None
    sla_target_percent: Percent | None = None
    sla_answer_within_seconds: AnswerWithinSeconds | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HotlineForm:
    label: Label = ""
    ringtone: Ringtone | None = None


_QUEUE: Final = TypeAdapter(QueueForm)
_HOTLINE: Final = TypeAdapter(HotlineForm)


async def list_queues(request: web.Request) -> web.Response:
    query = Query(request, ("cursor", "limit"))
    limit, after = query.limit(), query.cursor(str)
    found = await read_queue_page(services(request).reads, str(after[0]) if after else "", limit + 1)
    return page_response(found, limit, lambda item: _queue_json(*item), lambda item: [item[0]])


async def get_queue(request: web.Request) -> web.Response:
    Query(request, ())
    name = path_part(request, "name", QUEUE_LIMIT)
    queue = await read_queue(services(request).reads, name)
    if queue is None:
        raise not_found("configured queue")
    return json_response(_queue_json(name, queue), headers=etag(asdict(queue)))


async def replace_queue(request: web.Request) -> web.Response:
    Query(request, ())
    parts, name = services(request), path_part(request, "name", QUEUE_LIMIT)
    queue = QueueSettings(**asdict(validated(_QUEUE, await json_object(request))))
    created = await put(request, QUEUE, "name", name, lambda: put_queue(name, queue))
    await parts.rules_changed()
    return json_response(_queue_json(name, queue), 201 if created else 200, etag(asdict(queue)))


async def remove_queue(request: web.Request) -> web.Response:
    Query(request, ())
    parts, name = services(request), path_part(request, "name", QUEUE_LIMIT)
    if not await change_seen(request, QUEUE, name, lambda: delete_queue(name)):
        raise not_found("configured queue")
    await parts.rules_changed()
    return web.Response(status=204)


async def list_hotlines(request: web.Request) -> web.Response:
    query = Query(request, ("cursor", "limit"))
    limit, after = query.limit(), query.cursor(str)
    found = await read_hotlines(services(request).reads, str(after[0]) if after else "", limit + 1)
    return page_response(found, limit, Hotline.as_json, lambda hotline: [hotline.number])


async def get_hotline(request: web.Request) -> web.Response:
    Query(request, ())
    hotline = await read_hotline(services(request).reads, path_part(request, "number", HOTLINE_LIMIT))
    if hotline is None:
        raise not_found("hotline")
    return json_response(hotline.as_json(), headers=etag(hotline.facts()))


async def replace_hotline(request: web.Request) -> web.Response:
    Query(request, ())
    parts, number = services(request), path_part(request, "number", HOTLINE_LIMIT)
    hotline = Hotline(number=number, **asdict(validated(_HOTLINE, await json_object(request))))
    created = await put(request, HOTLINE, "number", number, lambda: put_hotline(hotline))
    await parts.rules_changed()
    return json_response(hotline.as_json(), 201 if created else 200, etag(hotline.facts()))


async def remove_hotline(request: web.Request) -> web.Response:
    Query(request, ())
    parts, number = services(request), path_part(request, "number", HOTLINE_LIMIT)
    if not await change_seen(request, HOTLINE, number, lambda: delete_hotline(number)):
        raise not_found("hotline")
    await parts.rules_changed()
    return web.Response(status=204)


def _queue_json(name: str, queue: QueueSettings) -> dict[str, object]:
    return {"name": name, **asdict(queue)}
