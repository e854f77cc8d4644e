"""`/sign-in`, `/sign-out` and `/sign-out-everywhere`.

Sessions are rows of our own store, not aiohttp-session's dictionaries: that library saves after the handler is done,
so a password changed meanwhile would still get its session, and a sign-in could not be one transaction with its entry
in the audit log. It also takes cookies away without `Secure`, which browsers ignore for `__Host-` names.
"""

from __future__ import annotations

from aiohttp import web

from daemon.store.audit import By
from daemon.store.sessions import end_session, end_sessions, sign_in
from daemon.web.auth import REVOCATIONS
from daemon.web.caller import by, current_session, signed_in
from daemon.web.cookies import clear_session, session_cookie, set_session
from daemon.web.credentials import Refusal, opening, verified
from daemon.web.form import read_form
from daemon.web.next_page import SIGN_IN, safe_next
from daemon.web.page import page, redirect, words
from daemon.web.password_check import PASSWORD_CHECK
from daemon.web.remote import remote_of
from daemon.web.services import services


async def show_sign_in(request: web.Request) -> web.Response:
    following = safe_next(request.query.get("next"))
    if await current_session(request) is not None:
        return redirect(request, following)
    return page(request, "sign_in.html", error="", name="", next=following)


async def enter(request: web.Request) -> web.Response:
    form = await read_form(request)
    name, password, following = form.get("name", ""), form.get("password", ""), safe_next(form.get("next"))
    session_id = await _opened(request, name, password)
    if isinstance(session_id, Refusal):
        error = session_id.message(words(request))
        response = page(request, "sign_in.html", session_id.status, error=error, name=name[:64], next=following)
        response.headers.update(session_id.headers)
        return response
    response = redirect(request, following)
    set_session(request, response, session_id)
    return response


async def leave(request: web.Request) -> web.Response:
    digest = signed_in(request).digest
    await services(request).writes.change(lambda: end_session(digest))
    return _left(request)


async def leave_everywhere(request: web.Request) -> web.Response:
    account, who = signed_in(request).account, by(request)
    await services(request).writes.change(lambda: end_sessions(account.name, who))
    return _left(request)


async def _opened(request: web.Request, name: str, password: str) -> str | Refusal:
    """The id of a new session. The one this browser had before ends: nobody can prepare one for another."""
    known = await verified(request, name, password)
    if isinstance(known, Refusal):
        return known
    rehashed = await request.app[PASSWORD_CHECK].rehashed(known, password)
    fresh, replaced, parts = opening(request), session_cookie(request), services(request)
    who = By(known.account.name, parts.clock(), remote_of(request))
    if not await parts.writes.change(lambda: sign_in(known, fresh, who, replaced, rehashed)):
        return Refusal()
    return fresh.session_id


def _left(request: web.Request) -> web.Response:
    request.app[REVOCATIONS].happened()
    response = redirect(request, SIGN_IN)
    clear_session(request, response)
    return response
