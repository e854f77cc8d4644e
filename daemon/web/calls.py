"""`/api/v1/calls`: what was called, newest first."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from daemon.store.call_pages import CallEntry, find_call, read_page
from daemon.store.settings import read_settings
from daemon.web.call_query import FILTERS, timed_call_filter
from daemon.web.listing import json_response
from daemon.web.problem import Problem, not_found
from daemon.web.query import Query, pack, path_part
from daemon.web.services import services
from daemon.web.tickets import own_user_id

CALL_ID_LIMIT: Final = 150
_PARAMETERS: Final = (*FILTERS, "from", "to", "cursor", "limit")


async def list_calls(request: web.Request) -> web.Response:
    """`from` counts in, `to` does not; both are about `started_at`."""
    query, reads = Query(request, _PARAMETERS), services(request).reads
    limit, after = query.limit(), query.cursor(int, str, str)
    wanted = timed_call_filter(query, own_user_id(request), (await read_settings(reads)).settings.country)
    page = await read_page(reads, wanted, limit, after)
    following = pack(page.following) if page.following is not None else None
    return json_response({"items": [entry.as_json() for entry in page.entries], "next": following})


async def get_call(request: web.Request) -> web.Response:
    """`pbx` chooses when several PBXs drew the same id."""
    entry = await asked_call(request, Query(request, ("pbx",)))
    return json_response(entry.as_json())


async def asked_call(request: web.Request, query: Query) -> CallEntry:
    """The one of the address; 404 where there is none, 409 where `pbx` must choose."""
    pbx = query.text("pbx")
    found = await find_call(services(request).reads, path_part(request, "call_id", CALL_ID_LIMIT))
    found = [entry for entry in found if pbx is None or entry.call.pbx == pbx]
    if not found:
        raise not_found("call")
    if len(found) > 1:
        names = [entry.call.pbx for entry in found]
        raise Problem(409, "several PBXs have a call with this id; add ?pbx=", pbxs=names)
    return found[0]
