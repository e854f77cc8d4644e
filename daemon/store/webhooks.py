"""The endpoints of integrators. A secret leaves the store only to sign, and once to the admin who made it."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, delete, func, insert, select, update

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.errors import CallwardenError
from daemon.policy.decision import EventType
from daemon.store.audit import Facts, Subject
from daemon.store.outbox import readdress
from daemon.store.reader import Reader
from daemon.store.tables import webhooks
from daemon.store.work import Query, Row, Work

WEBHOOK_LIMIT: Final = 100
"""Every event is offered to every endpoint."""
PAUSED = "paused"
"""The reason of an endpoint that an admin switched off; other reasons come from failed deliveries."""


class TooManyWebhooks(CallwardenError):
    """There are as many webhooks as there can be; delete one first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """An endpoint without its secret."""

    webhook_id: str
    url: str
    events: tuple[EventType, ...]
    description: str
    enabled: bool
    disabled_reason: str | None
    created_at: UnixMs
    updated_at: UnixMs

    def as_json(self) -> dict[str, object]:
        return {
            "webhook_id": self.webhook_id,
            "url": self.url,
            "events": [event.value for event in self.events],
            "description": self.description,
            "enabled": self.enabled,
            "disabled_reason": self.disabled_reason,
            "created_at": iso_utc(self.created_at),
            "updated_at": iso_utc(self.updated_at),
        }

    def facts(self) -> Facts:
        """What people change of it, and why it is switched off."""
        shown = self.as_json()
        return {name: shown[name] for name in ("url", "events", "description", "enabled", "disabled_reason")}


_COLUMNS = tuple(column for column in webhooks.c if column.name != "secret")
_PAGE = (
    select(*_COLUMNS)
    .where(webhooks.c.webhook_id > bindparam("b_after"))
    .order_by(webhooks.c.webhook_id)
    .limit(bindparam("b_limit"))
)
_COUNT = select(func.count().label("count")).select_from(webhooks)
_ONE = select(*_COLUMNS).where(webhooks.c.webhook_id == bindparam("b_id"))
_SECRETS = select(webhooks.c.webhook_id, webhooks.c.secret)
_URLS = select(webhooks.c.webhook_id, webhooks.c.url)
_SECRET = select(webhooks.c.secret).where(webhooks.c.webhook_id == bindparam("b_id"))
_INSERT = insert(webhooks)
_UPDATE = (
    update(webhooks)
    .where(webhooks.c.webhook_id == bindparam("b_id"))
    .values(
        url=bindparam("b_url"),
        events=bindparam("b_events"),
        description=bindparam("b_description"),
        enabled=bindparam("b_enabled"),
        disabled_reason=bindparam("b_reason"),
        updated_at=bindparam("b_now"),
    )
)
_ROTATE = (
    update(webhooks)
    .where(webhooks.c.webhook_id == bindparam("b_id"))
    .values(secret=bindparam("b_secret"), updated_at=bindparam("b_now"))
)
_DELETE = delete(webhooks).where(webhooks.c.webhook_id == bindparam("b_id"))


def new_webhook_id() -> str:
    return f"wh_{secrets.token_hex(10)}"


def new_secret() -> str:
    """256 random bits, written as Standard Webhooks wants."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


async def read_webhooks(reads: Reader, after: str, limit: int) -> list[Webhook]:
    rows = await reads.fetch(_PAGE, {"b_after": after, "b_limit": limit})
    return [_webhook_of(row) for row in rows]


async def read_webhook(reads: Reader, webhook_id: str) -> Webhook | None:
    rows = await reads.fetch(_ONE, {"b_id": webhook_id})
    return _webhook_of(rows[0]) if rows else None


async def read_webhook_secret(reads: Reader, webhook_id: str) -> str | None:
    rows = await reads.fetch(_SECRET, {"b_id": webhook_id})
    return str(rows[0]["secret"]) if rows else None


async def read_webhook_secrets(reads: Reader) -> Mapping[str, str]:
    """By webhook id; for the engine that signs."""
    return {row["webhook_id"]: row["secret"] for row in await reads.fetch(_SECRETS, {})}


def webhook_facts(webhook_id: str) -> Work[Facts | None]:
    rows = yield Query(_ONE, {"b_id": webhook_id})
    return _webhook_of(rows[0]).facts() if rows else None


WEBHOOK: Final = Subject("webhook", webhook_facts)


async def read_webhook_urls(reads: Reader) -> Mapping[str, str]:
    """By webhook id."""
    return {row["webhook_id"]: row["url"] for row in await reads.fetch(_URLS, {})}


def add_webhook(webhook: Webhook, secret: str) -> Work[None]:
    """Raises TooManyWebhooks."""
    if (yield Query(_COUNT))[0]["count"] >= WEBHOOK_LIMIT:
        raise TooManyWebhooks
    yield Query(
        _INSERT,
        {
            "webhook_id": webhook.webhook_id,
            "url": webhook.url,
            "events": json.dumps([event.value for event in webhook.events]),
            "description": webhook.description,
            "secret": secret,
            "enabled": webhook.enabled,
            "disabled_reason": webhook.disabled_reason,
            "created_at": webhook.created_at,
            "updated_at": webhook.updated_at,
        },
    )


def change_webhook(webhook_id: str, values: Mapping[str, object], now: UnixMs) -> Work[Webhook | None]:
    """Only the given ones of `url`, `events`, `description`, `enabled`. None: there is no such endpoint.

    What is still to be delivered goes to a new URL at once.
    """
    rows = yield Query(_ONE, {"b_id": webhook_id})
    if not rows:
        return None
    row = {**rows[0], **values, "updated_at": now}
    if "events" in values:
        row["events"] = json.dumps(values["events"])
    if "enabled" in values:
        row["disabled_reason"] = None if values["enabled"] else (rows[0]["disabled_reason"] or PAUSED)
    yield Query(_UPDATE, _update_values(row))
    if row["url"] != rows[0]["url"]:
        yield from readdress(webhook_id, row["url"], now)
    return _webhook_of(row)


def rotate_secret(webhook_id: str, secret: str, now: UnixMs) -> Work[bool]:
    """The old one signs nothing from now on. False: there is no such endpoint."""
    rows = yield Query(_ONE, {"b_id": webhook_id})
    if rows:
        yield Query(_ROTATE, {"b_id": webhook_id, "b_secret": secret, "b_now": now})
    return bool(rows)


def delete_webhook(webhook_id: str) -> Work[bool]:
    """Its deliveries stay as a record. False: there is no such endpoint."""
    rows = yield Query(_ONE, {"b_id": webhook_id})
    if rows:
        yield Query(_DELETE, {"b_id": webhook_id})
    return bool(rows)


def _update_values(row: Row) -> dict[str, object]:
    return {
        "b_id": row["webhook_id"],
        "b_url": row["url"],
        "b_events": row["events"],
        "b_description": row["description"],
        "b_enabled": row["enabled"],
        "b_reason": row["disabled_reason"],
        "b_now": row["updated_at"],
    }


def _webhook_of(row: Row) -> Webhook:
    return Webhook(
        webhook_id=row["webhook_id"],
        url=row["url"],
        events=tuple(EventType(name) for name in json.loads(row["events"])),
        description=row["description"],
        enabled=bool(row["enabled"]),
        disabled_reason=row["disabled_reason"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )
