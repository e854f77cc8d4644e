"""The page of PBXs beside a running one: it follows the link by itself, checks it, and gives what to paste."""

from __future__ import annotations

import re

from playwright.async_api import Locator, expect

from tests.browser.accessible import assert_accessible
from tests.browser.house import NARROW, House, Person

PATH = "/settings/pbx"
LOOK_AGAIN_MS = 3000


def section(who: Person) -> Locator:
    return who.page.get_by_role("region", name="main")


async def test_the_state_follows_the_pbx_without_a_reload_and_what_is_open_stays_open(
    house: House, admin: Person
) -> None:
    page = admin.page
    await page.clock.install()
    await admin.open(PATH)
    await expect(section(admin).get_by_role("status")).to_have_text("Connected")
    await page.get_by_text("What to paste into this PBX").click()
    await expect(page.get_by_text("[callwarden]")).to_be_visible()
    port = house.pbx.port
    await house.pbx.close()
    await house.connected(False)
    await page.clock.run_for(LOOK_AGAIN_MS)
    await expect(section(admin).get_by_role("status")).not_to_have_text("Connected")
    await expect(section(admin)).to_contain_text("tried")
    await house.pbx.start(port)
    await house.connected()
    await page.clock.run_for(LOOK_AGAIN_MS)
    await expect(section(admin).get_by_role("status")).to_have_text("Connected")
    await expect(section(admin)).to_contain_text("Last trouble")
    await expect(page.get_by_text("[callwarden]")).to_be_visible()


async def test_a_tab_that_nobody_sees_does_not_ask(admin: Person) -> None:
    page, asked = admin.page, []
    await page.clock.install()
    await admin.open(PATH)
    page.on("request", lambda request: asked.append(request.url))
    await page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    await page.clock.run_for(10 * LOOK_AGAIN_MS)
    assert not [url for url in asked if url.endswith(PATH)]
    await page.evaluate("delete document.hidden")
    await page.clock.run_for(LOOK_AGAIN_MS)
    assert [url for url in asked if url.endswith(PATH)]


async def test_the_check_shows_each_finding_and_leaves_the_keyboard_where_it_was(house: House, admin: Person) -> None:
    await house.play("queue_answered")
    await admin.open(PATH)
    button = section(admin).get_by_role("button", name="Check now")
    await button.focus()
    await admin.page.keyboard.press("Enter")
    await expect(section(admin)).to_contain_text("nothing is wrong; 2 of")
    lines = section(admin).locator(".checks li")
    assert await lines.count() > 8
    for line in await lines.all():
        await expect(line.locator(".state")).to_have_text(re.compile("^(in order|not known)$"))
    await expect(button).to_be_focused()


async def test_what_is_wrong_is_told_with_what_to_do(house: House, admin: Person) -> None:
    await house.pbx.close()
    await house.connected(False)
    await admin.open(PATH)
    await section(admin).get_by_role("button", name="Check now").click()
    wrong = section(admin).locator(".checks li").first
    await expect(wrong.locator(".state")).to_have_text("not in order")
    await expect(wrong).to_contain_text("What to do: In [general] of manager.conf")


async def test_ringtones_that_cannot_be_read_back_are_shown_as_unknown_here_and_in_the_api(
    house: House, admin: Person
) -> None:
    house.pbx.house.commands -= {"DBGetTree"}
    await house.api.put("call-settings", {"ringtone": "chime"})
    await admin.open(PATH)
    await section(admin).get_by_role("button", name="Check now").click()
    line = section(admin).locator(".checks li", has_text="whether they stand there as chosen is unknown")
    await expect(line.locator(".state")).to_have_text("not known")
    await expect(line).to_contain_text("What to do: A test call shows it.")
    found = {one["name"]: one for one in (await house.api.post("pbx/main/check"))["items"]}
    assert found["ringtones"]["ok"] is None
    assert "unknown" in found["ringtones"]["words"]


async def test_a_check_that_cannot_be_asked_for_says_so_and_can_be_tried_again(admin: Person) -> None:
    await admin.open(PATH)
    with admin.watch.offline():
        await admin.context.set_offline(True)
        await section(admin).get_by_role("button", name="Check now").click()
        await expect(section(admin)).to_contain_text("the server cannot be reached")
        await admin.context.set_offline(False)
        await section(admin).get_by_role("button", name="Try again").click()
        await expect(section(admin).locator(".checks li").first).to_be_visible()


async def test_the_lines_to_paste_are_copied_as_they_are_shown(admin: Person) -> None:
    page = admin.page
    await admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await admin.open(PATH)
    await page.get_by_text("What to paste into this PBX").click()
    text = await page.locator(".stanza pre").nth(1).text_content()
    await page.get_by_role("button", name="Copy the lines").nth(1).click()
    await expect(page.get_by_text("Copied")).to_be_visible()
    assert await page.evaluate("navigator.clipboard.readText()") == text
    assert text is not None
    assert text.startswith("[callwarden]\n")
    assert "secret = write here" in text


async def test_the_page_with_everything_open_is_accessible_and_fits_a_phone(admin: Person) -> None:
    await admin.open(PATH)
    await admin.page.get_by_text("What to paste into this PBX").click()
    await section(admin).get_by_role("button", name="Check now").click()
    await expect(section(admin).locator(".checks li").first).to_be_visible()
    await assert_accessible(admin.page)
    await admin.size(NARROW)
    await assert_accessible(admin.page)
