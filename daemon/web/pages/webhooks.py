"""`/settings/webhooks`: who is told of calls, whether it works, and what was tried. The popup URL stands among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from aiohttp import web

from daemon.policy.call_settings import CallSettings, PopupDelivery
from daemon.store.audit import AuditFilter, read_audit
from daemon.store.delivery_pages import Unfinished, count_replayable, read_unfinished
from daemon.store.reader import Reader
from daemon.store.settings import read_settings
from daemon.store.webhooks import PAUSED, Webhook, read_webhook, read_webhooks
from daemon.web.change_words import value_word
from daemon.web.if_match import version
from daemon.web.page import show, words
from daemon.web.problem import not_found
from daemon.web.query import path_part
from daemon.web.services import services
from daemon.web.vocabulary import EVENTS, REASONS
from daemon.web.words import Translate

_ID_LIMIT: Final = 40
_MOST: Final = 200
_LOOKED_BACK: Final = 50
_NONE: Final = Unfinished()


@dataclass(frozen=True, slots=True)
class State:
    """A word and its colour; `why` is a sentence that explains it."""

    word: str
    colour: str
    why: str = ""


async def show_webhooks(request: web.Request) -> web.Response:
    parts, _ = services(request), words(request)
    found = await read_webhooks(parts.reads, "", _MOST)
    unfinished = await read_unfinished(parts.reads)
    settings = (await read_settings(parts.reads)).settings
    return await show(
        request,
        "webhooks.html",
        webhooks=[
            {
                "path": page_of(one.webhook_id),
                "name": name_of(one),
                "url": one.url,
                "events": value_word("events", list(one.events), _),
                "state": await _state(parts.reads, one, _),
                "filter": quote(one.webhook_id, safe=""),
                "deliveries": unfinished.get(one.webhook_id, _NONE),
            }
            for one in found
        ],
        popup_url=settings.popup_answer_url,
        lookup_url=settings.customer_lookup_url,
        popup=_popup_state(settings, _),
        popup_deliveries=unfinished.get("", _NONE),
    )


async def show_new_webhook(request: web.Request) -> web.Response:
    return await show(request, "new_webhook.html", events=_events(words(request)))


async def show_webhook(request: web.Request) -> web.Response:
    parts, _ = services(request), words(request)
    webhook = await read_webhook(parts.reads, path_part(request, "webhook_id", _ID_LIMIT))
    if webhook is None:
        raise not_found("webhook")
    return await show(
        request,
        "webhook.html",
        webhook=webhook,
        name=name_of(webhook),
        version=version(webhook.facts()),
        key=quote(webhook.webhook_id, safe=""),
        events=_events(_),
        state=await _state(parts.reads, webhook, _),
        deliveries=(await read_unfinished(parts.reads)).get(webhook.webhook_id, _NONE),
        replayable=await count_replayable(parts.reads, webhook.webhook_id),
    )


def page_of(webhook_id: str) -> str:
    return f"/settings/webhooks/{quote(webhook_id, safe='')}"


def name_of(webhook: Webhook) -> str:
    """What an admin called it, else its host."""
    return webhook.description.strip() or urlsplit(webhook.url).netloc


async def read_names(reads: Reader) -> Mapping[str, str]:
    """By webhook id."""
    return {one.webhook_id: name_of(one) for one in await read_webhooks(reads, "", _MOST)}


def _events(_: Translate) -> list[tuple[str, str]]:
    return [(str(event), _(word)) for event, word in EVENTS.items()]


async def _state(reads: Reader, webhook: Webhook, _: Translate) -> State:
    if webhook.enabled:
        return State(_("Active"), "good")
    reason = webhook.disabled_reason or ""
    if reason == PAUSED:
        by = await _paused_by(reads, webhook.webhook_id)
        word = _("Paused by {name}").format(name=by) if by else _("Paused")
        return State(word, "warn", _("Nothing is sent to it until it is resumed."))
    why = _(REASONS[reason]) if reason in REASONS else reason
    return State(_("Switched off"), "bad", why)


async def _paused_by(reads: Reader, webhook_id: str) -> str | None:
    """Whoever switched it off last, or made it switched off."""
    entries = await read_audit(reads, AuditFilter(object=f"webhook:{webhook_id}"), _LOOKED_BACK, None)
    return next((str(entry["by"]) for entry in entries if '"enabled": false' in (entry["new"] or "")), None)


def _popup_state(settings: CallSettings, _: Translate) -> State:
    if settings.popup_answer_url is None:
        return State(_("Not set up"), "")
    if settings.popup_answer_delivery is PopupDelivery.DESK:
        return State(_("Only in the agent's browser"), "")
    return State(_("Active"), "good")
