"""Signing in and out, as browsers do it: sessions that are revoked at once, cookies nobody else gets."""

from __future__ import annotations

import asyncio
import io
import json
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from daemon.log import configure_logging
from daemon.store.accounts import change_account
from daemon.store.audit import By
from daemon.store.role import Role
from daemon.store.sessions import IDLE_MS, LIFE_MS
from daemon.store.set_up import new_link_token, offer_set_up
from daemon.web.next_page import HOME, safe_next
from daemon.web.services import SERVICES
from tests.web.browser import Browser, has_no_inline_code, signed_in
from tests.web.conftest import NOW, PASSWORD, House

HOUR_MS = 3_600_000


# -- signing in and out ------------------------------------------------------------------------------------------------


async def test_the_right_password_signs_in_and_leads_to_the_page_asked_for(house: House) -> None:
    await house.add_account("an", Role.SUPERVISOR)
    browser = Browser(house)
    led = await browser.get("/password?x=%2F1")
    assert (led.status, led.location) == (303, "/sign-in?next=%2Fpassword%3Fx%3D%252F1")
    form = await browser.get(led.location)
    fields = form.forms()["/sign-in"]
    entered = await browser.post("/sign-in", {**fields, "name": "an", "password": PASSWORD})
    assert (entered.status, entered.location) == (303, "/password?x=%2F1")
    shown = json.loads((await browser.get("/api/v1/session")).text)
    assert shown.pop("csrf_token")
    assert shown == {"name": "an", "role": "supervisor", "user_id": None, "language": "en"}
    assert (await browser.get("/sign-in?next=/password")).location == "/password"  # already


@pytest.mark.parametrize("typed", ["Án", " án ", "A\u0301N", "ÁN"])
async def test_a_name_may_be_typed_in_any_case_and_composition(house: House, typed: str) -> None:
    await house.add_account("án")
    assert (await Browser(house).sign_in(typed, PASSWORD)).status == 303


@pytest.mark.parametrize(
    ("name", "password"), [("an", "wrong"), ("an", ""), ("nobody", PASSWORD), ("", ""), ("\u2028", "x")]
)
async def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(house: House, name: str, password: str) -> None:
    await house.add_account("an")
    browser = Browser(house)
    page = await browser.sign_in(name, password)
    assert page.status == 403
    assert "The account or the password is wrong." in page.text
    assert not await browser.is_signed_in()


async def test_a_disabled_account_gets_that_answer_too(house: House) -> None:
    await house.add_account("an")
    await house.store.writer.change(lambda: change_account("an", {"disabled": True}, By("x", NOW)))
    page = await Browser(house).sign_in("an", PASSWORD)
    assert (page.status, "password is wrong" in page.text) == (403, True)


async def test_signing_out_ends_this_session_and_no_other(house: House) -> None:
    here, there = await signed_in(house), await signed_in(house)
    cookies = dict(here.cookies)
    left = await here.submit("/password", "/sign-out")
    assert (left.status, left.location, here.cookies) == (303, "/sign-in", {})
    here.cookies = cookies  # the server forgot it, not only the browser
    assert not await here.is_signed_in()
    assert await there.is_signed_in()


async def test_signing_out_everywhere_ends_all_sessions_of_the_account_and_of_no_other(house: House) -> None:
    here, there, other = await signed_in(house), await signed_in(house), await signed_in(house, "binh")
    assert (await here.submit("/password", "/sign-out-everywhere")).location == "/sign-in"
    assert [await browser.is_signed_in() for browser in (here, there, other)] == [False, False, True]
    assert (await house.audit())[0] | {"audit_id": "", "at": ""} == {
        "audit_id": "", "at": "", "by": "an", "action": "session.end_all", "object": "account:an", "old": None,
        "new": None, "remote": "127.0.0.1",
    }  # fmt: skip


# -- sessions ----------------------------------------------------------------------------------------------------------


async def test_a_session_id_planted_before_the_sign_in_is_never_the_session(house: House) -> None:
    await house.add_account("an")
    attacker = await signed_in(house, "mallory")
    for planted in ("A" * 43, attacker.cookies["callwarden"]):
        victim = Browser(house, cookies={"callwarden": planted})
        if planted == "A" * 43:
            await victim.sign_in("an", PASSWORD)
        else:  # signed in as the attacker already: signing in anew ends that session and takes another id
            fields = (await Browser(house).get("/sign-in")).forms()["/sign-in"]
            form = Browser(house)
            fields = (await form.get("/sign-in")).forms()["/sign-in"]
            victim.cookies |= form.cookies
            await victim.post("/sign-in", {**fields, "name": "an", "password": PASSWORD})
        assert victim.cookies["callwarden"] != planted
        assert await victim.is_signed_in()
        assert not await Browser(house, cookies={"callwarden": planted}).is_signed_in()


