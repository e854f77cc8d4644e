"""`/api/v1/doctor`: what is wrong with this installation; `/api/v1/calls/{call_id}/decisions`: why a call went so."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from aiohttp import web

from daemon.diagnosis import Area, Story, report_json
from daemon.web.calls import CALL_ID_LIMIT
from daemon.web.listing import json_response
from daemon.web.pbx import say_to
from daemon.web.problem import not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services

_GROUP: Final = "group"


async def get_findings(request: web.Request) -> web.Response:
    findings = await services(request).doctor.examine(groups_of(Query(request, (_GROUP,))))
    return json_response(report_json(findings, say_to(request)))


def groups_of(query: Query) -> Collection[Area]:
    """The one that is asked for, or all."""
    wanted = query.choice(_GROUP, Area)
    return tuple(Area) if wanted is None else (Area(wanted),)


async def get_decisions(request: web.Request) -> web.Response:
    say = say_to(request)
    return json_response({"items": [story.as_json(say) for story in await stories_of(request)], "next": None})


async def stories_of(request: web.Request) -> Sequence[Story]:
    """One of each PBX that had a call with this id; `pbx` chooses."""
    pbx = Query(request, ("pbx",)).text("pbx")
    stories = await services(request).doctor.stories(path_part(request, "call_id", CALL_ID_LIMIT), pbx)
    if not stories:
        raise not_found("call")
    return stories
