"""`/api/v1/summary`: yesterday in words, and whom it is sent to each day. An address is taken and never shown again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from aiohttp import web
from pydantic import TypeAdapter

from daemon.message import Message
from daemon.policy.summary import SummaryReason, yesterday
from daemon.store.settings import read_settings
from daemon.store.summaries import read_last_sendings
from daemon.store.summary_address import LONGEST, place_of, refusal
from daemon.store.summary_targets import (
    MOST_TARGETS,
    SUMMARY_TARGET,
    TooManyTargets,
    add_target,
    delete_target,
    new_target_id,
    read_target,
    read_targets,
)
from daemon.web.audit import change
from daemon.web.body import json_object, validated
from daemon.web.caller import caller
from daemon.web.listing import json_response
from daemon.web.page import words
from daemon.web.problem import FieldError, Problem, invalid, not_found
from daemon.web.query import Query, path_part
from daemon.web.services import Services, services
from daemon.web.texts import Label
from daemon.web.vocabulary import SUMMARY_REASONS

ID_LIMIT: Final = 40
_TAKEN: Final = Message("The summary was taken.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetForm:
    """`label` is what lists call it; empty: the service's name."""

    url: str
    label: Label = ""
    language: Literal["vi", "en"] | None = None


_FORM: Final = TypeAdapter(TargetForm)


async def get_summary(request: web.Request) -> web.Response:
    """Of yesterday, in the language of the settings, where nothing else is asked for."""
    query, parts = Query(request, ("day", "language")), services(request)
    settings = (await read_settings(parts.reads)).settings
    asked = query.text("language")
    language = settings.language if asked is None else asked
    if language not in ("vi", "en"):
        raise invalid([FieldError("language", Message("must be one of {expected}", expected="vi, en"))])
    day = asked_day(query) or yesterday(settings, parts.clock())
    made = await parts.summaries.text(day, language)
    return json_response(
        {"day": day.isoformat(), "language": language, "subject": made.subject, "text": made.text, "html": made.html}
    )


async def list_targets(request: web.Request) -> web.Response:
    """All, with what came of the newest summary of each."""
    Query(request, ())
    reads = services(request).reads
    sent = await read_last_sendings(reads)
    items = [
        {**one.as_json(), "last": sent[one.target_id].as_json() if one.target_id in sent else None}
        for one in await read_targets(reads)
    ]
    return json_response({"items": items, "next": None})


async def create_target(request: web.Request) -> web.Response:
    """201; the address is in no answer."""
    Query(request, ())
    parts, form = services(request), validated(_FORM, await json_object(request))
    await _refuse(parts, form.url)
    language = form.language or (await read_settings(parts.reads)).settings.language
    target_id, label, now = new_target_id(), form.label or place_of(form.url).kind, parts.clock()
    try:
        await change(request, SUMMARY_TARGET, target_id, lambda: add_target(target_id, form.url, label, language, now))
    except TooManyTargets as error:
        raise Problem(409, Message("there are {n} targets already; delete one first", n=MOST_TARGETS)) from error
    made = await read_target(parts.reads, target_id)
    assert made is not None, "it was just written"
    return json_response({**made.as_json(), "last": None}, 201)


async def remove_target(request: web.Request) -> web.Response:
    Query(request, ())
    target_id = path_part(request, "target_id", ID_LIMIT)
    if not await change(request, SUMMARY_TARGET, target_id, lambda: delete_target(target_id)):
        raise not_found("target")
    return web.Response(status=204)


async def try_target(request: web.Request) -> web.Response:
    """Yesterday's summary, now; it does not count as that day's and is not tried again."""
    Query(request, ())
    found = await services(request).summaries.try_out(path_part(request, "target_id", ID_LIMIT))
    if found is None:
        raise not_found("target")
    said = _TAKEN if found.reason is None else SUMMARY_REASONS[found.reason]
    is_person = caller(request).account is not None
    return json_response(
        {
            "sent": found.ok,
            "reason": found.reason and found.reason.value,
            "words": words(request)(said) if is_person else str(said),
            "said": found.said,
            "latency_ms": found.latency_ms,
        }
    )


def asked_day(query: Query) -> date | None:
    text = query.text("day")
    if text is None:
        return None
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or len(text) != 10 or not 1970 <= found.year <= 9000:
        raise invalid([FieldError("day", Message("must be a day as 2026-11-30"))])
    return found


async def _refuse(parts: Services, url: str) -> None:
    if (why := refusal(url)) is not None:
        raise invalid([FieldError("url", why)])
    if not parts.summaries.installed:
        raise Problem(409, Message("apprise is not installed; run: {command}", command=parts.summaries.how_to_install))
    found = await parts.summaries.check(url)
    if not found.ok:
        raise invalid([FieldError("url", SUMMARY_REASONS[found.reason or SummaryReason.BROKEN])])


URL_SCHEMA: Final = {"maxLength": LONGEST, "examples": ["mailtos://user:password@example.com?to=boss@example.com"]}
