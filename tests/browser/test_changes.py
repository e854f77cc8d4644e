"""The record of changes: who changed what, what it was before, found again by a filter."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.house import House, Person

PATH = "/settings/audit"


async def test_a_change_made_on_a_page_stands_there_with_its_author_and_what_was_before(
    house: House, admin: Person
) -> None:
    page = admin.page
    await admin.open("/settings/calls")
    await page.get_by_label("Target", exact=True).fill("91")
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("In force since").last).to_be_visible()
    await admin.open(PATH)
    row = page.locator("tbody tr").first
    await expect(row).to_contain_text("admin")
    await expect(row.locator("del")).to_contain_text("80")
    await expect(row.locator("ins")).to_contain_text("91")


async def test_the_filter_stands_in_the_address_and_can_be_cleared(house: House, admin: Person) -> None:
    page = admin.page
    await admin.open("/settings/tokens")
    await page.locator("#add summary").click()
    await page.get_by_label("Label").fill("CRM")
    await page.get_by_role("button", name="Make the token").click()
    await expect(page.locator("#made")).to_be_visible()
    await admin.open(PATH)
    everything = await page.locator("tbody tr").count()
    await page.get_by_label("Who").fill("admin")
    await page.get_by_role("button", name="Show").click()
    await expect(page).to_have_url(house.url + PATH + "?by=admin")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await expect(page.locator("tbody")).not_to_contain_text("whsec_")
    await page.get_by_role("link", name="Clear").click()
    await expect(page.locator("tbody tr")).to_have_count(everything)


async def test_nobody_found_is_said(admin: Person) -> None:
    await admin.open(PATH + "?by=nobody")
    await expect(admin.page.get_by_text("No change fits this filter.")).to_be_visible()
