"""Every control of the webphone's window, clicked in a real browser, changes the call on the real phones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.at_the_desk import call_of, there
from tests.browser.house import Person
from tests.live.browsers import Desks, desks_at, popped
from tests.live.conftest import PhoneMaker
from tests.live.daemon_house import House
from tests.live.phone import answer
from tests.live.trunk import Trunk
from tests.whole.house import until

DIRECT, HOTLINE = "1902", "02873001234"
CUSTOMER, E164 = "0912345678", "+84912345678"

pytestmark = pytest.mark.browser


@pytest.fixture
def phone(known_phone: PhoneMaker) -> PhoneMaker:
    return known_phone


@pytest_asyncio.fixture(loop_scope="session")
async def desks(house: House, browser: Browser) -> AsyncIterator[Desks]:
    await house.api.put(f"hotlines/{HOTLINE}", {"label": "Sales"})
    async with desks_at(house, browser) as opened:
        yield opened


async def test_its_keys_dial_and_sound_and_its_buttons_mute_hang_up_and_decline(
    desks: Desks, phone: PhoneMaker, trunk: Trunk
) -> None:
    first = await phone("1001")
    desk = await desks.sit_down("1001")
    page = await webphone(desk)
    await page.get_by_label("The customer sees").select_option(HOTLINE)
    for key in CUSTOMER:
        await press(page, key)
    await press(page, "Dial")
    await expect(page.get_by_text("Your phone rings: pick it up.")).to_be_visible()
    agent = await first.next_call()
    await agent.answer()
    customer = await trunk.next_call()
    assert HOTLINE in str(customer.header("From"))
    assert popped(desks.house) == []  # so far only the agent himself has answered
    await customer.answer()
    await expect(call_of(page)).to_contain_text("talking, 0:0")
    await until(lambda: there(desks.house, 1))

    await customer.hears(True)
    await press(page, "Mute me")
    await customer.hears(False)
    await agent.hears(True)
    await press(page, "Unmute me")
    await customer.hears(True)
    for key in "5#0":
        await press(page, key)
    await customer.phone.until(lambda: customer.digits == "5#0", 5.0, "digits")
    await press(page, "Hang up")
    await asyncio.gather(agent.disconnected(), customer.disconnected())
    await expect(call_of(page)).to_be_hidden()
    (call,) = await desks.house.quiet(1)
    (popup,) = popped(desks.house)
    assert (popup.is_call_out, popup.hotline, popup.customer_number) == (True, HOTLINE, E164[1:])
    assert (popup.user_id, popup.call_id, call["ended_by"]) == ("1001", call["call_id"], "agent")

    await trunk.call(DIRECT, E164)
    agent = await first.next_call()
    await expect(call_of(page)).to_contain_text("rings at your phone")
    await press(page, "Decline")
    await agent.disconnected()
    await expect(call_of(page)).to_be_hidden()


async def test_a_customer_is_asked_about_taken_back_handed_over_and_given_on_at_once(
    desks: Desks, phone: PhoneMaker, trunk: Trunk
) -> None:
    first, second = await asyncio.gather(phone("1001"), phone("1002"))
    await asyncio.gather(first.on_call(answer(0.1)), second.on_call(answer(0.1)))
    one, other = [await webphone(desk) for desk in await asyncio.gather(desks.sit_down("1001"), desks.sit_down("1002"))]
    customer = await trunk.call(DIRECT, E164)
    agent = await first.next_call()
    await expect(call_of(one)).to_contain_text("talking")

    await press(one, "Transfer")
    await press(one, "Ask first: Agent 1002")
    asked = await second.next_call()
    await expect(one.get_by_text("The customer waits while you ask.")).to_be_visible()
    await asked.confirmed()
    await asked.hears(True)
    await customer.hears(False)
    await press(one, "Back to the customer")
    await asked.disconnected()
    await customer.hears(True)
    assert not agent.is_over
    assert [popup.user_id for popup in popped(desks.house)] == ["1001"]  # who was only asked has no customer

    await press(one, "Transfer")
    await press(one, "Ask first: Agent 1002")
    colleague = await second.next_call()
    await colleague.confirmed()
    await press(one, "Hand over")
    await agent.disconnected()
    await expect(call_of(one)).to_be_hidden()
    await expect(call_of(other)).to_contain_text("talking")
    await colleague.hears(True)

    await press(other, "Transfer")
    await press(other, "Transfer now: Agent 1001")
    agent = await first.next_call()
    await asyncio.gather(agent.confirmed(), colleague.disconnected())
    await expect(call_of(one)).to_contain_text("talking")
    await expect(call_of(other)).to_be_hidden()
    await customer.hears(True)
    await press(one, "Hang up")
    await customer.disconnected()
    (call,) = await desks.house.quiet(1)
    assert (call["user_ids"], call["user_id"], call["ended_by"]) == (["1001", "1002"], "1001", "agent")
    assert [popup.user_id for popup in popped(desks.house)] == ["1001", "1002"]


async def webphone(desk: Person) -> Page:
    """The window that the desk opens."""
    async with desk.context.expect_page() as opening:
        await press(desk.page, "Webphone")
    page = await opening.value
    await expect(page.locator("[data-word]")).to_have_text("Available")
    return page


async def press(page: Page, button: str) -> None:
    await page.get_by_role("button", name=button, exact=True).click()
