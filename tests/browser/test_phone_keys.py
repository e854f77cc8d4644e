"""The keys of the agent's own phone on his desk and in the webphone: there only where the PBX may and the phone can."""

from __future__ import annotations

import os
from pathlib import Path

from playwright.async_api import Locator, Page, expect

from daemon.ami.scenario import SCENARIOS
from tests.browser.accessible import assert_accessible
from tests.browser.at_the_desk import call_of, furnish, sit_down, stage
from tests.browser.house import NARROW, WIDE, House
from tests.browser.staged_call import StagedCall
from tests.whole.house import until


def allow(house: House) -> None:
    house.pbx.house.commands |= {"PJSIPNotify"}


def pressed(house: House) -> list[str]:
    return [one["Variable"] for one in house.pbx.actions if one["Action"] == "PJSIPNotify"]


async def told(house: House, times: int) -> bool:
    return len(pressed(house)) == times


async def rings(house: House, place: Locator) -> StagedCall:
    call = StagedCall(house.pbx, SCENARIOS["queue_answered"], name="Nguyễn Thị Lan")
    call.rings()
    await expect(place).to_contain_text("Nguyễn Thị Lan")
    return call


async def picture(page: Page, name: str) -> None:
    """Taken where somebody wants to look at it."""
    if folder := os.environ.get("PICTURES"):
        await page.screenshot(path=Path(folder) / f"{name}.png")


async def test_without_the_right_there_are_no_such_buttons(house: House) -> None:
    await furnish(house)
    who = await sit_down(house)
    call = await rings(house, stage(who.page))
    await expect(who.page.locator("[data-phone]:visible")).to_have_count(0)
    call.is_answered()
    await expect(stage(who.page)).to_contain_text("0:0")
    await expect(who.page.locator("[data-phone]:visible")).to_have_count(0)
    call.ends()


async def test_a_call_is_held_and_taken_back_on_the_desk_and_in_the_webphone_and_both_show_it(house: House) -> None:
    await furnish(house)
    allow(house)
    house.pbx.house.allow_events = "talk, hold"
    who = await sit_down(house)
    phone = await who.context.new_page()
    await phone.set_viewport_size({"width": NARROW, "height": 760})
    await phone.goto(f"{house.url}/webphone")
    desk, window = stage(who.page), call_of(phone)
    call = await rings(house, desk)
    call.is_answered()
    hold = desk.get_by_role("button", name="Hold", exact=True)
    await expect(hold).to_be_enabled()
    await expect(window.get_by_text("keys of your phone")).to_be_hidden()
    await hold.click()
    await expect(desk.get_by_text("On hold")).to_be_visible()
    await expect(window).to_contain_text("on hold, 0:")
    for width in (WIDE, NARROW):
        await who.size(width)
        await picture(who.page, f"desk-held-{width}")
        await assert_accessible(who.page)
    await picture(phone, "webphone-held")
    await assert_accessible(phone)
    async with phone.expect_response("**/unhold"):
        await window.get_by_role("button", name="Take back").click()
    await expect(hold).to_be_visible()
    await expect(desk.get_by_text("On hold")).to_be_hidden()
    await expect(window).to_contain_text("talking, 0:")
    assert pressed(house) == ["Event=hold", "Event=talk"]
    call.ends()
    await house.quiet()

    call = await rings(house, desk)  # what the phone said in the first call stands now
    for page, width in ((who.page, WIDE), (phone, NARROW)):
        await expect(page.get_by_role("button", name="Answer", exact=True)).to_be_enabled()
        await picture(page, f"rings-{width}")
    await who.size(NARROW)
    await picture(who.page, "desk-rings-390")
    async with who.page.expect_response("**/answer"):
        await desk.get_by_role("button", name="Answer", exact=True).click()
        await until(lambda: told(house, 3))  # else he would have answered by hand before the key was pressed
        call.is_answered()
    await expect(hold).to_be_enabled()
    assert pressed(house)[2:] == ["Event=talk"]
    call.ends()


async def test_a_phone_that_says_nothing_cannot_be_pressed_and_the_button_says_why(house: House) -> None:
    await furnish(house)
    allow(house)
    who = await sit_down(house)
    call = await rings(house, stage(who.page))
    call.is_answered()
    hold = stage(who.page).get_by_role("button", name="Hold", exact=True)
    await expect(hold).to_be_disabled()
    await expect(hold).to_have_attribute(
        "title", "Your phone does not say that it can be held from here. Use its hold key."
    )
    await picture(who.page, "desk-cannot-1280")
    assert pressed(house) == []
    call.ends()
