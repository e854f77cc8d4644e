"""No other site's page changes anything: every unsafe address of the table is tried, also those that come later."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from daemon.store.role import Role
from daemon.web.routes import ROUTES
from tests.web.browser import Browser
from tests.web.conftest import PASSWORD, House

UNSAFE = [route for route in ROUTES if route.method not in ("GET", "HEAD")]
OF_SESSIONS = [f"{route.method} {route.path}" for route in UNSAFE if route.access is not None]
BEFORE_ONE = [f"{route.method} {route.path}" for route in UNSAFE if route.access is None]
PAGES = {f"{route.method} {route.path}" for route in UNSAFE if route.page}
FOREIGN = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "x"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": ""},
)


async def _status(house: House, address: str, headers: dict[str, str], **fields: str) -> int:
    method, path = address.split(" ")
    body: dict[str, Any] = {"data": {"x": "1", **fields}} if address in PAGES else {"json": fields}
    if method == "DELETE":
        body = {}
    return (await house.ask(method, re.sub(r"\{\w+\}", "1", path), None, headers=headers, **body)).status


def test_the_table_has_what_this_test_is_about() -> None:
    assert len(OF_SESSIONS) >= 20
    assert BEFORE_ONE == ["POST /sign-in", "POST /set-up/{token}"]


@pytest.mark.parametrize("address", OF_SESSIONS)
async def test_a_change_by_session_needs_the_token_of_that_session(house: House, address: str) -> None:
    headers = await house.sign_in_as(Role.ADMIN)
    token = headers.pop("X-CSRF-Token")
    other = (await house.open_session("admin"))["X-CSRF-Token"]
    for wrong in (
        {},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": other},
        {"X-CSRF-Token": token[:-1]},
        {"X-CSRF-Token": "é"},
    ):
        assert await _status(house, address, {**headers, **wrong}) == 403, wrong
    before = await house.audit()
    assert await _status(house, address, headers, csrf=other) == 403
    assert await house.audit() == before
    assert await _status(house, address, {**headers, "X-CSRF-Token": token}) != 403


@pytest.mark.parametrize("address", OF_SESSIONS)
async def test_a_change_that_another_site_asked_for_is_refused_even_with_the_token(house: House, address: str) -> None:
    headers = await house.sign_in_as(Role.ADMIN)
    for word in FOREIGN:
        assert await _status(house, address, {**headers, **word}) == 403, word


@pytest.mark.parametrize("origin", ["https://calls.example.com", None])
@pytest.mark.parametrize("site", ["same-origin", "none", None])
async def test_our_own_page_may(https_house: House, origin: str | None, site: str | None) -> None:
    headers = await https_house.sign_in_as(Role.ADMIN)
    told = {"Origin": origin, "Sec-Fetch-Site": site}
    headers |= {name: value for name, value in told.items() if value is not None}
    assert await _status(https_house, "PUT /api/v1/agents/{user_id}", headers) == 201


async def test_without_a_public_url_the_origin_is_the_host_that_was_asked(house: House) -> None:
    headers = await house.sign_in_as(Role.ADMIN)
    own = f"http://{house.client.host}:{house.client.port}"
    assert await _status(house, "PUT /api/v1/agents/{user_id}", {**headers, "Origin": own}) == 201


@pytest.mark.parametrize("address", BEFORE_ONE)
async def test_a_form_before_the_sign_in_needs_its_own_cookie_and_token(house: House, address: str) -> None:
    mine, other = Browser(house), Browser(house)
    token = (await mine.get("/sign-in")).forms()["/sign-in"]["csrf"]
    foreign = (await other.get("/sign-in")).forms()["/sign-in"]["csrf"]
    cookie = {"Cookie": f"callwarden-form={mine.cookies['callwarden-form']}"}
    assert await _status(house, address, {}, csrf=token) == 403
    assert await _status(house, address, cookie) == 403
    assert await _status(house, address, cookie, csrf=foreign) == 403
    assert await _status(house, address, {**cookie, "Sec-Fetch-Site": "cross-site"}, csrf=token) == 403
    method, path = address.split(" ")
    options = {"data": {"csrf": token, "name": "an"}, "headers": cookie}
    answer = await house.ask(method, path.replace("{token}", "1"), None, **options)
    assert "form is too old" not in answer.body


async def test_nobody_is_signed_in_to_an_account_that_another_site_chose(house: House) -> None:
    await house.add_account("mallory")
    victim = Browser(house)
    page = await victim.post("/sign-in", {"name": "mallory", "password": PASSWORD})
    assert (page.status, victim.cookies.get("callwarden")) == (403, None)
    assert "open the page again" in page.text


async def test_a_token_of_the_session_before_is_worth_nothing_after_the_sign_in(house: House) -> None:
    await house.add_account("an")
    browser = Browser(house)
    before = (await browser.get("/sign-in")).forms()["/sign-in"]["csrf"]
    await browser.sign_in("an", PASSWORD)
    assert (await browser.post("/sign-out", {"csrf": before})).status == 403
    assert await browser.is_signed_in()


async def test_a_page_of_ours_learns_its_token_and_a_program_has_none(house: House) -> None:
    headers = await house.sign_in_as(Role.ADMIN)
    told = (await house.ask("GET", "/api/v1/session", None, headers={"Cookie": headers["Cookie"]})).body
    assert told["csrf_token"] == headers["X-CSRF-Token"]
    assert (await house.ask("GET", "/api/v1/session")).body["csrf_token"] is None


async def test_a_program_with_a_token_needs_neither_token_nor_origin(house: House) -> None:
    headers = {**house.headers(), "Sec-Fetch-Site": "cross-site", "Origin": "https://tool.example"}
    assert await _status(house, "PUT /api/v1/agents/{user_id}", headers) == 201


async def test_a_program_with_a_token_is_not_helped_by_a_cookie(house: House) -> None:
    session = await house.sign_in_as(Role.ADMIN)
    headers = {**house.headers(Role.AGENT), "Cookie": session["Cookie"], "X-CSRF-Token": session["X-CSRF-Token"]}
    assert await _status(house, "PUT /api/v1/agents/{user_id}", headers) == 403


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"\xff=1", "application/x-www-form-urlencoded", 400),
        (b"a=%ff", "application/x-www-form-urlencoded", 400),
        (b"csrf=1&csrf=2", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a%d=1" % n for n in range(60)), "application/x-www-form-urlencoded", 400),
        (b"csrf=1", "application/x-www-form-urlencoded; charset=utf-7", 403),
        (b"csrf=1", "text/plain", 415),
        (json.dumps({"csrf": "1"}).encode(), "application/json", 415),
        (b"--x\r\n", "multipart/form-data; boundary=x", 415),
        (b"a=" + b"x" * 2_000_000, "application/x-www-form-urlencoded", 413),
    ],
)
async def test_what_is_no_form_is_refused_with_a_page(house: House, body: bytes, kind: str, status: int) -> None:
    browser = Browser(house)
    await browser.get("/sign-in")
    headers = {"Content-Type": kind, "Cookie": f"callwarden-form={browser.cookies['callwarden-form']}"}
    answer = await house.ask("POST", "/sign-in", None, data=body, headers=headers)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "text/html; charset=utf-8")
