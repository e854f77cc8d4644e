"""`/api/v1/tokens`: the keys of programs. A token is in the answer that made it and in no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from daemon.store.role import Role
from daemon.store.tokens import TOKEN, Token, add_token, new_token, read_tokens, revoke_token, token_id_of
from daemon.web.audit import change
from daemon.web.auth import REVOCATIONS
from daemon.web.body import json_object, validated
from daemon.web.caller import Caller, caller
from daemon.web.listing import json_response, page_response
from daemon.web.problem import not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services
from daemon.web.texts import Label

_ID_LIMIT: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenForm:
    role: Role
    label: Label = ""


_FORM: Final = TypeAdapter(TokenForm)


async def list_tokens(request: web.Request) -> web.Response:
    """Newest first, the revoked ones too."""
    query = Query(request, ("cursor", "limit"))
    limit, after = query.limit(), query.cursor(int, str)
    found = await read_tokens(services(request).reads, limit + 1, after)
    return page_response(found, limit, Token.as_json, Token.place)


async def create_token(request: web.Request) -> web.Response:
    """201 with the token, this once."""
    Query(request, ())
    form, now, token = validated(_FORM, await json_object(request)), services(request).clock(), new_token()
    token_id, maker = token_id_of(token), _answerable(caller(request))
    await change(request, TOKEN, token_id, lambda: add_token(token, form.role, form.label, now, maker))
    made = Token(
        token_id=token_id,
        role=form.role,
        label=form.label,
        created_at=now,
        last_used_at=None,
        revoked_at=None,
        created_by=maker,
    )
    return json_response({**made.as_json(), "token": token}, 201)


def _answerable(who: Caller) -> str:
    """For a token that a token makes, whoever made that one: or else it would be nobody's."""
    return (who.token and who.token.created_by) or who.name


async def remove_token(request: web.Request) -> web.Response:
    """Revoked: it opens nothing from the next request on, and streams it opened end."""
    Query(request, ())
    token_id, now = path_part(request, "token_id", _ID_LIMIT), services(request).clock()
    if not await change(request, TOKEN, token_id, lambda: revoke_token(token_id, now)):
        raise not_found("live token")
    request.app[REVOCATIONS].happened()
    return web.Response(status=204)
