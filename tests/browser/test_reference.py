"""The API reference in a browser: what a link leads to is unfolded, a command is copied with one click."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.house import Person


async def test_a_link_to_an_address_opens_it(admin: Person) -> None:
    page = admin.page
    await admin.open("/reference#put_agents_user_id")
    opened = page.locator("#put_agents_user_id")
    await expect(opened.get_by_role("heading", name="Parameters")).to_be_in_viewport()
    await opened.get_by_role("link", name="Agent", exact=True).first.click()
    await expect(page.locator("#Agent").get_by_text("personal_number")).to_be_in_viewport()


async def test_a_command_is_copied_with_one_click(admin: Person) -> None:
    page = admin.page
    await admin.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await admin.open("/reference#get_calls")
    await page.locator("#get_calls").get_by_role("button", name="Copy").click()
    await expect(page.get_by_text("Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith('curl -H "Authorization: Bearer $TOKEN" http://')
