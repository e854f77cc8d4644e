"""`/password`: a person's own password. Changing it ends every other session of the account."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from daemon.store.sessions import change_password
from daemon.web.auth import REVOCATIONS
from daemon.web.caller import by, signed_in
from daemon.web.cookies import set_session
from daemon.web.credentials import Refusal, opening, verified
from daemon.web.form import read_form
from daemon.web.new_password import new_password_errors
from daemon.web.page import page, redirect, words
from daemon.web.password_check import PASSWORD_CHECK
from daemon.web.services import services


async def show_password(request: web.Request) -> web.Response:
    return _form(request, changed="changed" in request.query)


async def replace_password(request: web.Request) -> web.Response:
    form, name, _ = await read_form(request), signed_in(request).account.name, words(request)
    if errors := new_password_errors(form, name, _):
        return _form(request, 422, errors)
    known = await verified(request, name, form.get("current", ""))
    if isinstance(known, Refusal):
        error = known.message(_) if known.wait_s else _("This is not your present password.")
        response = _form(request, known.status, {"current": error})
        response.headers.update(known.headers)
        return response
    password_hash = await request.app[PASSWORD_CHECK].hash(form["password"])
    fresh, who = opening(request), by(request)
    if not await services(request).writes.change(lambda: change_password(known, password_hash, fresh, who)):
        return _form(request, 403, {"current": _("This is not your present password.")})
    request.app[REVOCATIONS].happened()
    response = redirect(request, "/password?changed=1")
    set_session(request, response, fresh.session_id)
    return response


def _form(
    request: web.Request, status: int = 200, errors: Mapping[str, str] | None = None, *, changed: bool = False
) -> web.Response:
    _, name = words(request), signed_in(request).account.name
    error = _("Nothing was changed. Please correct the fields marked below.") if errors else ""
    return page(request, "password.html", status, name=name, errors=errors or {}, error=error, changed=changed)
