"""Standard Webhooks signatures, made by the reference library; a secret never shows itself."""

from __future__ import annotations

import binascii
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from daemon.call.signals import UnixMs
from daemon.errors import NeverAgain


class BadSecret(NeverAgain):
    """The webhook secret is not `whsec_` followed by base64; make a new one."""


class Secret:
    """A value that prints as `***`. `reveal` is for the one place that needs it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == other._value

    def __hash__(self) -> int:
        return hash(self._value)


class Secrets(Protocol):
    """Who knows the secrets, from memory: it is asked for every attempt. None: no such endpoint any more."""

    def webhook_secret(self, webhook_id: str) -> Secret | None: ...

    def popup_secret(self) -> Secret | None: ...

    def on_moved(self, tell: Callable[[str], None]) -> None:
        """`tell` hears of every webhook whose URL has changed."""


def signed_headers(secret: Secret, message_id: str, at: UnixMs, body: str) -> Mapping[str, str]:
    """The three headers of Standard Webhooks ("Webhook headers"). A GET has no body: it signs the empty one."""
    moment = datetime.fromtimestamp(at // 1000, UTC)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at // 1000),
        "webhook-signature": _signer(secret).sign(message_id, moment, body),
    }


@lru_cache(maxsize=1024)
def _signer(secret: Secret) -> Webhook:
    try:
        return Webhook(secret.reveal())
    except (EmptyWebhookSecretError, binascii.Error, ValueError):
        raise BadSecret from None  # the cause would carry the secret into a traceback
