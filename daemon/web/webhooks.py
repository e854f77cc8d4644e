"""`/api/v1/webhooks`: the endpoints of integrators. A secret is in the answer that made it and in no other."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Annotated, Final

from aiohttp import web
from annotated_types import Len
from pydantic import TypeAdapter

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.message import Message
from daemon.policy.decision import EventType
from daemon.store.webhooks import (
    PAUSED,
    WEBHOOK,
    WEBHOOK_LIMIT,
    TooManyWebhooks,
    Webhook,
    add_webhook,
    change_webhook,
    delete_webhook,
    new_secret,
    new_webhook_id,
    read_webhook,
    read_webhook_secret,
    read_webhooks,
    rotate_secret,
)
from daemon.web.audit import change, change_secret
from daemon.web.body import json_object, validated
from daemon.web.caller import by
from daemon.web.if_match import change_seen, etag
from daemon.web.listing import json_response, page_response
from daemon.web.problem import FieldError, Problem, invalid, not_found
from daemon.web.query import Query, path_part
from daemon.web.services import Services, Target, services
from daemon.web.settings_rules import url_error
from daemon.web.texts import Label

_ID_LIMIT: Final = 40
TEST_EVENT: Final = "webhook.test"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookForm:
    """The body of POST (a URL is needed; no events named: all of them) and PATCH (what is left out stays)."""

    url: str = ""
    events: Annotated[tuple[EventType, ...], Len(1, 20)] = tuple(EventType)
    description: Label = ""
    enabled: bool = True


_FORM: Final = TypeAdapter(WebhookForm)


async def list_webhooks(request: web.Request) -> web.Response:
    query = Query(request, ("cursor", "limit"))
    limit, after = query.limit(), query.cursor(str)
    found = await read_webhooks(services(request).reads, str(after[0]) if after else "", limit + 1)
    return page_response(found, limit, Webhook.as_json, lambda webhook: [webhook.webhook_id])


async def get_webhook(request: web.Request) -> web.Response:
    Query(request, ())
    webhook = await _existing(request)
    return json_response(webhook.as_json(), headers=etag(webhook.facts()))


async def create_webhook(request: web.Request) -> web.Response:
    """201 with the secret, this once."""
    Query(request, ())
    parts = services(request)
    form = _checked(parts, {"url": "", **await json_object(request)})
    webhook, secret = _new(form, parts.clock()), new_secret()
    try:
        await change(request, WEBHOOK, webhook.webhook_id, lambda: add_webhook(webhook, secret))
    except TooManyWebhooks as error:
        raise Problem(409, Message("there are {n} webhooks already; delete one first", n=WEBHOOK_LIMIT)) from error
    await parts.rules_changed()
    return json_response({**webhook.as_json(), "secret": secret}, 201, etag(webhook.facts()))


async def patch_webhook(request: web.Request) -> web.Response:
    """Enabling forgets why it was disabled."""
    Query(request, ())
    parts, webhook_id = services(request), path_part(request, "webhook_id", _ID_LIMIT)
    given = await json_object(request)
    form = _checked(parts, given)
    values = {name: getattr(form, name) for name in given}
    now = parts.clock()
    changed = await change_seen(request, WEBHOOK, webhook_id, lambda: change_webhook(webhook_id, values, now))
    if changed is None:
        raise not_found("webhook")
    await parts.rules_changed()
    return json_response(changed.as_json(), headers=etag(changed.facts()))


async def remove_webhook(request: web.Request) -> web.Response:
    Query(request, ())
    parts, webhook_id = services(request), path_part(request, "webhook_id", _ID_LIMIT)
    if not await change_seen(request, WEBHOOK, webhook_id, lambda: delete_webhook(webhook_id)):
        raise not_found("webhook")
    await parts.rules_changed()
    return web.Response(status=204)


async def rotate_webhook_secret(request: web.Request) -> web.Response:
    """The new secret, this once; the old one signs nothing more."""
    Query(request, ())
    parts, webhook_id = services(request), path_part(request, "webhook_id", _ID_LIMIT)
    secret, now = new_secret(), parts.clock()
    action, named = "webhook.rotate_secret", f"webhook:{webhook_id}"
    if not await change_secret(request, action, named, lambda: rotate_secret(webhook_id, secret, now)):
        raise not_found("webhook")
    await parts.rules_changed()
    return json_response({"webhook_id": webhook_id, "secret": secret})


async def test_webhook(request: web.Request) -> web.Response:
    """Sends one signed `webhook.test` now and tells what came of it; it is in no list and not tried again."""
    Query(request, ())
    parts, webhook = services(request), await _existing(request)
    secret = await read_webhook_secret(parts.reads, webhook.webhook_id)
    if secret is None:
        raise not_found("webhook")
    data = {"webhook_id": webhook.webhook_id}
    body = json.dumps({"type": TEST_EVENT, "timestamp": iso_utc(parts.clock()), "data": data})
    answer = await parts.try_target(Target("POST", webhook.url, body, secret))
    return json_response(answer.as_json())


async def replay_failed(request: web.Request) -> web.Response:
    """Every failed or expired delivery of this endpoint is pending again."""
    Query(request, ())
    webhook = await _existing(request)
    if not webhook.enabled:
        raise Problem(409, Message("this webhook is disabled; enable it first"))
    return json_response({"replayed": await services(request).replay_failed(webhook.webhook_id, by(request))}, 202)


async def _existing(request: web.Request) -> Webhook:
    webhook = await read_webhook(services(request).reads, path_part(request, "webhook_id", _ID_LIMIT))
    if webhook is None:
        raise not_found("webhook")
    return webhook


def _checked(parts: Services, given: dict[str, object]) -> WebhookForm:
    form = validated(_FORM, given)
    if "url" in given and (reason := url_error(form.url) or parts.refuse_target(form.url)):
        raise invalid([FieldError("url", reason)])
    return replace(form, events=tuple(dict.fromkeys(form.events)))


def _new(form: WebhookForm, now: UnixMs) -> Webhook:
    return Webhook(
        webhook_id=new_webhook_id(),
        url=form.url,
        events=form.events,
        description=form.description,
        enabled=form.enabled,
        disabled_reason=None if form.enabled else PAUSED,
        created_at=now,
        updated_at=now,
    )
