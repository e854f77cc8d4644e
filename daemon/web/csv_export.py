"""`GET /api/v1/{agents,queues,hotlines}.csv`: all of them as a file for a spreadsheet, ready to be imported again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from daemon.message import Message
from daemon.store.accounts import read_owners
from daemon.store.audit import FactsByKey
from daemon.web.csv_file import DELIMITERS, write_sheet
from daemon.web.csv_kinds import AGENTS, HOTLINES, QUEUES, Kind
from daemon.web.problem import FieldError, invalid
from daemon.web.query import Query
from daemon.web.services import services

_NOBODY: Final[Mapping[str, str]] = {}


async def export_agents(request: web.Request) -> web.Response:
    return await _export(request, AGENTS, await read_owners(services(request).reads))


async def export_queues(request: web.Request) -> web.Response:
    return await _export(request, QUEUES)


async def export_hotlines(request: web.Request) -> web.Response:
    return await _export(request, HOTLINES)


async def _export(request: web.Request, kind: Kind, accounts: Mapping[str, str] = _NOBODY) -> web.Response:
    """`delimiter=semicolon` for an Excel whose Windows writes numbers with a comma."""
    delimiter = Query(request, ("delimiter",)).text("delimiter") or "comma"
    if delimiter not in DELIMITERS:
        names = ", ".join(DELIMITERS)
        raise invalid([FieldError("delimiter", Message("must be one of {names}", names=names))])
    found = await kind.read(services(request).reads)
    body = await asyncio.to_thread(_sheet, kind, found, accounts, DELIMITERS[delimiter])
    headers = {"Content-Disposition": f'attachment; filename="{kind.name}.csv"'}
    return web.Response(body=body, content_type="text/csv", charset="utf-8", headers=headers)


def _sheet(kind: Kind, found: FactsByKey, accounts: Mapping[str, str], delimiter: str) -> bytes:
    rows = [
        [
            key,
            *(column.show(facts[column.name]) for column in kind.columns),
            *(accounts.get(key, "") for _ in kind.read_only),
        ]
        for key, facts in found.items()
    ]
    return write_sheet(kind.names, rows, delimiter)
