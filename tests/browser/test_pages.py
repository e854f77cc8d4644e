"""Every page, in both languages, themes and widths: for everybody to read and operate, and silent in the console."""

from __future__ import annotations

import time_machine
from playwright.async_api import expect

from daemon.store.accounts import LANGUAGES, Language
from daemon.web.navigation import SECTIONS
from daemon.web.routes import ROUTES
from tests.browser.accessible import assert_accessible
from tests.browser.furniture import OPENING, furnish
from tests.browser.house import NARROW, WIDE, House, Person
from tests.browser.pages import LEADS_ELSEWHERE, PAGES, Theme, is_part
from tests.browser.screenshots import page_list
from tests.whole.house import ROOT

THEMES: tuple[Theme, ...] = ("light", "dark")
_DUE_MS = 300  # what a page fetches by itself


def test_every_page_is_among_those_that_are_tested_and_pictured() -> None:
    routes = {route.path for route in ROUTES if route.page and route.method == "GET" and not is_part(route.path)}
    routes -= LEADS_ELSEWHERE
    assert sorted(page.route for page in PAGES) == sorted(routes)


def test_every_page_of_the_navigation_is_pictured() -> None:
    links = {link.path for section in SECTIONS for link in section.links}
    assert links <= {page.route for page in PAGES}


def test_the_list_of_pages_in_the_documents_is_the_one_of_the_tests() -> None:
    assert (ROOT / "docs" / "pages.md").read_text(encoding="utf-8") == page_list("images")


async def test_every_page_can_be_read_and_used_by_everybody(house: House) -> None:
    """In both languages, both themes, on a wide screen and on a phone."""
    link = (await house.daemon.set_up_link() or "").removeprefix(house.url)
    with time_machine.travel(OPENING) as clock:
        wrong = []
        for language in LANGUAGES:
            visitor = await house.visitor(locale=language)
            wrong += [await _finding(visitor, path, language) for path in (link, "/sign-in")]
        ids = await furnish(house, clock)
        for name in ("minh.tran", "an"):
            who = await house.browser_of(name)
            mine = [page for page in PAGES if page.signed_in and page.by_agent is (name == "an")]
            for language in LANGUAGES:
                await who.open("/password")
                await who.speak(language)
                wrong += [await _finding(who, page.path(ids), language) for page in mine]
    assert not any(wrong), "\n\n".join(filter(None, wrong))


async def test_pages_with_nothing_to_show_are_as_good(house: House) -> None:
    for user_id in ("an", "binh"):
        await house.api.delete(f"agents/{user_id}")
    who = await house.person()
    empty = [page.route for page in PAGES if page.signed_in and "{" not in page.route]
    wrong = [await _finding(who, path, "en") for path in empty]
    assert not any(wrong), "\n\n".join(filter(None, wrong))


async def _finding(who: Person, path: str, language: Language) -> str | None:
    """What is wrong with this page."""
    try:
        await _look(who, path, language)
    except AssertionError as error:
        who.watch.forget()
        return f"{path} ({language}): {error}"
    return None


async def _look(who: Person, path: str, language: Language) -> None:
    await who.size(WIDE)
    response = await who.page.goto(path)
    assert response is not None
    assert response.status == 200, f"status {response.status}"
    await expect(who.page.locator("html")).to_have_attribute("lang", language)
    await expect(who.page.locator("h1:visible")).to_have_count(1)
    await who.page.wait_for_timeout(_DUE_MS)
    for width in (WIDE, NARROW):
        await who.size(width)
        for theme in THEMES:
            await who.page.emulate_media(color_scheme=theme)
            await assert_accessible(who.page, colours_only=theme == "dark")
        await who.settle()
