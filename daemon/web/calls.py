"""`/api/v1/calls`: what was called, newest first."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from daemon.call.model import CallState, Direction, Outcome
from daemon.store.call_pages import CallEntry, find_call, read_calls
from daemon.store.call_search import CallFilter
from daemon.web.listing import json_response, page_response
from daemon.web.problem import Problem, not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services

_CALL_ID_LIMIT: Final = 150
_TEXTS: Final = ("pbx", "queue", "hotline", "user_id", "customer_number")
_PARAMETERS: Final = (*_TEXTS, "direction", "state", "outcome", "from", "to", "cursor", "limit")


async def list_calls(request: web.Request) -> web.Response:
    """`from` counts in, `to` does not; both are about `started_at`."""
    query = Query(request, _PARAMETERS)
    limit, after = query.limit(), query.cursor(int, str, str)
    wanted = CallFilter(
        **{name: query.text(name) for name in _TEXTS},
        direction=query.choice("direction", Direction),
        state=query.choice("state", CallState),
        outcome=query.choice("outcome", Outcome),
        started_from=query.time("from"),
        started_before=query.time("to"),
    )
    found = await read_calls(services(request).reads, wanted, limit + 1, after)
    return page_response(found, limit, CallEntry.as_json, CallEntry.place)


async def get_call(request: web.Request) -> web.Response:
    """`pbx` chooses when several PBXs drew the same id."""
    pbx = Query(request, ("pbx",)).text("pbx")
    found = await find_call(services(request).reads, path_part(request, "call_id", _CALL_ID_LIMIT))
    found = [entry for entry in found if pbx is None or entry.call.pbx == pbx]
    if not found:
        raise not_found("call")
    if len(found) > 1:
        names = [entry.call.pbx for entry in found]
        raise Problem(409, "several PBXs have a call with this id; add ?pbx=", pbxs=names)
    return json_response(found[0].as_json())
