"""`/api/v1/session`: who am I, and in which language. It also tells a session the token that its changes must carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from daemon.message import Message
from daemon.store.accounts import ACCOUNT, Language, change_account
from daemon.web.audit import change
from daemon.web.body import json_object, validated
from daemon.web.caller import by, caller
from daemon.web.cookies import session_cookie
from daemon.web.csrf import csrf_token
from daemon.web.listing import json_response
from daemon.web.problem import Problem
from daemon.web.query import Query


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionForm:
    """The body of a PATCH: what a person may change of his own account."""

    language: Language


_FORM: Final = TypeAdapter(SessionForm)


async def patch_session(request: web.Request) -> web.Response:
    """Only a session: a token has no language."""
    Query(request, ())
    if (account := caller(request).account) is None:
        raise Problem(409, Message("a token has no language; sign in"))
    values = {"language": validated(_FORM, await json_object(request)).language}
    who = by(request)
    await change(request, ACCOUNT, account.name, lambda: change_account(account.name, values, who))
    return json_response(values)


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
