"""Agents in front of real browsers at the live daemon, and when each page began and ceased to show a ringing phone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from playwright.async_api import Browser, Page, expect

from tests.browser.at_the_desk import pop_at_the_crm, stage
from tests.browser.house import Person, open_browser
from tests.live.daemon_house import ALERT_TIMES, POPUP_PATH, House, Popup
from tests.live.desk_of import PASSWORD, account_of, new_account
from tests.live.phone import PhoneCall

_NOTE_RINGING = """
globalThis.shown = [];
const look = () => {
  const word = document.querySelector("#stage .ring") ? "rings" : "quiet";
  if (shown.at(-1)?.word !== word) shown.push({ word, at: Date.now() });
};
if (top === self) new MutationObserver(look).observe(document, { subtree: true, childList: true });
"""


@dataclass
class Desks:
    """The agents of the house, who sit down when a test says so."""

    house: House
    browser: Browser
    people: list[Person] = field(default_factory=list)

    async def sit_down(self, user_id: str) -> Person:
        """The agent signs in with a browser of his own, and his desk is live."""
        who = await self._opened()
        await who.context.add_init_script(_NOTE_RINGING)
        await _sign_in(who, "/desk", f"desk{user_id}")
        await expect(who.page.locator("#link-state")).to_have_text("Live")
        return who

    async def admin(self) -> Person:
        """A new admin in front of a browser, at the call settings."""
        who = await self._opened()
        await _sign_in(who, "/settings/calls", await new_account(self.house, "chief", "admin"))
        return who

    async def _opened(self) -> Person:
        who = await open_browser(self.browser, f"http://127.0.0.1:{self.house.port}")
        self.people.append(who)
        return who


async def _sign_in(who: Person, path: str, account: str) -> None:
    await who.page.goto(path)
    await who.page.get_by_label("Account").fill(account)
    await who.page.get_by_label("Password").fill(PASSWORD)
    await who.page.get_by_role("button", name="Sign in").click()


@asynccontextmanager
async def desks_at(house: House, browser: Browser, users: Iterable[str] = ("1001", "1002")) -> AsyncIterator[Desks]:
    """At the end every browser must have had nothing to complain of."""
    await pop_at_the_crm(house)
    for user in users:
        await account_of(house, user)
    desks = Desks(house, browser)
    try:
        yield desks
        for person in desks.people:
            await person.settle()
    finally:
        for person in desks.people:
            await person.context.close()


def popped(house: House) -> list[Popup]:
    """The pages that browsers asked the CRM for, oldest first."""
    return list(map(Popup.of, house.crm.got(POPUP_PATH)))


async def shows_ringing(page: Page, call: PhoneCall, what: str) -> None:
    """The page shows the call that rings at the phone, and did so as soon as promised."""
    await expect(stage(page)).to_contain_text("Incoming call")
    ALERT_TIMES.check(what, await _last(page, "rings"), call.started_at)


async def shows_quiet(page: Page, since: float, what: str) -> None:
    """The page shows no ringing phone any more, and did so as soon as promised."""
    await expect(stage(page)).not_to_contain_text("Incoming call")
    ALERT_TIMES.check(what, await _last(page, "quiet"), since)


async def _last(page: Page, word: str) -> float:
    at: float = await page.evaluate("(word) => shown.findLast((one) => one.word === word).at", word)
    return at
