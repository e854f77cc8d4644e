"""People who work on tickets: what they do there and what they see, for the tests of these pages."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from playwright.async_api import Error, Locator

from daemon.store.role import Role
from tests.browser.house import House, Person
from tests.whole.house import until


async def agent(house: House, user_id: str = "an", **options: Any) -> Person:
    """In front of a browser; two browsers of one agent are two machines."""
    accounts = [one["name"] for one in (await house.api.get("accounts"))["items"]]
    if user_id not in accounts:
        await house.account(user_id, Role.AGENT)
        await house.api.patch(f"accounts/{user_id}", {"user_id": user_id})
    return await house.browser_of(user_id, **options)


async def missed_calls(house: House, count: int = 1) -> None:
    """Each of another customer: a ticket each."""
    for number in range(count):
        await house.play("queue_abandoned", customer=f"090170123{number}")


async def note_of(house: House, ticket_id: int = 1) -> str:
    return str((await house.api.get(f"tickets/{ticket_id}"))["note"])


async def noted(house: House, text: str, ticket_id: int = 1) -> None:
    """Wait until the server has it."""

    async def so() -> bool:
        return await note_of(house, ticket_id) == text

    async def explain() -> str:
        return await note_of(house, ticket_id)

    await until(so, explain, 8)


def note(who: Person) -> Locator:
    return who.page.get_by_label("Note", exact=True)


def said(who: Person) -> Locator:
    return who.page.locator("[data-note-state]")


async def crash(who: Person) -> None:
    """The tab dies without a word, as when the computer does; another one is opened."""
    died, who.page = who.page, await who.context.new_page()
    with suppress(Error):
        await died.goto("chrome://crash")
    await died.close()


def row(who: Person, ticket_id: int) -> Locator:
    return who.page.locator(f'tr[data-ticket="{ticket_id}"]')
