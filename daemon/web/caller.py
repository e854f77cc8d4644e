"""Who asks: found from the request's token or session, and kept on the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aiohttp import web

from daemon.store.accounts import Account
from daemon.store.audit import By
from daemon.store.role import Role
from daemon.store.sessions import Session, find_session
from daemon.store.tokens import Token, find_token
from daemon.web.cookies import session_cookie
from daemon.web.problem import Problem
from daemon.web.remote import remote_of
from daemon.web.services import services

_LABEL: Final = 80  # the column takes 128 characters, an id has 20
_REALM: Final = 'Bearer realm="callwarden"'


@dataclass(frozen=True, slots=True)
class Caller:
    """`name` is what the store keeps as the one who changed something: an account's, or `token:`, its label and id."""

    name: str
    role: Role
    token: Token | None = None
    session: Session | None = None

    @property
    def account(self) -> Account | None:
        return self.session.account if self.session else None


CALLER: Final = web.RequestKey("caller", Caller)


def caller(request: web.Request) -> Caller:
    return request[CALLER]


def signed_in(request: web.Request) -> Session:
    """The session of a page's reader."""
    session = caller(request).session
    assert session is not None, "only routes of pages ask"
    return session


def by(request: web.Request) -> By:
    """The caller as the audit log keeps him."""
    return By(caller(request).name, services(request).clock(), remote_of(request))


async def find_caller(request: web.Request, *, page: bool) -> Caller | None:
    """By a token if there is one (a page takes none), else by the session. None: there is neither, or it is over."""
    headers = request.headers.getall("Authorization", [])
    if headers and not page:
        known = await _known_token(request, headers)
        return Caller(_called(known), known.role, token=known)
    session = await current_session(request)
    return Caller(session.account.name, session.account.role, session=session) if session else None


async def current_session(request: web.Request) -> Session | None:
    session_id, parts = session_cookie(request), services(request)
    return await find_session(parts.reads, session_id, parts.clock()) if session_id else None


def _called(token: Token) -> str:
    """Two tokens may have one label, so the id stands behind it, where no label can take its place."""
    return f"token:{token.label[:_LABEL]} ({token.token_id})" if token.label else f"token:{token.token_id}"


def nobody() -> Problem:
    detail = "sign in, or send a token: Authorization: Bearer …"
    return Problem(401, detail, headers={"WWW-Authenticate": _REALM})


async def _known_token(request: web.Request, headers: list[str]) -> Token:
    scheme, _, text = headers[0].partition(" ")
    if len(headers) == 1 and scheme.lower() == "bearer" and 0 < len(text) <= 200:
        known = await find_token(services(request).reads, text.strip())
        if known is not None:
            return known
    refused = {"WWW-Authenticate": f'{_REALM}, error="invalid_token"'}
    raise Problem(401, "this token is not known or was revoked", headers=refused)
