"""What the tests of the desk have in common: a furnished house, agents who sit down, and the windows that opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

from playwright.async_api import Locator, Page, expect

from daemon.store.role import Role
from tests.browser.chromium import chromium
from tests.browser.house import House, Person, open_house
from tests.delivery.receiver import Receiver, Reply
from tests.whole.house import Api

NUMBER = "0901 701 234"
HTML = {"Content-Type": "text/html; charset=utf-8"}
SETTLED_MS = 1500  # what would open a second time would have done so by then


class WithCrm(Protocol):
    """Any house, whatever PBX stands beside it."""

    crm: Receiver
    api: Api


async def pop_at_the_crm(house: WithCrm, **settings: Any) -> None:
    """A CRM whose pages are pages, and desks that open them."""
    house.crm.plan("/pop", Reply(headers=HTML, body=b"<title>CRM</title>customer"))
    wanted = {"popup_answer_url": f"{house.crm.url}/pop?x=1", "popup_answer_delivery": "desk", **settings}
    await house.api.patch("call-settings", wanted)


async def furnish(house: House, **settings: Any) -> None:
    """The customers' pages, and agents who may sign in."""
    await pop_at_the_crm(house, **settings)
    await house.api.put("hotlines/19001234", {"label": "Chăm sóc khách hàng"})
    for user_id in ("an", "binh"):
        await house.account(user_id, Role.AGENT)
        await house.api.patch(f"accounts/{user_id}", {"user_id": user_id})


async def sit_down(house: House, user_id: str = "an", script: str = "", **options: Any) -> Person:
    """The agent in front of a desk that is live."""
    who = await house.browser_of(user_id, **options)
    if script:
        await who.context.add_init_script(script)
    await open_desk(who.page)
    return who


async def open_desk(page: Page, url: str = "") -> None:
    await page.goto(f"{url}/desk")
    await expect(page.locator("#link-state")).to_have_text("Live")


async def another_tab(who: Person) -> Page:
    page = await who.context.new_page()
    await open_desk(page)
    return page


def stage(page: Page) -> Locator:
    return page.get_by_role("region", name="Your calls now")


def call_of(webphone: Page) -> Locator:
    return webphone.get_by_role("region", name="Your call")


def windows(*people: Person) -> list[str]:
    return [page.url for who in people for page in who.context.pages if "/pop" in page.url]


@asynccontextmanager
async def strict_house(folder: Path) -> AsyncIterator[House]:
    """Its browser blocks popups, as everybody's does who has not allowed them."""
    async with chromium(blocks_popups=True) as browser, open_house(folder, browser) as house:
        await furnish(house)
        yield house
        for person in house.people:
            await person.settle()


async def opened_at(house: WithCrm) -> list[str]:
    """The addresses that browsers asked the CRM for."""
    return [f"{house.crm.url}/pop?{request.query}" for request in house.crm.got("/pop")]


async def there(house: WithCrm, wanted: int) -> bool:
    return len(house.crm.got("/pop")) >= wanted


async def shown(who: Person, wanted: int) -> bool:
    return len(windows(who)) == wanted
