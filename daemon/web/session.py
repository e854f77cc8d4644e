"""`/api/v1/session`: who am I. For a session it also tells the token that its changes must carry."""

from __future__ import annotations

from aiohttp import web

from daemon.web.caller import caller
from daemon.web.cookies import session_cookie
from daemon.web.csrf import csrf_token
from daemon.web.listing import json_response
from daemon.web.query import Query


async def get_session(request: web.Request) -> web.Response:
    """`user_id` and `language` are an account's, `csrf_token` a session's; of a bearer token they are null."""
    Query(request, ())
    known, cookie = caller(request), session_cookie(request)
    account = known.account
    return json_response(
        {
            "name": known.name,
            "role": known.role.value,
            "user_id": account and account.user_id,
            "language": account and account.language,
            "csrf_token": csrf_token(cookie) if account and cookie else None,
        }
    )
