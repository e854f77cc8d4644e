"""What everybody must be able to do with every page: read it, operate it, and hear no complaint in the console."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import time_machine
from playwright.async_api import expect

from daemon.store.accounts import Language
from tests.browser.accessible import assert_accessible
from tests.browser.furniture import OPENING, furnish
from tests.browser.house import NARROW, WIDE, House, Person
from tests.browser.pages import PAGES, Theme

THEMES: tuple[Theme, ...] = ("light", "dark")
_DUE_MS = 150  # what a page fetches by itself


async def assert_every_page_is_for_everybody(house: House, language: Language, themes: Sequence[Theme]) -> None:
    """In this language and these themes, on a wide screen and on a phone."""
    link = (await house.daemon.set_up_link() or "").removeprefix(house.url)
    with time_machine.travel(OPENING) as clock:
        visitor = await house.visitor(locale=language)
        wrong = [await wrong_pages(visitor, [link, "/sign-in"], language, themes)]
        ids = await furnish(house, clock)
        wrong.append(await wrong_pages(visitor, [f"/wall/{ids['secret']}"], language, THEMES[:1]))
        paths = [page.path(ids) for page in PAGES if page.signed_in and not page.by_agent]
        wrong.append(await wrong_pages(await house.person(language=language), paths, language, themes))
        agent, desks = await house.browser_of("an"), [page.path(ids) for page in PAGES if page.by_agent]
        await agent.open("/password")
        await agent.speak(language)
        wrong.append(await wrong_pages(agent, desks, language, themes))
    assert not any(wrong), "\n\n".join(filter(None, wrong))


async def wrong_pages(who: Person, paths: Iterable[str], language: Language, themes: Sequence[Theme] = THEMES) -> str:
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
