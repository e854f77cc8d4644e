"""`POST /api/v1/{agents,queues,hotlines}/import`: a CSV file looked at first (`preview`), then put in all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from aiohttp import web

from daemon.message import Message
from daemon.store.audit import By, FactsByKey
from daemon.store.bulk import prepare_puts
from daemon.store.ringtone_choice import UnknownRingtone, read_ringtone_names
from daemon.store.trouble import Conflict
from daemon.store.work import Work
from daemon.web.body import BODY_LIMIT
from daemon.web.caller import by, caller
from daemon.web.csv_file import Sheet, read_sheet
from daemon.web.csv_kinds import AGENTS, HOTLINES, QUEUES, Kind
from daemon.web.csv_plan import Plan, make_plan
from daemon.web.deadline import committed
from daemon.web.listing import json_response
from daemon.web.page import language_of
from daemon.web.problem import FieldError, Problem, invalid
from daemon.web.query import Query
from daemon.web.services import services
from daemon.web.words import Translate, translator

_TYPES: Final = frozenset({"text/csv", "text/tab-separated-values", "application/csv", "application/vnd.ms-excel"})
_CHARSETS: Final = frozenset({"utf-8", "utf8", "us-ascii", "utf-16", "utf-16le", "utf-16be"})
_ATTEMPTS: Final = 5
_ERRORS: Final = 100


async def import_agents(request: web.Request) -> web.Response:
    return await _import(request, AGENTS)


async def import_queues(request: web.Request) -> web.Response:
    return await _import(request, QUEUES)


async def import_hotlines(request: web.Request) -> web.Response:
    return await _import(request, HOTLINES)


async def _import(request: web.Request, kind: Kind) -> web.Response:
    """Only `preview=false` changes anything; with `If-Match` only if it comes to what the preview of that ETag said."""
    preview = _preview(Query(request, ("preview",)))
    raw = await _body(request)
    sheet = await asyncio.to_thread(read_sheet, raw, kind.names, kind.key)  # seconds of a large file, not of the calls
    plan = await (_plan(request, kind, sheet) if preview else _apply(request, kind, sheet))
    shown = await asyncio.to_thread(_shown, kind, sheet, plan, preview=preview, translate=_translate(request))
    return await asyncio.to_thread(json_response, shown, headers={"ETag": f'"{plan.version}"'})


async def _plan(request: web.Request, kind: Kind, sheet: Sheet) -> Plan:
    present, ringtones = await _present(request, kind)
    return await asyncio.to_thread(make_plan, kind, sheet, present, ringtones)


async def _apply(request: web.Request, kind: Kind, sheet: Sheet) -> Plan:
    parts, who, expected = services(request), by(request), request.headers.get("If-Match", "*").strip()
    for _ in range(_ATTEMPTS):
        present, ringtones = await _present(request, kind)
        plan = await asyncio.to_thread(make_plan, kind, sheet, present, ringtones)
        if expected not in ("*", f'"{plan.version}"'):
            raise Problem(412, Message("this is no longer what the preview said; look at a new one"))
        if errors := plan.errors():
            raise invalid(errors[:_ERRORS])
        if not plan.puts:
            return plan
        work = await asyncio.to_thread(_puts, who, kind, present, plan)
        with suppress(UnknownRingtone, Conflict):  # deleted, or given to another, since it was looked at
            if await parts.writes.change(work):
                committed(request)
                await parts.rules_changed()
                return plan
    raise Problem(409, Message("somebody else is changing these too; nothing was changed, try again"))


async def _present(request: web.Request, kind: Kind) -> tuple[FactsByKey, frozenset[str]]:
    reads = services(request).reads
    return await kind.read(reads), await read_ringtone_names(reads)


def _puts(who: By, kind: Kind, present: FactsByKey, plan: Plan) -> Callable[[], Work[bool]]:
    changed = [(key, present.get(key), facts) for key, facts in plan.puts.items()]
    return prepare_puts(who, kind.subject, changed, kind.facts_of, kind.queries)


def _preview(query: Query) -> bool:
    value = query.text("preview") or "true"
    if value not in ("true", "false"):
        raise invalid([FieldError("preview", Message("must be true or false"))])
    return value == "true"


async def _body(request: web.Request) -> bytes:
    if request.content_type not in _TYPES or (request.charset or "utf-8").lower() not in _CHARSETS:
        raise Problem(415, Message("send text/csv in UTF-8"), headers={"Accept": "text/csv"})
    raw = await request.read()
    assert len(raw) <= BODY_LIMIT, "the server limits every body"
    return raw


def _translate(request: web.Request) -> Translate:
    """Programs always get the same words."""
    return translator(language_of(request) if caller(request).account else "en")


def _shown(kind: Kind, sheet: Sheet, plan: Plan, *, preview: bool, translate: Translate) -> dict[str, object]:
    return {
        "preview": preview,
        "version": plan.version,
        "columns": [name for name in sheet.columns if name not in kind.read_only],
        "ignored_columns": [name for name in sheet.columns if name in kind.read_only],
        "totals": plan.totals,
        "rows": [row.as_json(translate) for row in plan.rows],
    }
