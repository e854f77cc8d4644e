"""Webhooks and what was delivered to them."""

from __future__ import annotations

from typing import Final

from daemon.store.values import DeliveryStatus
from daemon.web.description import answers
from daemon.web.description.model import (
    PAGING,
    Answer,
    Body,
    Description,
    Descriptions,
    ListOf,
    Schema,
    choice,
    path,
    text,
)
from daemon.web.description.seen import ETAG, IF_MATCH, OVERTAKEN
from daemon.web.settings_rules import URL_LIMIT
from daemon.web.webhooks import WebhookForm

_URL: Final[dict[str, Schema]] = {
    "url": {"format": "uri", "maxLength": URL_LIMIT, "examples": ["https://crm.example.com/hook"]}
}
_TAG: Final = "Webhooks"
_WEBHOOK: Final = path("webhook_id", "The id of a webhook.", 40)
_DELIVERY: Final = path("delivery_id", "The id of a delivery: the `webhook-id` that the target saw.", 64)

WEBHOOKS: Final[Descriptions] = {
    ("GET", "/webhooks"): Description(
        tag=_TAG,
        summary="Webhooks, by id.",
        parameters=PAGING,
        answers={200: Answer("A page of webhooks.", ListOf(answers.Webhook))},
    ),
    ("POST", "/webhooks"): Description(
        tag=_TAG,
        summary="Makes a webhook; without `events` it is told of all.",
        body=Body(WebhookForm, needed=("url",), refined=_URL),
        answers={201: Answer("The webhook, with its secret.", answers.NewWebhook, ETAG)},
        refusals={409: "There are as many webhooks as there can be."},
    ),
    ("GET", "/webhooks/{webhook_id}"): Description(
        tag=_TAG,
        summary="One webhook.",
        parameters=(_WEBHOOK,),
        answers={200: Answer("The webhook.", answers.Webhook, ETAG)},
    ),
    ("PATCH", "/webhooks/{webhook_id}"): Description(
        tag=_TAG,
        summary="Changes a webhook; what is left out stays.",
        more="Enabling forgets why it was disabled. What is still to be delivered goes to a new URL at once.",
        parameters=(_WEBHOOK, IF_MATCH),
        body=Body(WebhookForm, partial=True, refined=_URL),
        answers={200: Answer("The webhook as it is now.", answers.Webhook, ETAG)},
        refusals={412: OVERTAKEN},
    ),
    ("DELETE", "/webhooks/{webhook_id}"): Description(
        tag=_TAG,
        summary="Removes a webhook; its deliveries stay as a record.",
        parameters=(_WEBHOOK, IF_MATCH),
        answers={204: Answer("Removed.")},
        refusals={412: OVERTAKEN},
    ),
    ("POST", "/webhooks/{webhook_id}/rotate-secret"): Description(
        tag=_TAG,
        summary="Makes a new secret; the old one signs nothing more.",
        parameters=(_WEBHOOK,),
        answers={200: Answer("The secret.", answers.WebhookSecret)},
    ),
    ("POST", "/webhooks/{webhook_id}/test"): Description(
        tag=_TAG,
        summary="Sends one signed `webhook.test` now; it is in no list and not tried again.",
        parameters=(_WEBHOOK,),
        answers={200: Answer("What came of it.", answers.TryAnswer)},
    ),
    ("POST", "/webhooks/{webhook_id}/replay-failed"): Description(
        tag=_TAG,
        summary="Makes every failed or expired delivery of a webhook pending again.",
        parameters=(_WEBHOOK,),
        answers={202: Answer("How many there were.", answers.Replayed)},
        refusals={409: "The webhook is disabled; enable it first."},
    ),
}

DELIVERIES: Final[Descriptions] = {
    ("GET", "/deliveries"): Description(
        tag="Deliveries",
        summary="Messages to webhooks and popups, newest first.",
        parameters=(
            text("webhook_id", "To this webhook; empty: the popups."),
            text("event_type", "Of this event, as `call.missed`."),
            text("call_id", "About this call."),
            choice("status", "With this status.", DeliveryStatus),
            *PAGING,
        ),
        answers={200: Answer("A page of deliveries.", ListOf(answers.Delivery))},
    ),
    ("GET", "/deliveries/{delivery_id}"): Description(
        tag="Deliveries",
        summary="One delivery and every attempt.",
        parameters=(_DELIVERY,),
        answers={200: Answer("The delivery.", answers.DeliveryWithAttempts)},
    ),
    ("POST", "/deliveries/{delivery_id}/replay"): Description(
        tag="Deliveries",
        summary="Makes a delivery pending again, under the same id.",
        parameters=(_DELIVERY,),
        answers={202: Answer("The delivery as it is now.", answers.DeliveryWithAttempts)},
    ),
}
