"""`/password`: a person's own password. Changing it ends every other session of the account."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from daemon.store.accounts import LANGUAGES
from daemon.store.session_pages import read_open_sessions
from daemon.store.sessions import change_password
from daemon.web.auth import REVOCATIONS
from daemon.web.caller import by, signed_in
from daemon.web.cookies import set_session
from daemon.web.credentials import Refusal, opening, verified
from daemon.web.form import read_form
from daemon.web.new_password import new_password_errors
from daemon.web.page import redirect, show, words
from daemon.web.pages.browsers import browser_rows
from daemon.web.password_check import PASSWORD_CHECK
from daemon.web.services import services
from daemon.web.vocabulary import LANGUAGES_CALLED


async def show_password(request: web.Request) -> web.Response:
    return await _form(request, changed="changed" in request.query)


async def replace_password(request: web.Request) -> web.Response:
    form, name, _ = await read_form(request), signed_in(request).account.name, words(request)
    if errors := new_password_errors(form, name, _):
        return await _form(request, 422, errors)
    known = await verified(request, name, form.get("current", ""))
    if isinstance(known, Refusal):
        error = known.message(_) if known.wait_s else _("This is not your present password.")
        response = await _form(request, known.status, {"current": error})
        response.headers.update(known.headers)
        return response
    password_hash = await request.app[PASSWORD_CHECK].hash(form["password"])
    fresh, who = opening(request), by(request)
    if not await services(request).writes.change(lambda: change_password(known, password_hash, fresh, who)):
        return await _form(request, 403, {"current": _("This is not your present password.")})
    request.app[REVOCATIONS].happened()
    response = redirect(request, "/password?changed=1")
    set_session(request, response, fresh.session_id)
    return response


async def _form(
    request: web.Request, status: int = 200, errors: Mapping[str, str] | None = None, *, changed: bool = False
) -> web.Response:
    _, name = words(request), signed_in(request).account.name
    error = _("Nothing was changed. Please correct the fields marked below.") if errors else ""
    session, parts = signed_in(request), services(request)
    return await show(
        request,
        "password.html",
        status,
        name=name,
        errors=errors or {},
        error=error,
        changed=changed,
        languages=[(code, LANGUAGES_CALLED[code]) for code in LANGUAGES],
        language=session.account.language,
        browsers=browser_rows(await read_open_sessions(parts.reads, name, parts.clock()), session, _),
    )
