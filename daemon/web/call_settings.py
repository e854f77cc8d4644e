"""`/api/v1/call-settings`: read, change all or some, and the secret that signs popups."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from aiohttp import web
from pydantic import TypeAdapter

from daemon.call.rendering import iso_utc
from daemon.message import Message
from daemon.policy.call_settings import CallSettings
from daemon.policy.popup_url import fill
from daemon.store.settings import (
    POPUP_SECRET,
    SETTINGS,
    SettingsChanged,
    StoredSettings,
    change_settings,
    keep_inner,
    read_inner,
    read_settings,
    settings_json,
)
from daemon.store.webhooks import new_secret
from daemon.web.audit import change, change_secret
from daemon.web.body import json_object, validated
from daemon.web.caller import caller
from daemon.web.listing import json_response
from daemon.web.problem import FieldError, Problem, invalid
from daemon.web.query import Query
from daemon.web.sample import read_sample, sample_lookup_url, sample_url
from daemon.web.services import Services, Target, services
from daemon.web.settings_rules import PLACEHOLDERS, settings_errors

_ADAPTER: Final = TypeAdapter(CallSettings)
_CALLED: Final = ("popup_answer_url", "customer_lookup_url")
"""The daemon itself calls these; the others are opened by browsers, which may go where it may not."""


async def get_settings(request: web.Request) -> web.Response:
    Query(request, ())
    return _answer(await read_settings(services(request).reads))


async def put_settings(request: web.Request) -> web.Response:
    """Changes the keys that are given and no others, all or none of them; PATCH does the same.

    `If-Match` with the `ETag` of a GET refuses the change (412) when somebody else was faster, and tells what is in
    force now and who changed it.
    """
    Query(request, ())
    parts, given = services(request), await json_object(request)
    wanted = _checked(parts, given)
    expected, by, now = _expected(request), caller(request).name, parts.clock()
    try:
        changed = await change(request, SETTINGS, "", lambda: change_settings(wanted, by, now, expected))
    except SettingsChanged as error:
        raise _overtaken(await read_settings(parts.reads)) from error
    if changed:
        await parts.rules_changed()
    return _answer(await read_settings(parts.reads))


@dataclass(frozen=True, slots=True, kw_only=True)
class PopupTrial:
    """The body of a trial: an address that need not be saved yet."""

    popup_answer_url: str


_TRIAL: Final = TypeAdapter(PopupTrial)


async def try_popup(request: web.Request) -> web.Response:
    """Sends one signed popup with sample values now and tells what came of it; nothing is kept or tried again."""
    Query(request, ())
    parts, trial = services(request), validated(_TRIAL, await json_object(request))
    stored, secret = await read_settings(parts.reads), await read_inner(parts.reads, POPUP_SECRET)
    settings = replace(stored.settings, popup_answer_url=trial.popup_answer_url)
    if errors := _errors(parts, settings):
        raise invalid(errors)
    if secret is None:
        raise Problem(503, Message("the secret that signs popups is not made yet; try again"))
    sample = await read_sample(parts.reads, ("Support", "Sales"), parts.clock())
    url = sample_url(trial.popup_answer_url, sample, settings)
    answer = await parts.try_target(Target("GET", url, "", secret))
    return json_response({"url": url, **answer.as_json()})


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpTrial:
    """The body of a trial: an address that need not be saved yet."""

    customer_lookup_url: str


_LOOKUP_TRIAL: Final = TypeAdapter(LookUpTrial)


async def try_lookup(request: web.Request) -> web.Response:
    """Asks now who a sample customer is, and tells what was understood of the answer; nothing is kept."""
    Query(request, ())
    parts, trial = services(request), validated(_LOOKUP_TRIAL, await json_object(request))
    url = trial.customer_lookup_url
    settings = replace((await read_settings(parts.reads)).settings, customer_lookup_url=url)
    if errors := _errors(parts, settings):
        raise invalid(errors)
    asked = sample_lookup_url(url, await read_sample(parts.reads, ("Support", "Sales"), parts.clock()), settings)
    found = await parts.try_lookup(asked)
    return json_response(
        {
            "url": asked,
            "status_code": found.status_code,
            "latency_ms": found.latency_ms,
            "reason": found.reason,
            "error": found.error,
            "customer": found.customer.as_json() if found.customer is not None else None,
        }
    )


async def rotate_popup_secret(request: web.Request) -> web.Response:
    """A new secret for the signature of popup webhooks, shown this once."""
    Query(request, ())
    parts, secret = services(request), new_secret()
    by, now = caller(request).name, parts.clock()
    await change_secret(
        request,
        "call_settings.rotate_popup_secret",
        "call_settings",
        lambda: keep_inner(POPUP_SECRET, secret, by, now, replace=True),
    )
    await parts.rules_changed()
    return json_response({"secret": secret})


def _checked(parts: Services, given: dict[str, object]) -> dict[str, object]:
    """The given keys in the form in which they are kept. No rule spans two keys, so each is looked at alone."""
    kept: dict[str, object] = {}
    errors: list[FieldError] = []
    for name, value in given.items():
        try:
            settings = validated(_ADAPTER, {name: value})
        except Problem as problem:
            errors += problem.errors
        else:
            errors += _errors(parts, settings)
            kept[name] = settings_json(settings)[name]
    if errors:
        raise invalid(errors[:100])
    return kept


def _errors(parts: Services, settings: CallSettings) -> list[FieldError]:
    return settings_errors(settings) or [error for field in _CALLED for error in _refused(parts, settings, field)]


def _refused(parts: Services, settings: CallSettings, field: str) -> list[FieldError]:
    url, names = getattr(settings, field), PLACEHOLDERS[field]
    reason = None if url is None else parts.refuse_target(fill(url, dict.fromkeys(names, "1"), names))
    return [] if reason is None else [FieldError(field, reason)]


def _overtaken(now: StoredSettings) -> Problem:
    changed = {name: {"by": change.by, "at": iso_utc(change.at)} for name, change in now.changed.items()}
    return Problem(
        412,
        Message("somebody else changed the settings meanwhile; nothing was changed"),
        headers={"ETag": f'"{now.version}"'},
        version=now.version,
        settings=settings_json(now.settings),
        changed=changed,
    )


def _expected(request: web.Request) -> int | None:
    tag = request.headers.get("If-Match", "*").strip()
    if tag == "*":
        return None
    digits = tag.removeprefix("W/").removeprefix('"').removesuffix('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) < 19):
        raise Problem(412, "If-Match is not the ETag of these settings; read them again")
    return int(digits)


def _answer(stored: StoredSettings) -> web.Response:
    return json_response(settings_json(stored.settings), headers={"ETag": f'"{stored.version}"'})
