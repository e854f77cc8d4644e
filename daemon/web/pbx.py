"""`/api/v1/pbx`: how each PBX is, what to paste into it, and whether what was pasted works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from aiohttp import web

from daemon.call.rendering import iso_utc
from daemon.message import translated
from daemon.pbx import CatchUpState, Finding, PbxState, Snippet
from daemon.web.caller import caller
from daemon.web.listing import json_response
from daemon.web.page import words
from daemon.web.problem import not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services

PBX_LIMIT: Final = 64
Say = Callable[[object], object]


async def list_pbxs(request: web.Request) -> web.Response:
    Query(request, ())
    say = say_to(request)
    return json_response(
        {"items": [_state_json(state, say) for state in services(request).pbxs.states()], "next": None}
    )


async def get_pbx(request: web.Request) -> web.Response:
    Query(request, ())
    state = services(request).pbxs.state(path_part(request, "name", PBX_LIMIT))
    if state is None:
        raise not_found("PBX")
    return json_response(_state_json(state, say_to(request)))


async def get_stanzas(request: web.Request) -> web.Response:
    Query(request, ())
    snippets = await services(request).pbxs.snippets(path_part(request, "name", PBX_LIMIT))
    if snippets is None:
        raise not_found("PBX")
    say = say_to(request)
    return json_response({"items": [_snippet_json(snippet, say) for snippet in snippets], "next": None})


async def check_pbx(request: web.Request) -> web.Response:
    Query(request, ())
    findings = await services(request).pbxs.check(path_part(request, "name", PBX_LIMIT))
    if findings is None:
        raise not_found("PBX")
    say = say_to(request)
    return json_response({"items": [_finding_json(finding, say) for finding in findings], "next": None})


def say_to(request: web.Request) -> Say:
    """Turns a Message into the language of whoever is signed in; a program gets English."""
    if caller(request).session is None:
        return lambda value: value
    translate = words(request)
    return lambda value: translated(value, translate)


def _state_json(state: PbxState, say: Say) -> dict[str, object]:
    return {
        "name": state.name,
        "kind": state.kind,
        "host": state.host,
        "port": state.port,
        "state": state.state,
        "connected_since": iso_utc(state.connected_since),
        "version": state.version,
        "events_per_second": state.events_per_second,
        "events_per_second_minute": state.events_per_second_minute,
        "last_error": say(state.last_error),
        "last_error_at": iso_utc(state.last_error_at),
        "catch_up": _catch_up_json(state.catch_up, say) if state.catch_up else None,
        "counters": dict(state.counters),
    }


def _catch_up_json(catch_up: CatchUpState, say: Say) -> dict[str, object]:
    return {
        "from": iso_utc(catch_up.since),
        "to": iso_utc(catch_up.until),
        "running": catch_up.running,
        "calls": catch_up.calls,
        "broken_rows": catch_up.broken,
        "error": say(catch_up.error),
    }


def _snippet_json(snippet: Snippet, say: Say) -> dict[str, object]:
    return {
        "file": snippet.file,
        "purpose": say(snippet.purpose),
        "text": snippet.text,
        "reload": snippet.reload,
    }


def _finding_json(finding: Finding, say: Say) -> dict[str, object]:
    return {"name": finding.name, "ok": finding.ok, "words": say(finding.words), "fix": say(finding.fix)}
