"""`Try it` of the settings page: one signed sample to a URL, at once. Nothing of it is stored and nothing retried."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import uuid4

from daemon.call.rendering import iso_utc
from daemon.call.signals import UnixMs
from daemon.delivery.outbox import Sender
from daemon.delivery.signing import Secret, signed_headers

TEST_EVENT = "webhook.test"


@dataclass(frozen=True, slots=True)
class TryResult:
    """`answer` is the beginning of what the target said; `error` is why there was no answer, in one line."""

    ok: bool
    status_code: int | None
    latency_ms: int
    answer: str | None
    error: str | None


async def try_target(
    url: str, *, sender: Sender, secret: Secret, now: UnixMs, method: str = "POST", body: str | None = None
) -> TryResult:
    """`method` GET tries a popup URL. Raises BadSecret; whatever the target does is in the result."""
    text = "" if method == "GET" else body if body is not None else sample_body(now)
    headers = signed_headers(secret, f"test_{uuid4().hex}", now, text)
    answer = await sender.send(method, url, headers, text)
    status = answer.status_code
    ok = status is not None and 200 <= status < 300
    return TryResult(ok, status, answer.latency_ms, answer.text, answer.error)


def sample_body(now: UnixMs) -> str:
    """An event of a type nobody can subscribe to, so that no receiver takes it for a call."""
    return json.dumps(
        {"type": TEST_EVENT, "timestamp": iso_utc(now), "data": {"message": "Callwarden can reach this address."}}
    )
