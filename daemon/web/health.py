"""`/healthz`: the process answers. `/readyz`: it can do its work, or why not. Open to everybody, so they say little."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import web

from daemon.web.listing import json_response
from daemon.web.services import Check, services

_TIMEOUT_S: Final = 5.0


async def healthz(_: web.Request) -> web.Response:
    return json_response({"status": "ok"})


async def readyz(request: web.Request) -> web.Response:
    """200 or 503, and one entry for each thing that readiness depends on."""
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            checks = await services(request).readiness()
    except TimeoutError:
        checks = [Check("daemon", ok=False, reason="did not answer in time")]
    ready = all(check.ok for check in checks)
    document: dict[str, object] = {
        "status": "ready" if ready else "not ready",
        "checks": [{"name": check.name, "ok": check.ok, "reason": check.reason} for check in checks],
        "reasons": [f"{check.name}: {check.reason or 'not ready'}" for check in checks if not check.ok],
    }
    return json_response(document, 200 if ready else 503)
