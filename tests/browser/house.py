"""The whole daemon beside a simulated PBX and a customer's CRM, and people in front of real browsers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from argon2 import PasswordHasher
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect

from daemon.ami.simulator import SimulatedPbx
from daemon.app import Daemon
from daemon.clock import now_ms
from daemon.config import load_config
from daemon.store.accounts import Account, Language, add_account
from daemon.store.audit import By
from daemon.store.role import Role
from daemon.store.sessions import Opening, new_session_id, open_session
from daemon.store.tokens import add_token, new_token
from tests.browser.watch import Watch
from tests.delivery.receiver import Receiver
from tests.whole.house import Api, api_client, config_text, simulated_pbx, until

WIDE = 1280
NARROW = 390
PASSWORD = "correct horse battery"
_HEIGHTS = {WIDE: 800, NARROW: 844}
_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)  # a real hash, of the lowest cost
_DEADLINE_MS = 10_000

expect.set_options(timeout=_DEADLINE_MS)


@dataclass
class House:
    """`api` is an admin's program, for what a test needs beside the pages."""

    daemon: Daemon
    pbx: SimulatedPbx
    crm: Receiver
    api: Api
    browser: Browser
    people: list[Person] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.daemon.web.port}"

    async def visitor(self, width: int = WIDE, **options: Any) -> Person:
        """Somebody who is not signed in."""
        who = await open_browser(self.browser, self.url, width, **options)
        self.people.append(who)
        return who

    async def person(
        self, role: Role = Role.ADMIN, name: str | None = None, language: Language = "en", **options: Any
    ) -> Person:
        """Somebody of this role in front of a browser, signed in without the sign-in page."""
        account = await self.account(name or f"{role.value}{len(self.people)}", role, language)
        return await self.browser_of(account.name, **options)

    async def browser_of(self, account: str, **options: Any) -> Person:
        """A browser in which this account is signed in."""
        who, session_id = await self.visitor(**options), await self.session(account)
        await who.context.add_cookies([{"name": "callwarden", "value": session_id, "url": self.url}])
        return who

    async def session(self, account: str, user_agent: str = "Mozilla/5.0 (X11; Linux x86_64) Chrome/150.0") -> str:
        opening, at = Opening(new_session_id(), user_agent), By(account, now_ms(), "127.0.0.1")
        await self.daemon.store.writer.change(lambda: open_session(account, opening, at))
        return opening.session_id

    async def account(self, name: str, role: Role = Role.ADMIN, language: Language = "en") -> Account:
        """A new account; its password is PASSWORD."""
        account = Account(name=name, role=role, user_id=None, language=language, created_at=now_ms())
        kept = await asyncio.to_thread(_HASHER.hash, PASSWORD)
        await self.daemon.store.writer.change(lambda: add_account(account, kept))
        return account

    async def settings(self) -> dict[str, Any]:
        return await self.api.get("call-settings")

    async def play(self, scenario: str, **options: Any) -> str:
        """One call from the first ring to the end and all that comes of it; returns its id."""
        truth = await self.pbx.play(scenario, **{"speed": 20, **options})
        await self.quiet()
        return truth.call_id

    async def quiet(self) -> None:
        """Wait until no call lives and nothing waits to be sent."""

        async def settled() -> bool:
            await self.daemon.store.writer.drain()
            return not list(self.daemon.dispatcher.calls()) and not (await self._pending())

        await asyncio.sleep(0.05)
        await until(settled)

    async def _pending(self) -> list[dict[str, Any]]:
        pending: list[dict[str, Any]] = (await self.api.get("deliveries?status=pending"))["items"]
        return pending

    def popups(self, path: str = "/pop") -> list[dict[str, str]]:
        """The parameters of the popup requests that reached the CRM, each signature checked."""
        secret = self.daemon.secrets.popup_secret()
        assert secret is not None
        found = self.crm.got(path)
        for request in found:
            request.verify(secret.reveal())
        return [{name: values[0] for name, values in parse_qs(r.query, keep_blank_values=True).items()} for r in found]

    def hooks(self, path: str, secret: str) -> list[dict[str, Any]]:
        """The bodies of the webhook posts, each signature checked."""
        for request in self.crm.got(path):
            request.verify(secret)
        return [json.loads(request.body) for request in self.crm.got(path)]

    async def connected(self, wanted: bool = True) -> None:
        """Wait until the daemon has the PBX, or knows that it is gone."""

        async def so() -> bool:
            return all((link.state.value == "connected") is wanted for link in self.daemon.links.values())

        await until(so)


@dataclass
class Person:
    """A browser of its own, watched; `page` is its one tab."""

    watch: Watch
    context: BrowserContext
    page: Page

    async def open(self, path: str) -> None:
        await self.page.goto(path)

    async def size(self, width: int) -> None:
        await self.page.set_viewport_size({"width": width, "height": _HEIGHTS[width]})

    async def speak(self, language: Language) -> None:
        """As the switch on the page does."""
        page = self.page
        await page.evaluate(
            """async (language) => {
              const csrf = document.querySelector('meta[name="csrf"]').content;
              const headers = {"Content-Type": "application/json", "X-CSRF-Token": csrf};
              const body = JSON.stringify({language});
              await (await fetch("/api/v1/session", {method: "PATCH", headers, body})).text();
            }""",
            language,
        )
        await page.reload()

    async def settle(self) -> None:
        """Nothing was wrong up to now."""
        await self.watch.settle(*self.context.pages)


async def open_browser(browser: Browser, url: str, width: int = WIDE, **options: Any) -> Person:
    """Somebody in front of a fresh profile, who has signed in nowhere; relative addresses begin at `url`."""
    size = ViewportSize(width=width, height=_HEIGHTS[width])
    context = await browser.new_context(base_url=url, viewport=size, **{"locale": "en-GB", **options})
    context.set_default_timeout(_DEADLINE_MS)
    watch = Watch()
    await watch.begin(context)
    return Person(watch, context, await context.new_page())


@asynccontextmanager
async def open_house(folder: Path, browser: Browser, crm_port: int = 0) -> AsyncIterator[House]:
    """Everything runs; agents an (1001) and binh (1002) are there, nobody has an account yet."""
    path = folder / "callwarden.toml"
    token = new_token()
    async with AsyncExitStack() as parts:
        pbx = await parts.enter_async_context(simulated_pbx())
        crm = await parts.enter_async_context(Receiver(port=crm_port))
        path.write_text(config_text(folder, pbx))
        daemon = await parts.enter_async_context(Daemon(load_config(path)))
        await daemon.store.writer.change(lambda: add_token(token, Role.ADMIN, "test", now_ms()))
        api = await parts.enter_async_context(api_client(daemon.web.port, token))
        await api.put("agents/an", {"name": "Nguyễn Văn An", "endpoints": ["PJSIP/1001"]})
        await api.put("agents/binh", {"name": "Trần Thị Bình", "endpoints": ["PJSIP/1002"]})
        house = House(daemon, pbx, crm, api, browser)
        await house.connected()
        try:
            yield house
        finally:
            for person in house.people:
                await person.context.close()
