"""A change with `If-Match` is made only of what the asker has seen (RFC 9110 §13.1.1); without, the last one wins.

The version is a digest of the facts of which changes are noted, so whatever is no change is no new version either.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Final, TypeVar

from aiohttp import web

from daemon.call.rendering import iso_utc
from daemon.errors import CallwardenError
from daemon.message import Message
from daemon.store.audit import AuditFilter, Facts, Subject, read_audit
from daemon.store.work import Work
from daemon.web.audit import change
from daemon.web.problem import Problem
from daemon.web.services import services

T = TypeVar("T")
_LOOKED_BACK: Final = 20


class Overtaken(CallwardenError):
    """It is not what the asker has seen; nothing was changed."""

    def __init__(self, now: Facts | None) -> None:
        super().__init__()
        self.now = now


def version(facts: Facts) -> str:
    """The same for the same facts, in every process."""
    text = json.dumps(dict(facts), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def etag(facts: Facts) -> dict[str, str]:
    """As a header."""
    return {"ETag": f'"{version(facts)}"'}


async def change_seen(request: web.Request, subject: Subject, key: str, make_work: Callable[[], Work[T]]) -> T:
    """`change`; or 412 with what is there `now` and who `changed` it last, found in the transaction that writes."""
    seen = request.headers.get("If-Match")

    def work() -> Work[T]:
        if seen is not None:
            now = yield from subject.facts(key)
            if now is None or not _is_seen(seen, version(now)):
                raise Overtaken(now)
        return (yield from make_work())

    try:
        return await change(request, subject, key, work)
    except Overtaken as overtaken:
        raise await _refusal(request, subject, key, overtaken.now) from overtaken


def _is_seen(given: str, now: str) -> bool:
    """Proxies that compress make tags weak (nginx does); a digest of the facts is no worse for it."""
    tags = [tag.strip().removeprefix("W/") for tag in given.split(",")]
    return tags == ["*"] or f'"{now}"' in tags


async def _refusal(request: web.Request, subject: Subject, key: str, now: Facts | None) -> Problem:
    return Problem(
        412,
        Message("somebody else changed this meanwhile; nothing was changed"),
        headers=etag(now) if now is not None else None,
        version=version(now) if now is not None else None,
        now=None if now is None else dict(now),
        changed=await _last_change(request, subject.kind, key),
    )


async def _last_change(request: web.Request, kind: str, key: str) -> dict[str, object] | None:
    """Passwords and sign-ins are noted of the same thing; they change no facts."""
    found = await read_audit(services(request).reads, AuditFilter(object=f"{kind}:{key}"[:255]), _LOOKED_BACK, None)
    actions = {f"{kind}.{verb}" for verb in ("create", "change", "delete")}
    return next(({"by": row["by"], "at": iso_utc(row["at"])} for row in found if row["action"] in actions), None)
