"""The daily summary's page: add a mailbox, see a test arrive, choose a time, and delete it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from daemon.store.role import Role
from tests.browser.accessible import assert_accessible
from tests.browser.house import NARROW, WIDE, House, Person
from tests.fakes.mailbox import mailbox

PATH = "/settings/summary"
LONG_MS = 20_000
"""apprise is started for each, on a busy machine."""


async def test_a_mailbox_is_added_gets_a_test_and_its_address_is_never_seen_again(house: House, admin: Person) -> None:
    page = admin.page
    async with mailbox() as box:
        await admin.open(PATH)
        address = f"mailto://127.0.0.1:{box.port}?from=cw@example.com&to=boss@example.com&user=cw&pass=sehr-geheim"
        await page.get_by_label("Address").fill(address.partition("&user")[0])
        await page.get_by_label("Name").fill("The boss")
        await page.get_by_role("button", name="Add", exact=True).click()
        await expect(page.get_by_role("cell", name="The boss")).to_be_visible(timeout=LONG_MS)
        assert "boss@example.com&" not in await page.content()
        await page.get_by_role("button", name="Send a test now").click()
        await expect(page.locator("#tried")).to_contain_text("The summary was taken", timeout=LONG_MS)
        assert box.recipients == ["boss@example.com"]
        await assert_accessible(page)
        box.refuses = "550 nobody here"
        await page.get_by_role("button", name="Send a test now").click()
        await expect(page.locator("#tried")).to_contain_text("did not take the message", timeout=LONG_MS)
    await page.get_by_role("button", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("Nobody yet.")).to_be_visible()


async def test_an_address_that_is_no_mail_or_messenger_is_refused_beside_its_field(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open(PATH)
    await page.get_by_label("Address").fill("file:///etc/passwd")
    admin.watch.expect(422, "/api/v1/summary/targets")
    await page.get_by_role("button", name="Add", exact=True).click()
    await expect(page.locator("#url-wrong")).to_contain_text("address of apprise")


async def test_the_time_and_the_days_are_saved(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open(PATH)
    await page.get_by_label("At", exact=True).fill("18:30")
    await page.get_by_label("Sunday").uncheck()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator("#toasts")).to_contain_text("Saved")
    kept = await house.api.get("call-settings")
    assert (kept["summary_time"], kept["summary_days"]) == ("18:30", ["mon", "tue", "wed", "thu", "fri", "sat"])


@pytest.mark.parametrize("width", [WIDE, NARROW])
async def test_the_page_is_for_everybody_in_vietnamese_too(house: House, width: int) -> None:
    who = await house.person(Role.ADMIN, language="vi", width=width)
    await who.open(PATH)
    await expect(who.page.locator("html")).to_have_attribute("lang", "vi")
    await assert_accessible(who.page)
