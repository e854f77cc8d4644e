"""A browser as the sign-in pages need it: it keeps cookies as RFC 6265bis says and fills in forms. No scripts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from aiohttp import ClientResponse
from multidict import CIMultiDictProxy
from yarl import URL

from daemon.store.accounts import find_account
from daemon.store.role import Role
from tests.web.conftest import PASSWORD, House


@dataclass(frozen=True)
class Page:
    status: int
    text: str
    headers: CIMultiDictProxy[str]

    @property
    def location(self) -> str:
        return self.headers["Location"]

    def forms(self) -> dict[str, dict[str, str]]:
        """The fields with a value of each form, by its action."""
        reader = _Forms()
        reader.feed(self.text)
        return reader.found


@dataclass
class Browser:
    """`headers` go with every request; `cookies` is what it keeps, by name."""

    house: House
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def is_https(self) -> bool:
        return (self.house.public_url or "").startswith("https:")

    async def get(self, path: str, **headers: str) -> Page:
        return await self._send("GET", path, headers)

    async def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Page:
        return await self._send("POST", path, headers, data=fields)

    async def submit(self, path: str, action: str | None = None, /, **typed: str) -> Page:
        """Opens the page, fills in its form and sends it."""
        forms = (await self.get(path)).forms()
        chosen = action or path.partition("?")[0]
        return await self.post(chosen, {**forms[chosen], **typed})

    async def sign_in(self, name: str, password: str, following: str = "") -> Page:
        path = f"/sign-in?next={following}" if following else "/sign-in"
        return await self.submit(path, "/sign-in", name=name, password=password)

    async def is_signed_in(self, **headers: str) -> bool:
        return (await self.get("/api/v1/session", **headers)).status == 200

    async def _send(self, method: str, path: str, headers: Mapping[str, str], **options: Any) -> Page:
        sent = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with self.house.client.request(
            method, URL(path, encoded=True), headers=sent, allow_redirects=False, **options
        ) as response:
            self._keep(response)
            return Page(response.status, await response.text(), response.headers)

    def _keep(self, response: ClientResponse) -> None:
        for morsel in response.cookies.values():
            if morsel.key.startswith("__Host-"):  # else a browser drops it in silence
                assert (morsel["path"], bool(morsel["secure"]), morsel["domain"]) == ("/", True, "")
            assert morsel["httponly"]
            assert morsel["samesite"] == "Lax"
            if morsel["max-age"] == "0":
                self.cookies.pop(morsel.key, None)
            elif self.is_https or not morsel["secure"]:
                self.cookies[morsel.key] = morsel.value


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self._fields = self.found.setdefault(values.get("action") or "", {})
        elif tag == "input" and values.get("name"):
            self._fields[values["name"] or ""] = values.get("value") or ""
        elif tag == "option" and "selected" in values:
            self._fields["language"] = values["value"] or ""


def has_no_inline_code(text: str) -> bool:
    """Scripts are files of our own; what they are given is data, which no browser runs."""
    allowed = r'<script (type="module" )?src="/assets/[\w./-]+"></script>|<script type="application/json"'
    rest = re.sub(allowed, "", text)
    return re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:", rest, re.IGNORECASE) is None


async def signed_in(house: House, name: str = "an", role: Role = Role.AGENT, **headers: str) -> Browser:
    """A browser in which this account (made if need be) is signed in."""
    if await find_account(house.store.reader, name) is None:
        await house.add_account(name, role)
    browser = Browser(house, headers)
    assert (await browser.sign_in(name, PASSWORD)).status == 303
    return browser
