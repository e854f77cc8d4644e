"""The history of calls in a browser: found by filters and keys, live without a jump, told on a page of its own."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.house import NARROW, House, Person


async def test_a_call_is_found_by_keys_opened_and_its_story_is_told(house: House, admin: Person) -> None:
    await house.play("queue_abandoned", customer="0901701230")
    await house.play("queue_answered", customer="0901701231")
    await admin.open("/calls")
    page = admin.page
    rows = page.locator("tr[data-call-row]")
    await expect(rows).to_have_count(2)
    await page.keyboard.press("/")
    await page.keyboard.type("0901 701 230")
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("Missed")
    await page.get_by_role("link", name="Answered", exact=True).click()
    await expect(page.get_by_text("No call fits this")).to_be_visible()
    await admin.open("/calls")
    await expect(rows).to_have_count(2)
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    story = page.get_by_role("listitem").filter(has_text="Answered after")
    await expect(story).to_be_visible()
    await expect(page.get_by_text("PJSIP/1001")).to_be_visible()


async def test_new_calls_are_offered_and_move_nothing(house: House, admin: Person) -> None:
    await house.play("direct_answered", customer="0901701230")
    await admin.open("/calls")
    page = admin.page
    first = page.locator("tr[data-call-row]").first
    before = await first.bounding_box()
    await house.play("direct_missed", customer="0901701231")
    await expect(page.get_by_role("button", name="1 new call: show")).to_be_visible()
    await expect(page.locator("tr[data-call-row]")).to_have_count(1)
    after = await first.bounding_box()
    assert before
    assert after
    assert after["height"] == before["height"]
    await page.get_by_role("button", name="1 new call: show").click()
    await expect(page.locator("tr[data-call-row]")).to_have_count(2)


async def test_on_a_phone_a_call_is_two_lines_and_nothing_scrolls_sideways(house: House, admin: Person) -> None:
    await house.play("queue_answered", customer="0901701230")
    await admin.size(NARROW)
    for path in ("/calls", "/calls?number=0901701230&queue=support&wait_before=60"):
        await admin.open(path)
        box = await admin.page.locator("tr[data-call-row]").bounding_box()
        assert box
        assert box["height"] <= 64
        wide = await admin.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= NARROW
