"""What somebody hostile tries on the web server that no other test is about; docs/threat-model.md names each."""

from __future__ import annotations

import asyncio
import hmac
import re
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest
import typer

from daemon.cli import app as command
from daemon.message import Message
from daemon.pbx import EndpointSeen, Finding, MemberSeen, QueueSeen
from daemon.store.role import Role
from daemon.web import events
from daemon.web.routes import ENDLESS, ROUTES
from tests.web.browser import has_no_inline_code, signed_in
from tests.web.conftest import House
from tests.web.furnished import furnish
from tests.web.pbxs import inventory

READ = [route for route in ROUTES if route.method == "GET" and route.path not in ENDLESS]
PAGES = [route.path for route in READ if route.page]
SHOWING_HOW = {"/reference", "/settings/ringtones"}  # to their reader, by the address he himself came by
EVIL = "evil.example"
HOSTILE = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>{{7*7}}${7*7}"


def address(path: str, known: dict[str, str]) -> str:
    """The route with the name of a thing that exists."""
    words = path.removeprefix("/api/v1/").removeprefix("/settings/").strip("/").split("/")
    return re.sub(r"\{\w+\}", known.get(words[0], "1"), path)


async def test_what_is_someones_own_is_kept_by_no_cache(house: House) -> None:
    known, headers = await furnish(house), await house.sign_in_as(Role.ADMIN)
    for route in READ:
        if route.access is None and route.path.startswith(("/assets/", "/favicon", "/ringtones/")):
            continue  # the same for everybody
        answer = await house.ask("GET", address(route.path, known), None, headers=headers)
        caching = answer.headers["Cache-Control"]
        assert caching == "no-store" or (route.path.endswith("/audio") and caching == "private, no-cache"), route.path


async def test_a_foreign_name_of_this_server_gets_into_no_page_and_no_redirect(house: House) -> None:
    """Or a mail with our link, or a cache in between, would lead people to somebody else's server."""
    known, headers = await furnish(house), await house.sign_in_as(Role.ADMIN)
    hosts = {"Host": EVIL, "X-Forwarded-Host": EVIL, "Forwarded": f"host={EVIL}", "X-Forwarded-Proto": "https"}
    for path in sorted({*PAGES} - SHOWING_HOW):
        answer = await house.ask("GET", address(path, known), None, headers={**headers, **hosts})
        assert EVIL not in str(answer.body), path
        assert EVIL not in str(answer.headers), path
    led = await house.ask("GET", "/tickets", None, headers=hosts)
    assert (led.status, EVIL in str(led.headers)) == (303, False)


@pytest.mark.parametrize("path", [*sorted(ENDLESS), "/api/v1/calls", "/api/v1/ringtones/marimba/audio"])
@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "api_key", "session"])
async def test_a_token_in_an_address_opens_nothing_not_even_a_stream(house: House, path: str, name: str) -> None:
    """Addresses stand in the logs of proxies and in the history of browsers."""
    answer = await house.ask("GET", f"{path}?{name}={house.tokens[Role.ADMIN]}", None)
    assert answer.status == (422 if path.startswith("/wall/") else 401)  # a wall knows no parameters, nor this secret


