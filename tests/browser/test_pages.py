"""Every page, in both languages, themes and widths: for everybody to read and operate, and silent in the console."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

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
_DUE_MS = 150  # what a page fetches by itself


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
        visitors = [(await house.visitor(locale=one), one) for one in LANGUAGES]
        wrong = [await _wrong(who, [link, "/sign-in"], one) for who, one in visitors]
        ids = await furnish(house, clock)
        wrong += [await _wrong(who, [f"/wall/{ids['secret']}"], one, THEMES[:1]) for who, one in visitors]
        paths = [page.path(ids) for page in PAGES if page.signed_in and not page.by_agent]
        readers = [(await house.person(name=f"{one}.reader", language=one), one) for one in LANGUAGES]
        wrong += await asyncio.gather(*(_wrong(who, paths, one, _themes(one)) for who, one in readers))
        agent, desks = await house.browser_of("an"), [page.path(ids) for page in PAGES if page.by_agent]
        for language in LANGUAGES:
            await agent.open("/password")
            await agent.speak(language)
            wrong.append(await _wrong(agent, desks, language, _themes(language)))
    assert not any(wrong), "\n\n".join(filter(None, wrong))


async def test_pages_with_nothing_to_show_are_as_good(house: House) -> None:
    for user_id in ("an", "binh"):
        await house.api.delete(f"agents/{user_id}")
    empty = [page.route for page in PAGES if page.signed_in and "{" not in page.route]
    wrong = await _wrong(await house.person(), empty, "en", THEMES[:1])
    assert not wrong, wrong


def _themes(language: Language) -> Sequence[Theme]:
    """Both in one language: colours are the same in every other."""
    return THEMES if language == "en" else THEMES[:1]


async def _wrong(who: Person, paths: Iterable[str], language: Language, themes: Sequence[Theme] = THEMES) -> str:
    """What is wrong with these pages; one does not hide the others."""
    findings = []
    for path in paths:
        try:
            await _look(who, path, language, themes)
        except AssertionError as error:
            who.watch.forget()
            findings.append(f"{path} ({language}): {error}")
    return "\n\n".join(findings)


async def _look(who: Person, path: str, language: Language, themes: Sequence[Theme]) -> None:
    await who.size(WIDE)
    response = await who.page.goto(path)
    assert response is not None
    assert response.status == 200, f"status {response.status}"
    await expect(who.page.locator("html")).to_have_attribute("lang", language)
    await expect(who.page.locator("h1:visible")).to_have_count(1)
    await expect(who.page.locator("[aria-busy=true]")).to_have_count(0)
    await who.page.wait_for_timeout(_DUE_MS)
    for theme in themes:
        await who.page.emulate_media(color_scheme=theme)
        for width in (WIDE, NARROW):
            await who.size(width)
            await assert_accessible(who.page, colours_only=theme != themes[0])
            await who.settle()
