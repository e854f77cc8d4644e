"""`/settings/tokens`: the keys of programs. A token itself is shown once, by the browser that made it."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from aiohttp import web

from daemon.store.role import Role
from daemon.store.tokens import read_tokens
from daemon.web.page import show, words
from daemon.web.pages.filters import ROWS, cursor, older
from daemon.web.services import services
from daemon.web.vocabulary import ROLES, ROLES_MEAN

_PATH: Final = "/settings/tokens"


async def show_tokens(request: web.Request) -> web.Response:
    parts, _, place = services(request), words(request), cursor(request, int, str)
    found = await read_tokens(parts.reads, ROWS + 1, place)
    shown = found[:ROWS]
    return await show(
        request,
        "tokens.html",
        tokens=[
            {
                "token": one,
                "name": one.label or one.token_id,
                "role": _(ROLES[one.role]),
                "key": quote(one.token_id, safe=""),
            }
            for one in shown
        ],
        roles=[(role.value, _(ROLES[role]), _(ROLES_MEAN[role])) for role in reversed(Role)],
        older=older(_PATH, {}, shown[-1].place()) if len(found) > ROWS else None,
        newest=_PATH if place else None,
    )
