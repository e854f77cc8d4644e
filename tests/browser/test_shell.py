"""What stands around every page: theme, language, state of the PBX and of the line, keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.house import NARROW, PASSWORD, House, Person

HOME = "/password"
LOOK_AGAIN_MS = 10_000
_FOCUSED = """() => {
  const one = document.activeElement;
  const ring = getComputedStyle(one).outlineStyle !== "none" || getComputedStyle(one).boxShadow !== "none";
  return {name: (one.getAttribute("aria-label") ?? one.textContent).trim(), ring};
}"""


async def test_the_theme_follows_the_system_until_one_is_chosen_and_then_stays(admin: Person) -> None:
    page = admin.page
    html = page.locator("html")
    await admin.open(HOME)
    await expect(html).to_have_attribute("data-theme", "light")
    await page.emulate_media(color_scheme="dark")
    await expect(html).to_have_attribute("data-theme", "dark")
    await page.get_by_role("button", name="Light or dark").click()
    await expect(html).to_have_attribute("data-theme", "light")
    await page.reload()
    await expect(html).to_have_attribute("data-theme", "light")


async def test_the_language_is_switched_here_and_kept_with_the_account(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open(HOME)
    await page.get_by_role("button", name="Tiếng Việt").click()
    await expect(page.locator("html")).to_have_attribute("lang", "vi")
    assert (await house.api.get("accounts/admin"))["language"] == "vi"
    await page.get_by_role("button", name="English").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await expect(page.get_by_role("heading", name="Your account")).to_be_visible()


async def test_a_page_before_the_sign_in_speaks_the_browsers_language(house: House) -> None:
    who = await house.visitor(locale="vi-VN")
    await who.open("/sign-in")
    await expect(who.page.locator("html")).to_have_attribute("lang", "vi")


async def test_a_call_is_looked_for_from_any_page_with_one_key(house: House, admin: Person) -> None:
    page = admin.page
    await house.play("queue_answered")
    await admin.open(HOME)
    await page.keyboard.press("/")
    await expect(page.get_by_role("searchbox", name="Find a call by number or id")).to_be_focused()
    await page.keyboard.type("901 234")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/calls\?number=901\+234$"))
    await expect(page.get_by_role("searchbox")).to_have_count(1)  # the list's own, and none above it


async def test_the_pbx_indicator_turns_by_itself_when_the_pbx_goes_and_comes(house: House, admin: Person) -> None:
    page = admin.page
    await page.clock.install()
    await admin.open(HOME)
    indicator = page.locator("a.pbx")
    await expect(indicator).to_have_text("PBX connected")
    port = house.pbx.port
    await house.pbx.close()
    await house.connected(False)
    await page.clock.run_for(LOOK_AGAIN_MS)
    await expect(indicator).to_have_text("PBX not connected")
    await house.pbx.start(port)
    await house.connected()
    await page.clock.run_for(LOOK_AGAIN_MS)
    await expect(indicator).to_have_text("PBX connected")


async def test_a_lost_line_is_said_and_taken_back_without_a_reload(admin: Person) -> None:
    page = admin.page
    await page.clock.install()
    await admin.open(HOME)
    bar = page.get_by_text("Reconnecting")
    await expect(bar).to_be_hidden()
    with admin.watch.offline():
        await admin.context.set_offline(True)
        await page.clock.run_for(LOOK_AGAIN_MS)
        await expect(bar).to_be_visible()
        await admin.context.set_offline(False)
        await page.clock.run_for(LOOK_AGAIN_MS)
        await expect(bar).to_be_hidden()


async def test_by_keyboard_alone_one_gets_past_the_navigation_and_through_a_form(admin: Person) -> None:
    page = admin.page
    await admin.open(HOME)
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.get_by_label("Language")).to_be_focused()
    await page.keyboard.press("Tab")  # what saves it
    for text in (PASSWORD, "a new and better one", "a new and better one"):
        await page.keyboard.press("Tab")
        assert (await page.evaluate(_FOCUSED))["ring"]
        await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status").first).to_contain_text("changed")


async def test_everything_that_can_be_clicked_can_be_reached_by_keyboard_and_seen_there(admin: Person) -> None:
    page = admin.page
    await admin.open(HOME)
    wanted = await page.locator("a:visible, button:visible, input:visible, select:visible").count()
    seen = []
    for _ in range(wanted):
        await page.keyboard.press("Tab")
        seen.append(await page.evaluate(_FOCUSED))
    assert all(one["ring"] for one in seen), [one["name"] for one in seen if not one["ring"]]
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement === document.body"), "there is a control that Tab cannot leave"


@pytest.mark.parametrize("path", ["/no-such-page", "/settings/no-such-page"])
async def test_an_address_that_is_nothing_says_so_and_leads_back(admin: Person, path: str) -> None:
    admin.watch.expect(404, path)
    await admin.open(path)
    await expect(admin.page.get_by_role("link", name="To the start page")).to_be_visible()


async def test_on_a_phone_the_navigation_is_at_the_bottom_and_the_rest_under_more(house: House) -> None:
    who = await house.person(width=NARROW)
    page = who.page
    await who.open(HOME)
    await expect(page.locator("nav.side")).to_be_hidden()
    bottom = page.locator("nav.bottom")
    await bottom.get_by_text("More").click()
    await expect(bottom.get_by_role("link", name="Changes")).to_be_in_viewport()
    await page.locator("h1").click()
    await expect(bottom.get_by_role("link", name="Changes")).to_be_hidden()