async def test_no_secret_is_looked_up_or_compared_letter_by_letter(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is asked of the database is a digest, what is compared takes as long for every text."""
    known, headers = await furnish(house), await house.sign_in_as(Role.ADMIN)
    asked, compared, fetch, compare = list[str](), list[str](), house.store.reader.fetch, hmac.compare_digest

    async def noted(statement: Any, values: Any) -> Any:
        asked.append(str(values))
        return await fetch(statement, values)

    def watched(one: Any, other: Any) -> bool:
        compared.extend(each.decode() if isinstance(each, bytes) else each for each in (one, other))
        return compare(one, other)

    monkeypatch.setattr(house.store.reader, "fetch", noted)
    monkeypatch.setattr(hmac, "compare_digest", watched)
    cookie, csrf = headers["Cookie"].partition("=")[2], headers["X-CSRF-Token"]
    await house.ask("GET", "/api/v1/calls", None, headers={"Authorization": f"Bearer {house.tokens[Role.ADMIN]}"})
    await house.ask("PUT", "/api/v1/queues/q", None, headers=headers, json={})
    url = (await house.ask("GET", f"/api/v1/ringtones/{known['ringtones']}")).body["url"]
    key, path = url.split("/")[-2], "/" + url.split("/", 3)[3]
    await house.ask("GET", path, None)
    await house.ask("GET", "/set-up/" + "a" * 43, None)
    assert {csrf, key} <= set(compared)
    assert len(asked) > 5
    for secret in (house.tokens[Role.ADMIN], cookie, csrf, key, "a" * 43):
        assert not [values for values in asked if secret in values]


async def test_nobody_alone_takes_the_streams_of_all(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events, "_EACH_LIMIT", 2)

    async def listen(lines: AsyncExitStack, role: Role) -> int:
        asked = house.client.get("/api/v1/events", headers=house.headers(role))
        return (await lines.enter_async_context(asked)).status

    async with AsyncExitStack() as lines:
        assert [await listen(lines, Role.SUPERVISOR) for _ in range(3)] == [200, 200, 503]
        assert await listen(lines, Role.ADMIN) == 200
    async with asyncio.timeout(5):
        while house.feed.listeners:  # noqa: ASYNC110 -- the server notices it in its own time
            await asyncio.sleep(0.02)
    async with AsyncExitStack() as lines:
        assert await listen(lines, Role.SUPERVISOR) == 200


async def test_whatever_the_pbx_says_is_text_on_every_page(house: House) -> None:
    """One hostile text in every field that comes from the PBX, and every page there is."""
    known = await furnish(house)
    await house.miss(7, customer_number_raw=HOSTILE, queue=HOSTILE, hotline=HOSTILE, customer_name=HOSTILE)
    await house.miss(8, queue="support", customer_name=HOSTILE)
    said = Message("{said}", said=HOSTILE)
    house.pbxs.known = [replace(one, last_error=said, version=HOSTILE) for one in house.pbxs.known]
    house.pbxs.findings = [Finding("events", ok=False, words=said, fix=said)]
    endpoints = [
        EndpointSeen(endpoint=HOSTILE, registered=True, takes_registrations=takes, user_agent=HOSTILE)
        for takes in (True, False)
    ]
    member = MemberSeen(HOSTILE, HOSTILE, HOSTILE)
    house.pbxs.found = [inventory(*endpoints, queues=[QueueSeen(HOSTILE, (member,))], problems=(said,))]
    browsers = [await signed_in(house, "boss", Role.ADMIN), await signed_in(house, "an", Role.AGENT)]
    seen = 0
    for path in sorted({*PAGES} - {"/reference"}):
        for browser in browsers:
            page = await browser.get(address(path, known))
            assert page.status < 500, path
            seen += "onerror=alert" in page.text
            assert "<img src=x" not in page.text, path
            assert "<script>alert" not in page.text, path
            assert "49" not in page.text.partition("onerror=alert(1)")[2][:90], path
            assert has_no_inline_code(page.text.replace("onerror=alert(1)", "")), path
    assert seen > 8  # or nothing hostile was shown at all


def test_no_command_takes_a_secret_where_the_list_of_processes_shows_it() -> None:
    found = list(_options(typer.main.get_command(command)))
    assert len(found) > 20
    for where, option in found:
        if re.search("secret|password|token|key|cred", option.name or ""):
            assert option.is_flag or "file" in (option.name or ""), (where, option.name)


def _options(one: Any, where: str = "") -> Any:
    for option in one.params:
        yield where, option
    for name, inner in getattr(one, "commands", {}).items():
        yield from _options(inner, f"{where} {name}")
