"""The one-time link of the first start."""

from __future__ import annotations

import asyncio
import json

import pytest
from aiohttp.test_utils import make_mocked_request

from daemon.store.accounts import find_account
from daemon.store.set_up import LINK_LIFE_MS, new_link_token, offer_set_up
from daemon.web.next_page import HOME
from daemon.web.words import browser_language
from tests.web.browser import Browser
from tests.web.conftest import PASSWORD, House

FIRST = {"name": "Mai", "password": PASSWORD, "again": PASSWORD, "language": "vi"}


async def _offered(house: House) -> str:
    link = new_link_token()
    assert await house.store.writer.change(lambda: offer_set_up(link, house.now))
    return f"/set-up/{link}"


async def test_the_set_up_link_makes_the_first_admin_signs_him_in_and_works_once(house: House) -> None:
    path, browser = await _offered(house), Browser(house)
    assert (await browser.get(path)).status == 200
    assert (await browser.get(path)).status == 200  # a mail scanner's look uses nothing up
    made = await browser.submit(path, **FIRST)
    assert (made.status, made.location) == (303, HOME)
    me = json.loads((await browser.get("/api/v1/session")).text)
    assert (me["name"], me["role"], me["language"]) == ("mai", "admin", "vi")
    assert (await house.audit())[0]["by"] == "setup:link"
    again = Browser(house)
    assert (await again.get(path)).status == 404
    fields = (await again.get("/sign-in")).forms()["/sign-in"]
    assert (await again.post(path, {**fields, **FIRST, "name": "eve"})).status == 404
    assert await find_account(house.store.reader, "eve") is None


async def test_of_two_who_use_the_link_at_once_one_becomes_admin(house: House) -> None:
    path, browsers = await _offered(house), [Browser(house) for _ in range(4)]
    forms = [(await browser.get(path)).forms()[path] for browser in browsers]
    pages = await asyncio.gather(
        *(b.post(path, {**f, **FIRST, "name": f"a{n}"}) for n, (b, f) in enumerate(zip(browsers, forms, strict=True)))
    )
    assert sorted(page.status for page in pages) == [303, 404, 404, 404]


async def test_the_link_ends_after_a_day_with_a_newer_one_and_with_any_account(house: House) -> None:
    browser, old = Browser(house), await _offered(house)
    new = await _offered(house)
    assert [(await browser.get(path)).status for path in (old, new)] == [404, 200]
    house.wait(LINK_LIFE_MS)
    assert (await browser.get(new)).status == 404
    newest = await _offered(house)
    await house.add_account("an")
    assert (await browser.get(newest)).status == 404
    assert not await house.store.writer.change(lambda: offer_set_up(new_link_token(), house.now))


async def test_what_is_wrong_in_the_set_up_form_is_told_and_the_link_stays(house: House) -> None:
    path, browser = await _offered(house), Browser(house)
    wrong = await browser.submit(path, **{**FIRST, "name": "a b", "again": "x"})
    assert wrong.status == 422
    assert 'value="a b"' in wrong.text
    assert PASSWORD not in wrong.text
    assert (await browser.submit(path, **{**FIRST, "name": "mai.anh", "password": "mai.anh123"})).status == 422
    assert (await browser.submit(path, **FIRST)).status == 303


@pytest.mark.parametrize("part", ["x", "A" * 43, "%00", "A" * 5000, "..%2f"])
async def test_a_guessed_link_is_a_page_that_says_so(house: House, part: str) -> None:
    await _offered(house)
    page = await Browser(house).get(f"/set-up/{part}")
    assert page.status == 404
    assert "text/html" in page.headers["Content-Type"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("vi-VN,vi;q=0.9,en;q=0.8", "vi"),
        ("en-US,vi", "en"),
        ("de-DE, fr;q=0.5", "en"),
        ("", "en"),
        ("\xff" * 300, "en"),
    ],
)
async def test_the_language_of_a_page_before_the_sign_in_is_the_browsers(header: str, language: str) -> None:
    assert browser_language(make_mocked_request("GET", "/", headers={"Accept-Language": header})) == language
