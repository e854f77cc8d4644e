"""`/api/v1/accounts`: people who sign in. A password goes in here and never comes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from annotated_types import Len
from pydantic import TypeAdapter

from daemon.message import Message
from daemon.store.accounts import (
    ACCOUNT,
    ACCOUNT_NAMES,
    Account,
    AccountTaken,
    BadLink,
    Language,
    LastAdmin,
    account_name,
    add_account,
    change_account,
    new_account_name,
    read_account,
    read_accounts,
)
from daemon.store.password import WeakPassword, refuse_weak
from daemon.store.role import Role
from daemon.store.settings import read_settings
from daemon.web.audit import change
from daemon.web.auth import REVOCATIONS
from daemon.web.body import json_object, validated
from daemon.web.caller import by, caller
from daemon.web.if_match import change_seen, etag
from daemon.web.listing import json_response, page_response
from daemon.web.password_check import PASSWORD_CHECK
from daemon.web.problem import NOTHING, FieldError, Problem, invalid, not_found
from daemon.web.query import Query, path_part
from daemon.web.services import services
from daemon.web.texts import OneLine

_NAME_LIMIT: Final = 256
UserId = Annotated[OneLine, Len(1, 128)]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """The body of a POST. Without a language it gets that of the call settings."""

    name: str
    role: Role
    password: str
    user_id: UserId | None = None
    language: Language | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountForm:
    """The body of a PATCH; what is left out stays."""

    role: Role = Role.AGENT
    user_id: UserId | None = None
    language: Language = "vi"
    disabled: bool = False
    password: str = ""


_NEW: Final = TypeAdapter(NewAccount)
_FORM: Final = TypeAdapter(AccountForm)


async def list_accounts(request: web.Request) -> web.Response:
    query = Query(request, ("cursor", "limit"))
    limit, after = query.limit(), query.cursor(str)
    found = await read_accounts(services(request).reads, str(after[0]) if after else "", limit + 1)
    return page_response(found, limit, Account.as_json, lambda account: [account.name])


async def get_account(request: web.Request) -> web.Response:
    Query(request, ())
    account = await read_account(services(request).reads, _name(request))
    if account is None:
        raise not_found("account")
    return json_response(account.as_json(), headers=etag(account.facts()))


async def create_account(request: web.Request) -> web.Response:
    Query(request, ())
    form, parts = validated(_NEW, await json_object(request)), services(request)
    name = new_account_name(form.name)
    if name is None:
        raise invalid([FieldError("name", ACCOUNT_NAMES)])
    _check_password(form.password, name)
    language = form.language or (await read_settings(parts.reads)).settings.language
    account = Account(name=name, role=form.role, user_id=form.user_id, language=language, created_at=parts.clock())
    password_hash = await request.app[PASSWORD_CHECK].hash(form.password)
    with _told():
        await change(request, ACCOUNT, name, lambda: add_account(account, password_hash))
    return json_response(account.as_json(), 201, etag(account.facts()))


async def patch_account(request: web.Request) -> web.Response:
    """A new password, and disabling, ends every session of the account; a new role counts at once."""
    Query(request, ())
    name, who, given = _name(request), by(request), await json_object(request)
    form = validated(_FORM, given)
    values: dict[str, object] = {key: getattr(form, key) for key in given if key != "password"}
    if "password" in given:
        values["password_hash"] = await _new_hash(request, name, form.password)
    with _told():
        changed = await change_seen(request, ACCOUNT, name, lambda: change_account(name, values, who))
    if changed is None:
        raise not_found("account")
    request.app[REVOCATIONS].happened()
    return json_response(changed.as_json(), headers=etag(changed.facts()))


def _name(request: web.Request) -> str:
    """Whatever is no name of an account finds none."""
    return account_name(path_part(request, "name", _NAME_LIMIT)) or ""


async def _new_hash(request: web.Request, name: str, password: str) -> str:
    """Whoever sits at an admin's unlocked screen must not take over the account itself."""
    if (own := caller(request).account) is not None and own.name == name:
        raise Problem(409, Message("change your own password on its page, which asks for the present one"))
    _check_password(password, name)
    return await request.app[PASSWORD_CHECK].hash(password)


def _check_password(password: str, name: str) -> None:
    try:
        refuse_weak(password, name)
    except WeakPassword as weak:
        raise invalid([FieldError("password", weak.message)]) from weak


@contextmanager
def _told() -> Iterator[None]:
    """The store's refusals in the API's words."""
    try:
        yield
    except AccountTaken as taken:
        raise Problem(409, NOTHING, errors=[FieldError("name", taken.message)]) from taken
    except BadLink as bad:
        raise invalid([FieldError("user_id", bad.message)]) from bad
    except LastAdmin as last:
        raise Problem(409, last.message) from last
