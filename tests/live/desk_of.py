"""An agent's own browser on the live daemon: signed in, it acts on his calls and hears his events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from tests.live.daemon_house import House, Json

PASSWORD = "correct horse battery"


@dataclass
class Desk:
    """`events` keeps what was told, oldest first."""

    session: aiohttp.ClientSession
    headers: dict[str, str]
    events: list[tuple[str, Json]] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def ask(self, method: str, path: str, body: Json | None = None) -> tuple[int, Any]:
        async with self.session.request(method, f"/api/v1/{path}", json=body, headers=self.headers) as answer:
            return answer.status, await answer.json(content_type=None) if answer.status != 204 else None

    async def good(self, method: str, path: str, body: Json | None = None) -> Any:
        status, answer = await self.ask(method, path, body)
        assert status < 300, (method, path, status, answer)
        return answer

    async def control(self, call_id: str, what: str, body: Json | None = None, method: str = "POST") -> tuple[int, Any]:
        return await self.ask(method, f"desk/calls/main/{call_id}/{what}", {} if body is None else body)

    async def told(self, kind: str, within: float = 10.0) -> Json:
        """The first event of this kind, heard or yet to come; it is not told again."""
        async with asyncio.timeout(within):
            while True:
                for place, (name, data) in enumerate(self.events):
                    if name == kind:
                        del self.events[: place + 1]
                        return data
                self.news.clear()
                await self.news.wait()

    async def listen(self, after: str) -> None:
        timeout = aiohttp.ClientTimeout(total=None)
        async with self.session.get(
            f"/api/v1/desk/events?after={after}", headers=self.headers, timeout=timeout
        ) as stream:
            kind = ""
            async for raw in stream.content:
                name, _, value = raw.decode().strip().partition(": ")
                if name == "event":
                    kind = value
                elif name == "data":
                    self.events.append((kind, json.loads(value)))
                    self.news.set()


async def account_of(house: House, user_id: str) -> str:
    """The name of a new account of this agent; its password is PASSWORD."""
    return await new_account(house, f"desk{user_id}", "agent", user_id)


async def new_account(house: House, name: str, role: str, user_id: str | None = None) -> str:
    account = {"name": name, "role": role, "password": PASSWORD, "user_id": user_id, "language": "en"}
    await house.api.post("accounts", account)
    return name


@asynccontextmanager
async def desk_of(house: House, user_id: str) -> AsyncIterator[Desk]:
    """A new account of this agent, signed in as a browser does it."""
    name = await account_of(house, user_id)
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{house.port}", cookie_jar=jar) as session:
        async with session.get("/sign-in") as page:
            token = (await page.text()).partition('name="csrf" value="')[2].partition('"')[0]
        form = {"csrf": token, "name": name, "password": PASSWORD}
        async with session.post("/sign-in", data=form, allow_redirects=False) as entered:
            assert entered.status == 303, await entered.text()
        async with session.get("/api/v1/session") as known:
            headers = {"X-CSRF-Token": (await known.json())["csrf_token"]}
        desk = Desk(session, headers)
        begin = (await desk.good("GET", "desk"))["event_id"]
        listening = asyncio.create_task(desk.listen(begin))
        try:
            yield desk
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
