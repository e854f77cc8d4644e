"""How long a request may take. What it has changed is answered, even when what follows the change is slow."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

AFTER_COMMIT_S: Final = 10.0

_DEADLINE: Final = web.RequestKey("deadline", asyncio.Timeout)


def limited(request: web.Request, seconds: float) -> asyncio.Timeout:
    """The time that this request has, to be entered."""
    deadline = request[_DEADLINE] = asyncio.timeout(seconds)
    return deadline


def committed(request: web.Request) -> None:
    """From now on a refusal would be a lie, and a secret that is shown once would be lost: there is time again."""
    deadline, until = request.get(_DEADLINE), asyncio.get_running_loop().time() + AFTER_COMMIT_S
    if deadline is not None and (deadline.when() or until) < until:
        deadline.reschedule(until)


def unlimited(request: web.Request) -> None:
    """For an answer that goes on as long as somebody reads it, and is bounded in itself."""
    if (deadline := request.get(_DEADLINE)) is not None:
        deadline.reschedule(None)
