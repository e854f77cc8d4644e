"""`/set-up/{token}`: the one-time link that was printed at the first start makes the first admin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from aiohttp import web

from daemon.store.accounts import Account, Language, new_account_name
from daemon.store.audit import By
from daemon.store.role import Role
from daemon.store.set_up import is_open, set_up
from daemon.web.cookies import set_session
from daemon.web.credentials import opening
from daemon.web.form import read_form
from daemon.web.new_password import new_password_errors
from daemon.web.next_page import HOME
from daemon.web.page import language_of, page, redirect, words
from daemon.web.password_check import PASSWORD_CHECK
from daemon.web.problem import Problem
from daemon.web.remote import remote_of
from daemon.web.services import services

LANGUAGE_WORDS: Final = (("vi", "Tiếng Việt"), ("en", "English"))
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{43}")


async def show_set_up(request: web.Request) -> web.Response:
    return _form(request, await _open_token(request), {"language": language_of(request)}, {})


async def make_first_admin(request: web.Request) -> web.Response:
    token, form = await _open_token(request), await read_form(request)
    name = new_account_name(form.get("name", ""))
    if errors := _errors(request, form, name):
        return _form(request, token, form, errors)
    assert name is not None, "errors would name it"
    password_hash = await request.app[PASSWORD_CHECK].hash(form["password"])
    now, fresh = services(request).clock(), opening(request)
    admin = Account(name=name, role=Role.ADMIN, user_id=None, language=_language(form), created_at=now)
    who = By("setup:link", now, remote_of(request))
    if not await services(request).writes.change(lambda: set_up(token, admin, password_hash, fresh, who)):
        raise _gone(request)
    response = redirect(request, HOME)
    set_session(request, response, fresh.session_id)
    return response


async def _open_token(request: web.Request) -> str:
    token, parts = request.match_info["token"], services(request)
    if _TOKEN.fullmatch(token) and await is_open(parts.reads, token, parts.clock()):
        return token
    raise _gone(request)


def _gone(request: web.Request) -> Problem:
    _ = words(request)
    return Problem(404, _("This link was used or is too old. While there is no account, each start prints a new one."))


def _errors(request: web.Request, form: Mapping[str, str], name: str | None) -> dict[str, str]:
    _ = words(request)
    errors = {} if name else {"name": _("Use 1 to 64 letters, digits and . _ @ + -, and not . or .. alone")}
    return errors | new_password_errors(form, name or "", _)


def _language(form: Mapping[str, str]) -> Language:
    return "en" if form.get("language") == "en" else "vi"


def _form(request: web.Request, token: str, form: Mapping[str, str], errors: Mapping[str, str]) -> web.Response:
    return page(
        request,
        "set_up.html",
        422 if errors else 200,
        token=token,
        errors=errors,
        name=form.get("name", "")[:64],
        language=form.get("language", ""),
        languages=LANGUAGE_WORDS,
    )