async def test_a_session_ends_after_twelve_idle_hours_and_use_prolongs_it(house: House) -> None:
    browser = await signed_in(house)
    for _ in range(3):
        house.wait(IDLE_MS - 1)
        assert await browser.is_signed_in()
        await house.store.writer.drain()
        await asyncio.sleep(0.05)
    house.wait(IDLE_MS)
    assert not await browser.is_signed_in()


async def test_what_an_open_page_asks_by_itself_does_not_keep_the_session_alive(house: House) -> None:
    browser = await signed_in(house)
    house.wait(IDLE_MS - HOUR_MS)
    for path in ("/api/v1/session", "/api/v1/pbx", "/settings/pbx"):
        await browser.get(path, X_Background="1")
    await asyncio.sleep(0.05)
    await house.store.writer.drain()
    assert await browser.is_signed_in(X_Background="1")
    house.wait(HOUR_MS)
    assert not await browser.is_signed_in()


async def test_a_session_ends_after_thirty_days_however_much_it_is_used(house: House) -> None:
    browser = await signed_in(house)
    for _ in range(LIFE_MS // (10 * HOUR_MS)):
        assert await browser.is_signed_in()
        await asyncio.sleep(0.01)
        await house.store.writer.drain()
        house.wait(10 * HOUR_MS)
    assert not await browser.is_signed_in()


async def test_a_disabled_account_is_out_at_once_and_its_sessions_do_not_come_back(house: House) -> None:
    browser = await signed_in(house)
    assert (await house.ask("PATCH", "/api/v1/accounts/an", json={"disabled": True})).status == 200
    assert not await browser.is_signed_in()
    await house.ask("PATCH", "/api/v1/accounts/an", json={"disabled": False})
    assert not await browser.is_signed_in()


async def test_a_new_role_counts_from_the_next_request_on(house: House) -> None:
    browser = await signed_in(house)
    assert (await browser.get("/api/v1/agents")).status == 403
    await house.ask("PATCH", "/api/v1/accounts/an", json={"role": "supervisor"})
    assert (await browser.get("/api/v1/agents")).status == 200


@pytest.mark.parametrize("revoke", ["sign_out", "disable", "demote"])
async def test_a_stream_of_events_ends_with_the_right_to_it(house: House, revoke: str) -> None:
    browser = await signed_in(house, "sup", Role.SUPERVISOR)
    cookie = {"Cookie": f"callwarden={browser.cookies['callwarden']}"}
    async with house.client.get("/api/v1/events", headers=cookie) as stream:
        await stream.content.readline()
        if revoke == "sign_out":
            await browser.submit("/password", "/sign-out")
        else:
            change = {"disabled": True} if revoke == "disable" else {"role": "agent"}
            await house.ask("PATCH", "/api/v1/accounts/sup", json=change)
        async with asyncio.timeout(3):
            await stream.content.read()


async def test_the_database_and_the_log_hold_no_id_password_or_link(house: House, tmp_path: Path) -> None:
    log, link = io.StringIO(), new_link_token()
    configure_logging("debug", "json", log)
    await house.store.writer.change(lambda: offer_set_up(link, house.now))
    await Browser(house).get(f"/set-up/{link}")
    browser = await signed_in(house)
    await Browser(house).sign_in("an", "a wrong passphrase")
    await Browser(house).sign_in("typed-my-password-here", "x")
    await browser.get("/api/v1/session", X_CSRF_Token="x")
    with sqlite3.connect(tmp_path / "store.db") as connection:
        stored = "\n".join(connection.iterdump())
    for secret in (browser.cookies["callwarden"], PASSWORD, "a wrong passphrase", link):
        assert secret not in stored
        assert secret not in log.getvalue()
    assert "typed-my-password-here" not in log.getvalue()
    assert "$argon2id$" in stored


@pytest.mark.parametrize("value", ["", "x", "A" * 43, "A" * 5000, "é" * 43, '"' + "A" * 43 + '"', "../../etc/passwd"])
async def test_a_cookie_that_is_no_session_is_nobody(house: House, value: str) -> None:
    answer = await house.ask("GET", "/api/v1/calls", None, headers={"Cookie": f"callwarden={value}"})
    assert answer.status == 401


async def test_a_wrong_token_is_refused_even_beside_a_good_session(house: House) -> None:
    headers = await house.sign_in_as(Role.ADMIN)
    answer = await house.ask("GET", "/api/v1/calls", None, headers={**headers, "Authorization": "Bearer nonsense"})
    assert answer.status == 401


# -- cookies and headers -----------------------------------------------------------------------------------------------


async def test_behind_https_the_cookie_is_bound_to_this_host_and_to_tls(https_house: House) -> None:
    await https_house.add_account("an")
    browser = Browser(https_house)
    await browser.sign_in("an", PASSWORD)
    assert set(browser.cookies) == {"__Host-callwarden"}  # Browser checks what the prefix demands
    assert await browser.is_signed_in()
    plain = Browser(https_house, cookies={"callwarden": browser.cookies["__Host-callwarden"]})
    assert not await plain.is_signed_in()
    await browser.submit("/password", "/sign-out")
    assert browser.cookies == {}


async def test_pages_allow_our_own_files_only_and_are_kept_by_nobody(house: House) -> None:
    browser = await signed_in(house)
    for page in (await Browser(house).get("/sign-in"), await browser.get("/password"), await browser.get("/set-up/x")):
        policy = dict(part.strip().split(" ", 1) for part in page.headers["Content-Security-Policy"].split(";"))
        assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
        assert (policy["form-action"], policy["base-uri"], policy["frame-ancestors"]) == ("'self'", "'none'", "'none'")
        assert "unsafe" not in page.headers["Content-Security-Policy"]
        assert (page.headers["Cache-Control"], page.headers["X-Frame-Options"]) == ("no-store", "DENY")
        # no-referrer would make browsers send `Origin: null` with our own forms
        assert (page.headers["Referrer-Policy"], page.headers["X-Content-Type-Options"]) == ("same-origin", "nosniff")
        assert has_no_inline_code(page.text)
        assert re.search(r'<html lang="(en|vi)">', page.text)


async def test_every_field_that_is_seen_has_a_label(house: House) -> None:
    browser = await signed_in(house)
    for page in (await Browser(house).get("/sign-in"), await browser.get("/password")):
        ids = re.findall(r'<input id="(\w+)"', page.text)
        assert ids
        assert all(f'<label for="{name}">' in page.text for name in ids)


async def test_what_is_typed_comes_back_as_text(house: House) -> None:
    hostile = '"><script>alert(1)</script>'
    page = await Browser(house).sign_in(hostile, "x", "/a%22%3E%3Cscript%3E")
    assert has_no_inline_code(page.text)
    assert "&lt;script&gt;" in page.text


# -- next --------------------------------------------------------------------------------------------------------------

ELSEWHERE = [
    "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example", "https://evil.example", "javascript:x",
    "/\t/evil.example", "/\n/evil.example", " //evil.example", "http:evil.example", "/a//evil.example", "evil.example",
    "/..//evil.example", "/.//evil.example", "/%2e%2e//evil", "/%2e/x", "@evil.example", "/@\u2028", "/é", "", "/",
    "?x", "#x", "/sign-in", "/sign-in?next=/sign-in", "/sign-out", "/a\x00", "/" + "a" * 1000, "/a#//b", "/x/..",
    "/\u202e/x",
]  # fmt: skip


@pytest.mark.parametrize("text", ELSEWHERE)
async def test_next_never_leads_off_this_server(house: House, text: str) -> None:
    assert safe_next(text) == HOME
    await house.add_account("an")
    browser = Browser(house)
    fields = (await browser.get("/sign-in")).forms()["/sign-in"]
    entered = await browser.post("/sign-in", {**fields, "name": "an", "password": PASSWORD, "next": text})
    assert (entered.status, entered.location) == (303, HOME)


@pytest.mark.parametrize(
    "text", ["/tickets", "/tickets?status=open&q=a%2Fb", "/calls/1795332859.0", "/a/b/", "/x?u=//y"]
)
def test_next_leads_to_our_own_pages(text: str) -> None:
    assert safe_next(text) == text


async def test_below_a_path_of_the_proxy_addresses_begin_with_it(https_house: House) -> None:
    house = https_house
    await house.add_account("an")
    assert house.client.app is not None
    house.client.app._state[SERVICES] = replace(house.services(), public_url="https://example.com/calls")
    browser = Browser(house)
    page = await browser.get("/sign-in")
    assert list(page.forms()) == ["/calls/sign-in"]
    fields = page.forms()["/calls/sign-in"]
    assert (await browser.post("/sign-in", {**fields, "name": "an", "password": PASSWORD})).location == f"/calls{HOME}"
