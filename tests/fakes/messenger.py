"""A Mattermost on loopback: takes what is sent to its incoming webhooks and keeps it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Messenger:
    """Answers `status`, and where one is given leads to `elsewhere`."""

    port: int = 0
    status: int = 200
    elsewhere: str | None = None
    taken: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    async def hook(self, request: web.Request) -> web.Response:
        if self.elsewhere is not None:
            return web.Response(status=307, headers={"Location": self.elsewhere})
        if self.status == 200:
            self.taken.append((request.path, await request.json()))
        return web.Response(status=self.status, text="ok")


@asynccontextmanager
async def messenger() -> AsyncIterator[Messenger]:
    found = Messenger()
    app = web.Application()
    app.router.add_post("/{tail:.*}", found.hook)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.port = int(runner.addresses[0][1])
    try:
        yield found
    finally:
        await runner.cleanup()
